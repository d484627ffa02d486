#define _GNU_SOURCE
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define RESULT(expression) \
    do { \
        long result_ = (expression); \
        return result_ < 0 ? -errno : result_; \
    } while (0)

int sys_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct {
        uint64_t flags, mode, resolve;
    } how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    long fd;
    // EAGAIN: a rename raced with ".." under RESOLVE_IN_ROOT; openat2(2) says to try again.
    for (int attempt = 0; attempt < 128; attempt++) {
        fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
    }
    return fd < 0 ? -errno : (int)fd;
}

int sys_openat(int directory, const char *path, int flags, unsigned int mode) {
    int fd;
    do {
        fd = openat(directory, path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

int sys_memfd_create(const char *name, unsigned int flags) { RESULT(memfd_create(name, flags)); }
int sys_add_seals(int fd, int seals) { RESULT(fcntl(fd, F_ADD_SEALS, seals)); }
int sys_get_seals(int fd) { RESULT(fcntl(fd, F_GET_SEALS)); }
int sys_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags) {
    RESULT(renameat2(from_directory, from, to_directory, to, flags));
}
int sys_fchmodat(int directory, const char *path, unsigned int mode) { RESULT(fchmodat(directory, path, mode, 0)); }
int sys_mknodat(int directory, const char *path, unsigned int mode, unsigned int major, unsigned int minor) {
    RESULT(mknodat(directory, path, mode, makedev(major, minor)));
}
int sys_flock(int fd, int operation) {
    int result;
    do {
        result = flock(fd, operation);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}
int sys_set_cloexec(int fd, int on) { RESULT(fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0)); }
int sys_set_nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    RESULT(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}
int sys_dup_cloexec(int fd, int at_least) { RESULT(fcntl(fd, F_DUPFD_CLOEXEC, at_least)); }
int sys_fallocate_beyond(int fd, int64_t offset, int64_t length) {
    RESULT(fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length));
}

int sys_statx(int directory, const char *path, int flags, struct sys_stat *out) {
    struct statx info;
    if (statx(directory, path, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | 0x1000 /* STATX_MNT_ID */, &info) < 0) return -errno;
    out->device = makedev(info.stx_dev_major, info.stx_dev_minor);
    out->inode = info.stx_ino;
    out->mount_id = info.stx_mnt_id;
    out->size = info.stx_size;
    out->blocks = info.stx_blocks;
    out->mode = info.stx_mode;
    out->uid = info.stx_uid;
    out->gid = info.stx_gid;
    out->links = info.stx_nlink;
    out->rdev_major = info.stx_rdev_major;
    out->rdev_minor = info.stx_rdev_minor;
    out->mtime_seconds = info.stx_mtime.tv_sec;
    out->mtime_nanoseconds = info.stx_mtime.tv_nsec;
    out->ctime_seconds = info.stx_ctime.tv_sec;
    out->ctime_nanoseconds = info.stx_ctime.tv_nsec;
    return 0;
}

static void fill(struct sys_statfs_info *out, const struct statfs *info) {
    out->type = info->f_type;
    out->block_size = (uint64_t)info->f_bsize;
    out->blocks = info->f_blocks;
    out->blocks_free = info->f_bfree;
    out->blocks_available = info->f_bavail;
    out->files = info->f_files;
    out->files_free = info->f_ffree;
    out->flags = (uint64_t)info->f_flags;
}
int sys_statfs(const char *path, struct sys_statfs_info *out) {
    struct statfs info;
    if (statfs(path, &info) < 0) return -errno;
    fill(out, &info);
    return 0;
}
int sys_fstatfs(int fd, struct sys_statfs_info *out) {
    struct statfs info;
    if (fstatfs(fd, &info) < 0) return -errno;
    fill(out, &info);
    return 0;
}
unsigned int sys_major(uint64_t device) { return major(device); }
unsigned int sys_minor(uint64_t device) { return minor(device); }
