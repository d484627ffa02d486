#ifndef CLINUX_BRIDGE_H
#define CLINUX_BRIDGE_H

/// Makes a bridge in the calling thread's network namespace (SIOCBRADDBR). -EEXIST when there is an interface of that name.
int sys_bridge_add(const char *name);
/// Sets a bridge of the calling thread's network namespace down and removes it (SIOCBRDELBR). -ENODEV when there is none.
int sys_bridge_remove(const char *name);
#endif
