#define _GNU_SOURCE
#include "mounts.h"
#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

// Raw calls: glibc 2.36's <sys/mount.h> and <linux/mount.h> can't be included together.
#define RESULT(expression) \
    do { \
        long result_ = (expression); \
        return result_ < 0 ? -errno : result_; \
    } while (0)

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    RESULT(syscall(SYS_mount, source, target, type, flags, data));
}
int sys_umount2(const char *target, int flags) { RESULT(syscall(SYS_umount2, target, flags)); }
int sys_open_tree(int directory, const char *path, unsigned int flags) {
    RESULT(syscall(SYS_open_tree, directory, path, flags | 02000000 /* OPEN_TREE_CLOEXEC */));
}
int sys_move_mount(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags) {
    RESULT(syscall(SYS_move_mount, from_directory, from, to_directory, to, flags));
}
int sys_fsopen(const char *type) { RESULT(syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */)); }
int sys_fspick(int directory, const char *path, unsigned int flags) {
    RESULT(syscall(SYS_fspick, directory, path, flags | 1 /* FSPICK_CLOEXEC */));
}
int sys_fsconfig(int fd, unsigned int command, const char *key, const char *value, int auxiliary) {
    RESULT(syscall(SYS_fsconfig, fd, command, key, value, auxiliary));
}
int sys_fsmount(int fd, unsigned int attributes) { RESULT(syscall(SYS_fsmount, fd, 1 /* FSMOUNT_CLOEXEC */, attributes)); }
int sys_mount_setattr(
    int directory, const char *path, unsigned int flags, uint64_t set, uint64_t clear, uint64_t propagation, uint64_t userns) {
    struct {
        uint64_t set, clear, propagation, userns;
    } attributes = {set, clear, propagation, userns};
    RESULT(syscall(SYS_mount_setattr, directory, path, flags, &attributes, sizeof(attributes)));
}
