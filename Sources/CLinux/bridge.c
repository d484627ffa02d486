#define _GNU_SOURCE
#include "bridge.h"
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int sys_bridge_add(const char *name) {
    if (strlen(name) >= IFNAMSIZ) return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int result = ioctl(fd, SIOCBRADDBR, name);
    int error = errno;
    close(fd);
    return result < 0 ? -error : 0;
}

int sys_bridge_remove(const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof(request));
    if (strlen(name) >= sizeof(request.ifr_name)) return -ENAMETOOLONG;
    strcpy(request.ifr_name, name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int result = ioctl(fd, SIOCGIFFLAGS, &request);
    if (result == 0 && (request.ifr_flags & IFF_UP)) {
        // The kernel refuses to remove a bridge that is up.
        request.ifr_flags &= ~IFF_UP;
        result = ioctl(fd, SIOCSIFFLAGS, &request);
    }
    if (result == 0) result = ioctl(fd, SIOCBRDELBR, name);
    int error = errno;
    close(fd);
    return result < 0 ? -error : 0;
}
