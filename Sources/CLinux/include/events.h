#ifndef CLINUX_EVENTS_H
#define CLINUX_EVENTS_H
#include <stddef.h>
#include <stdint.h>

struct sys_event {
    uint32_t events; // EPOLLIN 0x001, EPOLLOUT 0x004, EPOLLERR 0x008, EPOLLHUP 0x010, EPOLLRDHUP 0x2000
    uint64_t token;
};
int sys_epoll_create(void);
/// `operation`: 1 add, 2 remove, 3 change.
int sys_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token);
/// How many events came; 0 on time-out and on EINTR. At most 64 at a time.
int sys_epoll_wait(int epoll, struct sys_event *events, int room, int timeout_milliseconds);

/// Blocks `signals` for the process and returns a close-on-exec, non-blocking signalfd for them.
int sys_signalfd(const int *signals, size_t count);
struct sys_signal {
    int signal, pid, status, code;
};
/// 1 when one was read, 0 when none waits.
int sys_signalfd_read(int fd, struct sys_signal *out);

int sys_eventfd(unsigned int initial);
/// A CLOCK_MONOTONIC timerfd, close-on-exec and non-blocking.
int sys_timerfd(void);
int sys_timerfd_set(int fd, uint64_t first_nanoseconds, uint64_t interval_nanoseconds);

/// Close-on-exec and non-blocking.
int sys_inotify(void);
int sys_inotify_add(int fd, const char *path, uint32_t mask);
int sys_inotify_remove(int fd, int watch);

/// poll(2) on one descriptor: its events, 0 on time-out. Retries on EINTR without shortening the wait.
int sys_poll(int fd, short events, int timeout_milliseconds);
#endif
