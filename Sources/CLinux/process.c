#define _GNU_SOURCE
#include "process.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/filter.h>

#define RESULT(expression) \
    do { \
        long result_ = (expression); \
        return result_ < 0 ? -errno : result_; \
    } while (0)

// linux/sched.h's struct clone_args, version 2 (kernel 5.7).
struct clone3_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

long sys_clone3(uint64_t flags, int *pidfd, int cgroup, int exit_signal, void (*entry)(void *), void *context) {
    struct clone3_arguments arguments;
    memset(&arguments, 0, sizeof(arguments));
    arguments.flags = flags;
    arguments.exit_signal = (uint64_t)exit_signal;
    if (pidfd) {
        arguments.flags |= 0x1000; // CLONE_PIDFD
        arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
    }
    if (cgroup >= 0) {
        arguments.flags |= 0x200000000ULL; // CLONE_INTO_CGROUP
        arguments.cgroup = (uint64_t)cgroup;
    }
    long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid < 0) return -errno;
    if (pid == 0) {
        entry(context);
        _exit(127);
    }
    return pid;
}

int sys_unshare(int flags) { RESULT(unshare(flags)); }
int sys_setns(int fd, int flags) { RESULT(setns(fd, flags)); }
int sys_pidfd_open(pid_t pid, unsigned int flags) { RESULT(syscall(SYS_pidfd_open, pid, flags)); }
int sys_pidfd_send_signal(int pidfd, int signal) { RESULT(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0)); }
int sys_pidfd_getfd(int pidfd, int fd) { RESULT(syscall(SYS_pidfd_getfd, pidfd, fd, 0)); }
int sys_kill(pid_t pid, int signal) { RESULT(kill(pid, signal)); }
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags) {
    RESULT(syscall(SYS_close_range, first, last, flags));
}
int sys_pivot_root(const char *new_root, const char *put_old) { RESULT(syscall(SYS_pivot_root, new_root, put_old)); }
int sys_execve(const char *path, char *const argv[], char *const envp[]) { RESULT(execve(path, argv, envp)); }
int sys_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags) {
    RESULT(syscall(SYS_execveat, fd, path, argv, envp, flags));
}
int sys_prctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    RESULT(prctl(operation, a, b, c, d));
}

int sys_waitid(int kind, unsigned int id, int options, struct sys_exit *out) {
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    int result;
    do {
        result = waitid((idtype_t)kind, id, &info, options);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    out->pid = info.si_pid;
    out->code = info.si_code;
    out->status = info.si_status;
    return 0;
}

int sys_setgroups(size_t count, const uint32_t *groups) { RESULT(syscall(SYS_setgroups, count, groups)); }
int sys_setresuid(uint32_t uid) { RESULT(syscall(SYS_setresuid, uid, uid, uid)); }
int sys_setresgid(uint32_t gid) { RESULT(syscall(SYS_setresgid, gid, gid, gid)); }

int sys_prlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard) {
    struct rlimit64 limit = {.rlim_cur = soft, .rlim_max = hard};
    RESULT(syscall(SYS_prlimit64, pid, resource, &limit, NULL));
}
int sys_getrlimit(pid_t pid, int resource, uint64_t *soft, uint64_t *hard) {
    struct rlimit64 limit;
    if (syscall(SYS_prlimit64, pid, resource, NULL, &limit) < 0) return -errno;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    return 0;
}

int sys_sethostname(const char *name, size_t length) { RESULT(sethostname(name, length)); }
int sys_setdomainname(const char *name, size_t length) { RESULT(setdomainname(name, length)); }

int sys_seccomp_load(unsigned int flags, const void *program, unsigned short instructions) {
    struct sock_fprog filter = {.len = instructions, .filter = (struct sock_filter *)program};
    RESULT(syscall(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, flags, &filter));
}
int sys_personality(unsigned long persona) { RESULT(syscall(SYS_personality, persona)); }
int sys_ioprio_set(int which, int who, int value) { RESULT(syscall(SYS_ioprio_set, which, who, value)); }
int sys_gettid(void) { return (int)syscall(SYS_gettid); }
int sys_join_session_keyring(const char *name) { RESULT(syscall(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, name, 0, 0, 0)); }

int sys_block_all_signals(uint64_t *old) {
    uint64_t all = ~0ULL;
    RESULT(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, old, sizeof(all)));
}
int sys_set_signal_mask(uint64_t mask) { RESULT(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask))); }

void sys_default_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = SIG_DFL;
    for (int signal = 1; signal < 65; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP || signal == 32 || signal == 33) continue;
        sigaction(signal, &action, NULL);
    }
}

const char *sys_error_text(int number) { return strerrordesc_np(number); }
const char *sys_error_name(int number) { return strerrorname_np(number); }
