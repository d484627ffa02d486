#ifndef CLINUX_SPAWN_H
#define CLINUX_SPAWN_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sys_spawn_request {
    const char *path;
    char *const *argv;
    char *const *envp;
    const char *directory;  // NULL: stay
    const int *descriptors; // descriptors[i] becomes i in the child; -1 leaves i closed
    size_t descriptor_count;
    int new_session;     // setsid(2)
    int controlling_tty; // the child's descriptor that becomes its terminal (needs new_session), or -1
    int death_signal;    // PR_SET_PDEATHSIG, or 0
    uid_t uid;           // used when `credentials` is set
    gid_t gid;
    int credentials;
};

/// Starts a program like posix_spawn(3), safe in a process with threads: the child shares memory until execve (CLONE_VFORK)
/// and runs only C. Signals are at their default and unblocked in it; every other descriptor is closed.
/// Returns the pid, or -errno of whichever step failed; `*pidfd` is close-on-exec.
int sys_spawn(const struct sys_spawn_request *request, int *pidfd);
#endif
