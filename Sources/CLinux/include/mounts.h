#ifndef CLINUX_MOUNTS_H
#define CLINUX_MOUNTS_H
#include <stdint.h>

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
int sys_umount2(const char *target, int flags);
/// Descriptors returned are always close-on-exec.
int sys_open_tree(int directory, const char *path, unsigned int flags);
int sys_move_mount(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags);
int sys_fsopen(const char *type);
int sys_fspick(int directory, const char *path, unsigned int flags);
int sys_fsconfig(int fd, unsigned int command, const char *key, const char *value, int auxiliary);
int sys_fsmount(int fd, unsigned int attributes);
int sys_mount_setattr(
    int directory, const char *path, unsigned int flags, uint64_t set, uint64_t clear, uint64_t propagation, uint64_t userns);
#endif
