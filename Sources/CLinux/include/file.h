#ifndef CLINUX_FILE_H
#define CLINUX_FILE_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// openat2(2); O_CLOEXEC is always added.
int sys_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
/// openat(2); O_CLOEXEC is always added. Retries on EINTR.
int sys_openat(int directory, const char *path, int flags, unsigned int mode);
int sys_memfd_create(const char *name, unsigned int flags);
int sys_add_seals(int fd, int seals);
int sys_get_seals(int fd);
int sys_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags);
int sys_fchmodat(int directory, const char *path, unsigned int mode);
int sys_mknodat(int directory, const char *path, unsigned int mode, unsigned int major, unsigned int minor);
int sys_flock(int fd, int operation);
int sys_set_cloexec(int fd, int on);
int sys_set_nonblocking(int fd, int on);
int sys_dup_cloexec(int fd, int at_least);
/// fallocate(2) with FALLOC_FL_KEEP_SIZE: takes blocks without the file becoming longer.
int sys_fallocate_beyond(int fd, int64_t offset, int64_t length);

struct sys_stat {
    uint64_t device, inode, mount_id, size, blocks;
    uint32_t mode, uid, gid, links, rdev_major, rdev_minor;
    int64_t mtime_seconds, ctime_seconds;
    uint32_t mtime_nanoseconds, ctime_nanoseconds;
};
/// statx(2). `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH.
int sys_statx(int directory, const char *path, int flags, struct sys_stat *out);

struct sys_statfs_info {
    int64_t type;
    uint64_t block_size, blocks, blocks_free, blocks_available, files, files_free, flags;
};
int sys_statfs(const char *path, struct sys_statfs_info *out);
int sys_fstatfs(int fd, struct sys_statfs_info *out);

unsigned int sys_major(uint64_t device);
unsigned int sys_minor(uint64_t device);
#endif
