#ifndef CLINUX_NETLINK_H
#define CLINUX_NETLINK_H
/// An rtnetlink(7) socket of the calling thread's network namespace.
int sys_route_socket(void);
/// if_nametoindex(3).
int sys_interface_index(const char *name);
#endif
