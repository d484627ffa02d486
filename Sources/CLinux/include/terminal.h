#ifndef CLINUX_TERMINAL_H
#define CLINUX_TERMINAL_H
#include <stddef.h>

/// TIOCGPTPEER: the other end of a pty master, without looking up its name (CVE-2025-52565).
int sys_pty_peer(int master);
/// TIOCSPTLCK 0.
int sys_pty_unlock(int master);
/// TIOCGPTN.
int sys_pty_number(int master);
int sys_set_controlling_terminal(int fd);
int sys_window_size(int fd, unsigned short *rows, unsigned short *columns);
int sys_set_window_size(int fd, unsigned short rows, unsigned short columns);
int sys_is_terminal(int fd);
/// Clears ONLCR, so that "\n" stays "\n" (what runc does when it carries the terminal's bytes itself).
int sys_clear_onlcr(int fd);
/// Raw mode; `saved` (at least 64 bytes) receives what sys_restore_terminal takes.
int sys_make_raw(int fd, void *saved, size_t size);
int sys_restore_terminal(int fd, const void *saved);
#endif
