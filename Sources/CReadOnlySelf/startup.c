// What Swift's runtime would look for at the start of every command, told or kept from it.
#define _GNU_SOURCE
#include "startup.h"
#include "CLinux.h"
#include "CReadOnlySelf.h"
#include <malloc.h>
#include <stdint.h>
#include <unistd.h>

int startup_argc;
char **startup_argv;
int startup_enters;

/// The two functions of the standard library's CommandLine.cpp, which aren't linked then: its own find the arguments in
/// /proc/self/maps, with stdio.
char **_swift_stdlib_getUnsafeArgvArgc(int *count);
void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc);

char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
    *count = startup_argc;
    return startup_argv;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc) {
    startup_argc = argc;
    startup_argv = argv;
}

static char **given;

/// Swift's runtime looks for its backtracer beside the program, and where that is "/" (a mount that is nowhere in the tree) in
/// the working directory: a bundle could bring a program that is run as root when the runtime crashes. It isn't looked for, and
/// no other SWIFT_… variable is obeyed.
__attribute__((constructor(101))) static void before_swift(void) {
    // Where a mount couldn't be made, a sealed copy, still before Swift's runtime is set up. ReadOnlySelf tells if that fails too.
    if (startup_enters) sys_run_from_readonly(startup_argv);
    static char *quiet[] = {"SWIFT_BACKTRACE=enable=no,color=no,interactive=no,swift-backtrace=/", 0};
    given = environ;
    environ = quiet;
    // A command lives some milliseconds: what it frees isn't given back to the kernel, to be asked for again.
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_TOP_PAD, 256 << 10);
}

void restore_environment(void) {
    if (given) environ = given;
    given = 0;
}
