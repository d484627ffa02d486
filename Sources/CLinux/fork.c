#include "fork.h"
#include <errno.h>
#include <unistd.h>

int sys_fork(void) {
    int pid = fork();
    return pid < 0 ? -errno : pid;
}
