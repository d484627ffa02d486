#ifndef CLINUX_SYNC_H
#define CLINUX_SYNC_H

/// syncfs(2): writes the whole filesystem that `fd` lies on to its disk.
int sys_syncfs(int fd);
#endif
