/* steps PROGRAM ARGUMENT...: single-steps a program and its children (ptrace(2)) and prints each address at which one of them
 * runs an instruction for the first time, as "GENERATION ADDRESS", in that order: generation 0 is the program, 1 what it
 * started, which is followed until it becomes another program. Only addresses below 32 MiB, where a static executable that
 * isn't position-independent lies. */

#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { highest = 1 << 25 };
static unsigned char seen[highest];

int main(int count, char **arguments) {
    if (count < 2) return 2;
    pid_t program = fork();
    if (program == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        // What is printed belongs to this program alone.
        close(1);
        execv(arguments[1], arguments + 1);
        _exit(127);
    }
    int status;
    if (program < 0 || waitpid(program, &status, __WALL) != program) return 1;
    long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    ptrace(PTRACE_SETOPTIONS, program, 0, options);
    ptrace(PTRACE_SINGLESTEP, program, 0, 0);
    for (;;) {
        pid_t stopped = waitpid(-1, &status, __WALL);
        if (stopped < 0) return 1;
        if (stopped == program && !WIFSTOPPED(status)) {
            return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
        if (!WIFSTOPPED(status)) continue;
        int generation = stopped != program;
        if (generation > 0 && status >> 16 == PTRACE_EVENT_EXEC) {
            ptrace(PTRACE_DETACH, stopped, 0, 0);
            continue;
        }
        struct user_regs_struct registers;
        if (ptrace(PTRACE_GETREGS, stopped, 0, &registers) == 0 && registers.rip < highest) {
            unsigned char mark = (unsigned char)(1 << generation);
            if (!(seen[registers.rip] & mark)) printf("%d %llx\n", generation, registers.rip);
            seen[registers.rip] |= mark;
        }
        int signal = WSTOPSIG(status);
        ptrace(PTRACE_SINGLESTEP, stopped, 0, signal == SIGTRAP || signal == SIGSTOP ? 0 : signal);
    }
}
