#ifndef CLINUX_BRIDGE_H
#define CLINUX_BRIDGE_H

/// Sets a bridge of the calling thread's network namespace down and removes it (SIOCBRDELBR). -ENODEV when there is none.
int sys_bridge_remove(const char *name);
#endif
