// pause: the first process of a pod. It holds the pod's namespaces, and where the pod's containers share its pid namespace
// it reaps their orphans. It ends with 0 when it is told to (SIGTERM, SIGINT), and asks for nothing else.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "-v") == 0) {
        puts("pause 0.1.0");
        return 0;
    }
    // Blocked before anything can end, so that no signal is missed: a first process gets only those that it asks for.
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGINT);
    if (sigprocmask(SIG_BLOCK, &awaited, NULL) < 0) {
        perror("pause: sigprocmask");
        return 1;
    }
    for (;;) {
        // One SIGCHLD may stand for many, also for some from before it was blocked.
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
        int signal = sigwaitinfo(&awaited, NULL);
        if (signal == SIGTERM || signal == SIGINT) return 0;
        if (signal < 0 && errno != EINTR) {
            perror("pause: sigwaitinfo");
            return 1;
        }
    }
}
