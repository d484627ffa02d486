#ifndef CLINUX_FORK_H
#define CLINUX_FORK_H

/// fork(3) of the C library, which Swift hides: 0 in the child. Only for a process with one thread; what it costs there
/// is its page tables. Unlike sys_clone3 it keeps the C library's own state right, so the child may live on.
int sys_fork(void);
#endif
