#ifndef CLINUX_LINK_H
#define CLINUX_LINK_H

/// Sets IFF_UP on a network interface of the calling thread's network namespace.
int sys_link_up(const char *name);
#endif
