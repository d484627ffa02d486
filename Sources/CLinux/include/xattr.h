#ifndef CLINUX_XATTR_H
#define CLINUX_XATTR_H
#include <stddef.h>
#include <sys/types.h>

/// The l-calls never follow a last symlink. Lengths, or -errno.
ssize_t sys_lgetxattr(const char *path, const char *name, void *value, size_t size);
ssize_t sys_llistxattr(const char *path, char *list, size_t size);
int sys_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags);
int sys_lremovexattr(const char *path, const char *name);
ssize_t sys_fgetxattr(int fd, const char *name, void *value, size_t size);
ssize_t sys_flistxattr(int fd, char *list, size_t size);
int sys_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
#endif
