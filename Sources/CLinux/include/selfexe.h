#ifndef CLINUX_SELFEXE_H
#define CLINUX_SELFEXE_H

/// Makes sure that this program runs from a file that nobody can write through /proc/PID/exe (CVE-2019-5736): returns 0 when
/// it does already, else starts the program again from a read-only mount of its own file that is nowhere in the tree, or, where
/// that can't be made, from a sealed copy in memory. Returns -errno when neither could be had.
int sys_run_from_readonly(char *const argv[]);
#endif
