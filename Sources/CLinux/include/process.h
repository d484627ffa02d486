#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// clone3(2) without CLONE_VM: the child calls `entry(context)`, which must not return.
/// `pidfd` receives a close-on-exec pidfd when not NULL; `cgroup` is a cgroup v2 directory or -1.
long sys_clone3(uint64_t flags, int *pidfd, int cgroup, int exit_signal, void (*entry)(void *), void *context);

int sys_unshare(int flags);
int sys_setns(int fd, int flags);
int sys_pidfd_open(pid_t pid, unsigned int flags);
int sys_pidfd_send_signal(int pidfd, int signal);
int sys_pidfd_getfd(int pidfd, int fd);
int sys_kill(pid_t pid, int signal);
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_execve(const char *path, char *const argv[], char *const envp[]);
int sys_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags);
int sys_prctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d);

struct sys_exit {
    int pid;    // 0 when WNOHANG found nothing
    int code;   // CLD_EXITED, CLD_KILLED, CLD_DUMPED, …
    int status; // exit code or signal number
};
/// waitid(2). `kind` is P_PID, P_PIDFD or P_ALL as numbers 1, 3, 0. Retries on EINTR.
int sys_waitid(int kind, unsigned int id, int options, struct sys_exit *out);

int sys_setgroups(size_t count, const uint32_t *groups);
int sys_setresuid(uint32_t uid);
int sys_setresgid(uint32_t gid);
int sys_prlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard);
int sys_getrlimit(pid_t pid, int resource, uint64_t *soft, uint64_t *hard);
int sys_sethostname(const char *name, size_t length);
int sys_setdomainname(const char *name, size_t length);
int sys_seccomp_load(unsigned int flags, const void *program, unsigned short instructions);
int sys_personality(unsigned long persona);
int sys_ioprio_set(int which, int who, int value);
int sys_gettid(void);
/// keyctl(KEYCTL_JOIN_SESSION_KEYRING, name).
int sys_join_session_keyring(const char *name);

/// Blocks every signal; `old` receives 8 bytes of the former kernel mask when not NULL.
int sys_block_all_signals(uint64_t *old);
int sys_set_signal_mask(uint64_t mask);
/// strerror(3) and its symbolic name; NULL when the number is unknown.
const char *sys_error_text(int number);
const char *sys_error_name(int number);

/// Every signal back to its default action.
void sys_default_signals(void);
#endif
