#define _GNU_SOURCE
#include "scheduling.h"
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RESULT(expression) \
    do { \
        long result_ = (expression); \
        return result_ < 0 ? -errno : result_; \
    } while (0)

int sys_sched_setattr(const struct sys_scheduling *wanted) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.size = sizeof(attributes);
    attributes.policy = wanted->policy;
    attributes.flags = wanted->flags;
    attributes.nice = wanted->nice;
    attributes.priority = wanted->priority;
    attributes.runtime = wanted->runtime;
    attributes.deadline = wanted->deadline;
    attributes.period = wanted->period;
    RESULT(syscall(SYS_sched_setattr, 0, &attributes, 0));
}

int sys_sched_setaffinity(int pid, const uint8_t *mask, size_t length) {
    RESULT(syscall(SYS_sched_setaffinity, pid, length, mask));
}

int sys_set_mempolicy(int mode, const uint64_t *nodes, unsigned long bits) {
    RESULT(syscall(SYS_set_mempolicy, mode, nodes, bits));
}

long sys_keyctl(int operation, unsigned long a, unsigned long b, unsigned long c) {
    RESULT(syscall(SYS_keyctl, operation, a, b, c, 0));
}
