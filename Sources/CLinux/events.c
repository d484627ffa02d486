#define _GNU_SOURCE
#include "events.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define RESULT(expression) \
    do { \
        long result_ = (expression); \
        return result_ < 0 ? -errno : result_; \
    } while (0)

int sys_epoll_create(void) { RESULT(epoll_create1(EPOLL_CLOEXEC)); }
int sys_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    RESULT(epoll_ctl(epoll, operation, fd, &event));
}
int sys_epoll_wait(int epoll, struct sys_event *events, int room, int timeout_milliseconds) {
    struct epoll_event raw[64];
    int count = epoll_wait(epoll, raw, room < 64 ? room : 64, timeout_milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        events[i].events = raw[i].events;
        events[i].token = raw[i].data.u64;
    }
    return count;
}

int sys_signalfd(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -errno;
    RESULT(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}
int sys_signalfd_read(int fd, struct sys_signal *out) {
    struct signalfd_siginfo info;
    ssize_t length;
    do {
        length = read(fd, &info, sizeof(info));
    } while (length < 0 && errno == EINTR);
    if (length < 0) return errno == EAGAIN ? 0 : -errno;
    if (length != sizeof(info)) return -EIO;
    out->signal = (int)info.ssi_signo;
    out->pid = (int)info.ssi_pid;
    out->status = info.ssi_status;
    out->code = info.ssi_code;
    return 1;
}

int sys_eventfd(unsigned int initial) { RESULT(eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK)); }
int sys_timerfd(void) { RESULT(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)); }
int sys_timerfd_set(int fd, uint64_t first_nanoseconds, uint64_t interval_nanoseconds) {
    const uint64_t second = 1000000000;
    struct itimerspec spec;
    memset(&spec, 0, sizeof(spec));
    spec.it_value.tv_sec = (time_t)(first_nanoseconds / second);
    spec.it_value.tv_nsec = (long)(first_nanoseconds % second);
    spec.it_interval.tv_sec = (time_t)(interval_nanoseconds / second);
    spec.it_interval.tv_nsec = (long)(interval_nanoseconds % second);
    RESULT(timerfd_settime(fd, 0, &spec, NULL));
}

int sys_inotify(void) { RESULT(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }
int sys_inotify_add(int fd, const char *path, uint32_t mask) { RESULT(inotify_add_watch(fd, path, mask)); }
int sys_inotify_remove(int fd, int watch) { RESULT(inotify_rm_watch(fd, watch)); }

int sys_poll(int fd, short events, int timeout_milliseconds) {
    struct pollfd entry = {.fd = fd, .events = events};
    int result;
    do {
        result = poll(&entry, 1, timeout_milliseconds);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    return result == 0 ? 0 : entry.revents;
}
