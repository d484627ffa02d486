/* measured PROGRAM ARGUMENT...: runs a program to its end and prints what it took: wall time and user + system CPU in
 * microseconds, peak memory in KiB, and its wait status. The program's standard output and input are /dev/null.
 *
 * A C program, because the kernel counts the memory of whoever calls execve into the new program's peak: started from
 * Python, everything seems to need Python's 16 MiB. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long microseconds(struct timeval t) { return t.tv_sec * 1000000L + t.tv_usec; }

int main(int count, char **arguments) {
    if (count < 2) return 2;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid_t child = vfork();
    if (child == 0) {
        dup2(null, 0);
        dup2(null, 1);
        execv(arguments[1], arguments + 1);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) return 1;
    clock_gettime(CLOCK_MONOTONIC, &end);
    long wall = (end.tv_sec - begin.tv_sec) * 1000000L + (end.tv_nsec - begin.tv_nsec) / 1000;
    printf("%ld %ld %ld %d\n", wall, microseconds(usage.ru_utime) + microseconds(usage.ru_stime), usage.ru_maxrss, status);
    return 0;
}
