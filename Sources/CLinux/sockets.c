#define _GNU_SOURCE
#include "sockets.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RESULT(expression) \
    do { \
        long result_ = (expression); \
        return result_ < 0 ? -errno : result_; \
    } while (0)

int sys_unix_socket(int type) { RESULT(socket(AF_UNIX, type | SOCK_CLOEXEC, 0)); }
int sys_unix_socketpair(int type, int pair[2]) { RESULT(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair)); }

static int address(struct sockaddr_un *out, const char *path) {
    memset(out, 0, sizeof(*out));
    out->sun_family = AF_UNIX;
    size_t length = strlen(path);
    if (length == 0) return -EINVAL;
    if (length >= sizeof(out->sun_path)) return -ENAMETOOLONG;
    memcpy(out->sun_path, path, length);
    return 0;
}

int sys_unix_bind(int fd, const char *path) {
    struct sockaddr_un target;
    int failure = address(&target, path);
    if (failure) return failure;
    RESULT(bind(fd, (struct sockaddr *)&target, sizeof(target)));
}

int sys_unix_connect(int fd, const char *path) {
    struct sockaddr_un target;
    int failure = address(&target, path);
    if (failure) return failure;
    int result;
    do {
        result = connect(fd, (struct sockaddr *)&target, sizeof(target));
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

int sys_unix_connect_any(int fd, const char *path) {
    if (path[0] != '@') return sys_unix_connect(fd, path);
    // An abstract name: any bytes after a NUL.
    struct sockaddr_un target;
    memset(&target, 0, sizeof(target));
    target.sun_family = AF_UNIX;
    size_t length = strlen(path);
    if (length > sizeof(target.sun_path)) return -ENAMETOOLONG;
    memcpy(target.sun_path + 1, path + 1, length - 1);
    socklen_t size = (socklen_t)(sizeof(target.sun_family) + length);
    return connect(fd, (struct sockaddr *)&target, size) < 0 ? -errno : 0;
}

int sys_listen(int fd, int backlog) { RESULT(listen(fd, backlog)); }

int sys_accept(int fd) {
    int result;
    do {
        result = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

enum { most_descriptors = 64 };

ssize_t sys_send(int fd, const void *bytes, size_t length, const int *descriptors, size_t count, int flags) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * most_descriptors)];
    } control;
    if (count > most_descriptors) return -E2BIG;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | flags);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

ssize_t sys_receive(int fd, void *bytes, size_t length, int *descriptors, size_t *count, int flags) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * most_descriptors)];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t received;
    do {
        received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | flags);
    } while (received < 0 && errno == EINTR);
    if (received < 0) {
        *count = 0;
        return -errno;
    }
    size_t room = *count, got = 0;
    int cut = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            if (got < room) {
                descriptors[got++] = descriptor;
            } else {
                close(descriptor);
                cut = 1;
            }
        }
    }
    if (cut) {
        for (size_t i = 0; i < got; i++) close(descriptors[i]);
        *count = 0;
        return -EMSGSIZE;
    }
    *count = got;
    return received;
}

int sys_peer(int fd, struct sys_peer_info *out) {
    struct ucred credentials;
    socklen_t length = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -errno;
    out->pid = credentials.pid;
    out->uid = credentials.uid;
    out->gid = credentials.gid;
    return 0;
}
