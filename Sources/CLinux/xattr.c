#define _GNU_SOURCE
#include "xattr.h"
#include <errno.h>
#include <sys/xattr.h>

#define RESULT(expression) \
    do { \
        long result_ = (expression); \
        return result_ < 0 ? -errno : result_; \
    } while (0)

ssize_t sys_lgetxattr(const char *path, const char *name, void *value, size_t size) { RESULT(lgetxattr(path, name, value, size)); }
ssize_t sys_llistxattr(const char *path, char *list, size_t size) { RESULT(llistxattr(path, list, size)); }
int sys_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
    RESULT(lsetxattr(path, name, value, size, flags));
}
int sys_lremovexattr(const char *path, const char *name) { RESULT(lremovexattr(path, name)); }
ssize_t sys_fgetxattr(int fd, const char *name, void *value, size_t size) { RESULT(fgetxattr(fd, name, value, size)); }
ssize_t sys_flistxattr(int fd, char *list, size_t size) { RESULT(flistxattr(fd, list, size)); }
int sys_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags) {
    RESULT(fsetxattr(fd, name, value, size, flags));
}
