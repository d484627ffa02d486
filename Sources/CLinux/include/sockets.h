#ifndef CLINUX_SOCKETS_H
#define CLINUX_SOCKETS_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A close-on-exec Unix socket. `type` is SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET as numbers 1, 2, 5.
int sys_unix_socket(int type);
int sys_unix_socketpair(int type, int pair[2]);
/// -ENAMETOOLONG when the path has more than 107 bytes.
int sys_unix_bind(int fd, const char *path);
int sys_unix_connect(int fd, const char *path);
/// The same for a path, or an abstract name that is written with "@" in front.
int sys_unix_connect_any(int fd, const char *path);
int sys_listen(int fd, int backlog);
int sys_accept(int fd);

/// One sendmsg(2) with MSG_NOSIGNAL | `flags`; `count` descriptors travel as SCM_RIGHTS. Bytes sent, or -errno.
ssize_t sys_send(int fd, const void *bytes, size_t length, const int *descriptors, size_t count, int flags);
/// One recvmsg(2) with MSG_CMSG_CLOEXEC | `flags`. `*count` is the room in `descriptors` and then how many came;
/// -EMSGSIZE (and every descriptor closed) when the message or its descriptors were cut off.
ssize_t sys_receive(int fd, void *bytes, size_t length, int *descriptors, size_t *count, int flags);

struct sys_peer_info {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
/// SO_PEERCRED.
int sys_peer(int fd, struct sys_peer_info *out);
#endif
