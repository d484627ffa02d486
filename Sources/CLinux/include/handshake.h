#ifndef CLINUX_HANDSHAKE_H
#define CLINUX_HANDSHAKE_H
#include <stdint.h>

// Two processes that talk through a page of memory: one of them may be under a filter that allows no call at all.

/// Maps the first 4096 bytes of a file, shared; NULL when it can't be mapped.
int32_t *sys_shared_map(int fd);
void sys_shared_unmap(int32_t *shared);
int32_t sys_shared_read(const int32_t *shared, int index);
void sys_shared_write(int32_t *shared, int index, int32_t value);
/// Waits without a system call (clock_gettime is the vDSO's) until the number is no longer 0; 0 after that many seconds.
int32_t sys_shared_await(const int32_t *shared, int index, int seconds);
#endif
