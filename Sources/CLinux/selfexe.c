#define _GNU_SOURCE
#include "selfexe.h"
#include "file.h"
#include "mounts.h"
#include "process.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { statfs_read_only = 1, every_seal = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int is_safe(int fd) {
    struct sys_statfs_info info;
    if (sys_fstatfs(fd, &info) == 0 && (info.flags & statfs_read_only)) return 1;
    int seals = sys_get_seals(fd);
    return seals >= 0 && (seals & every_seal) == every_seal;
}

static int sealed_copy(int from) {
    struct stat status;
    if (fstat(from, &status) < 0) return -errno;
    int fd = sys_memfd_create("kubesim-oci", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return fd;
    off_t left = status.st_size;
    while (left > 0) {
        ssize_t count = sendfile(fd, from, NULL, (size_t)left);
        if (count <= 0) {
            int error = count < 0 ? errno : EIO;
            close(fd);
            return -error;
        }
        left -= count;
    }
    int failure = sys_add_seals(fd, every_seal);
    if (failure < 0) {
        close(fd);
        return failure;
    }
    return fd;
}

int sys_run_from_readonly(char *const argv[]) {
    int self = sys_openat(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0);
    if (self < 0) return self;
    if (is_safe(self)) {
        close(self);
        return 0;
    }
    int tree = sys_open_tree(self, "", 1 /* OPEN_TREE_CLONE */ | AT_EMPTY_PATH);
    if (tree >= 0) {
        // Read-only, no set-id, no devices.
        if (sys_mount_setattr(tree, "", AT_EMPTY_PATH, 1 | 2 | 4, 0, 0x40000 /* MS_PRIVATE */, 0) == 0) {
            sys_execveat(tree, "", argv, environ, AT_EMPTY_PATH);
        }
        close(tree);
    }
    int copy = sealed_copy(self);
    close(self);
    if (copy < 0) return copy;
    int failure = sys_execveat(copy, "", argv, environ, AT_EMPTY_PATH);
    close(copy);
    return failure;
}
