#ifndef CLINUX_SCHEDULING_H
#define CLINUX_SCHEDULING_H
#include <stddef.h>
#include <stdint.h>

/// struct sched_attr of sched_setattr(2), its first version.
struct sys_scheduling {
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period; // nanoseconds
};
/// Of the calling thread.
int sys_sched_setattr(const struct sys_scheduling *wanted);
/// `mask` has a bit a processor, lowest first; `length` is a multiple of 8. 0 is the calling thread.
int sys_sched_setaffinity(int pid, const uint8_t *mask, size_t length);
int sys_set_mempolicy(int mode, const uint64_t *nodes, unsigned long bits);
long sys_keyctl(int operation, unsigned long a, unsigned long b, unsigned long c);
#endif
