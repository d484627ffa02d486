#define _GNU_SOURCE
#include "spawn.h"
#include "process.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    const struct sys_spawn_request *request;
    int *lifted; // scratch for descriptor_count numbers, above every target
    volatile int failure;
};

static int run_child(void *context) {
    struct child *child = context;
    const struct sys_spawn_request *request = child->request;
    int count = (int)request->descriptor_count;
    sys_default_signals();
    if (request->death_signal && prctl(PR_SET_PDEATHSIG, request->death_signal) < 0) goto failed;
    if (request->new_session && setsid() < 0) goto failed;
    for (int i = 0; i < count; i++) {
        child->lifted[i] = -1;
        if (request->descriptors[i] < 0) continue;
        child->lifted[i] = fcntl(request->descriptors[i], F_DUPFD_CLOEXEC, count);
        if (child->lifted[i] < 0) goto failed;
    }
    for (int i = 0; i < count; i++) {
        if (child->lifted[i] < 0) {
            close(i);
        } else if (dup2(child->lifted[i], i) < 0) {
            goto failed;
        }
    }
    if (syscall(SYS_close_range, (unsigned)count, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) < 0) goto failed;
    if (request->controlling_tty >= 0 && ioctl(request->controlling_tty, TIOCSCTTY, 0) < 0) goto failed;
    if (request->directory && chdir(request->directory) < 0) goto failed;
    if (request->credentials) {
        if (syscall(SYS_setgroups, 0, NULL) < 0) goto failed;
        if (syscall(SYS_setresgid, request->gid, request->gid, request->gid) < 0) goto failed;
        if (syscall(SYS_setresuid, request->uid, request->uid, request->uid) < 0) goto failed;
    }
    sys_set_signal_mask(0);
    execve(request->path, request->argv, request->envp);
failed:
    child->failure = errno;
    _exit(127);
}

int sys_spawn(const struct sys_spawn_request *request, int *pidfd) {
    enum { stack_size = 64 * 1024 };
    int lifted[64];
    if (request->descriptor_count > sizeof(lifted) / sizeof(lifted[0])) return -E2BIG;
    struct child child = {.request = request, .lifted = lifted, .failure = 0};
    char *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -errno;
    uint64_t mask = 0;
    sys_block_all_signals(&mask);
    // No thread may be cancelled while a child stands on its memory; the former state is put back.
    int cancel;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    int fd = -1;
    int pid = clone(run_child, stack + stack_size, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &child, &fd);
    int error = errno;
    pthread_setcancelstate(cancel, NULL);
    sys_set_signal_mask(mask);
    munmap(stack, stack_size);
    if (pid < 0) return -error;
    if (child.failure) {
        struct sys_exit gone;
        sys_waitid(1, (unsigned)pid, WEXITED, &gone);
        close(fd);
        return -child.failure;
    }
    if (pidfd) {
        *pidfd = fd;
    } else {
        close(fd);
    }
    return pid;
}
