#define _GNU_SOURCE
#include "terminal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define RESULT(expression) \
    do { \
        long result_ = (expression); \
        return result_ < 0 ? -errno : result_; \
    } while (0)

int sys_pty_peer(int master) { RESULT(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)); }
int sys_pty_unlock(int master) {
    int off = 0;
    RESULT(ioctl(master, TIOCSPTLCK, &off));
}
int sys_pty_number(int master) {
    unsigned int number = 0;
    if (ioctl(master, TIOCGPTN, &number) < 0) return -errno;
    return (int)number;
}
int sys_set_controlling_terminal(int fd) { RESULT(ioctl(fd, TIOCSCTTY, 0)); }
int sys_window_size(int fd, unsigned short *rows, unsigned short *columns) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}
int sys_set_window_size(int fd, unsigned short rows, unsigned short columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    RESULT(ioctl(fd, TIOCSWINSZ, &size));
}
int sys_is_terminal(int fd) { return isatty(fd); }
int sys_clear_onlcr(int fd) {
    struct termios mode;
    if (tcgetattr(fd, &mode) < 0) return -errno;
    mode.c_oflag &= ~(tcflag_t)ONLCR;
    RESULT(tcsetattr(fd, TCSANOW, &mode));
}
int sys_make_raw(int fd, void *saved, size_t size) {
    struct termios mode;
    if (size < sizeof(mode)) return -EINVAL;
    if (tcgetattr(fd, &mode) < 0) return -errno;
    memcpy(saved, &mode, sizeof(mode));
    cfmakeraw(&mode);
    /* The container's "\n" comes untranslated: this terminal makes "\r\n" of it, as runc has it. */
    mode.c_oflag |= OPOST;
    RESULT(tcsetattr(fd, TCSANOW, &mode));
}
int sys_restore_terminal(int fd, const void *saved) {
    struct termios mode;
    memcpy(&mode, saved, sizeof(mode));
    RESULT(tcsetattr(fd, TCSANOW, &mode));
}
