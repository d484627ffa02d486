#define _GNU_SOURCE
#include "sync.h"
#include <errno.h>
#include <unistd.h>

int sys_syncfs(int fd) { return syncfs(fd) < 0 ? -errno : 0; }
