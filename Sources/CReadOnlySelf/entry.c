// The first instructions of kubesim-oci (the linker's -e, see Package.swift): a command that enters containers starts again from
// a read-only mount of this program (CVE-2019-5736) before glibc and Swift have set anything up, so that this is paid for once.
// glibc alone asks the processor some fifty times what it can, and each CPUID is a way out of a virtual machine.
//
// Nothing is there yet: no libc, no thread-local storage, no relocation of functions that are chosen at the start (memcpy, strlen).
// Whatever fails here is tried again, in more ways, by sys_run_from_readonly (CLinux), and told by ReadOnlySelf (OCIRuntime).
#define _GNU_SOURCE
#include "startup.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
// At the start the stack is aligned to 16 bytes, and rdx is for _start.
__asm__(".text\n"
        ".globl kubesim_oci_entry\n"
        ".type kubesim_oci_entry, @function\n"
        "kubesim_oci_entry:\n"
        "  push %rdx\n"
        "  push %rdx\n"
        "  lea 16(%rsp), %rdi\n"
        "  call kubesim_oci_enter\n"
        "  pop %rdx\n"
        "  pop %rdx\n"
        "  jmp _start\n"
        ".size kubesim_oci_entry, .-kubesim_oci_entry\n");
#elif defined(__aarch64__)
// x0 is for _start.
__asm__(".text\n"
        ".globl kubesim_oci_entry\n"
        ".type kubesim_oci_entry, %function\n"
        "kubesim_oci_entry:\n"
        "  stp x0, x30, [sp, #-16]!\n"
        "  add x0, sp, #16\n"
        "  bl kubesim_oci_enter\n"
        "  ldp x0, x30, [sp], #16\n"
        "  b _start\n"
        ".size kubesim_oci_entry, .-kubesim_oci_entry\n");
#else
#error "the entry of kubesim-oci is written for x86_64 and aarch64"
#endif

#define BARE __attribute__((no_builtin, no_stack_protector, no_sanitize("all")))

BARE static long call(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
#endif
}

/// Comes back when the program runs from a read-only mount already, or can't.
BARE static void start_from_readonly(char **argv, char **envp) {
    static const char own[] = "/proc/self/exe";
    enum { read_only = 1, open_tree_clone = 1, attribute_read_only = 1, no_set_id = 2, no_devices = 4, propagation_private = 0x40000 };
    enum { open_tree_number = 428, mount_setattr_number = 442 };
    struct statfs info;
    if (call(SYS_statfs, (long)own, (long)&info, 0, 0, 0) < 0 || (info.f_flags & read_only)) return;
    long tree = call(open_tree_number, AT_FDCWD, (long)own, open_tree_clone | O_CLOEXEC, 0, 0);
    if (tree < 0) return;
    unsigned long attributes[4] = {attribute_read_only | no_set_id | no_devices, 0, propagation_private, 0};
    if (call(mount_setattr_number, tree, (long)"", AT_EMPTY_PATH, (long)attributes, sizeof(attributes)) == 0) {
        call(SYS_execveat, tree, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
    }
    call(SYS_close, tree, 0, 0, 0, 0);
}

BARE static int is_same(const char *one, const char *other) {
    while (*one && *one == *other) one++, other++;
    return *one == *other;
}

BARE static const char *command(intptr_t argc, char **argv) {
    static const char with_value[][12] = {"root", "log", "log-format", "rootless", "criu"};
    for (intptr_t i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-') return word;
        while (*word == '-') word++;
        for (unsigned n = 0; n < sizeof(with_value) / sizeof(with_value[0]); n++) {
            if (is_same(word, with_value[n])) i++;
        }
    }
    return "";
}

/// - Parameter stack: as the kernel left it: the count of the arguments, they, a null pointer, the environment.
BARE __attribute__((used)) void kubesim_oci_enter(intptr_t *stack) {
    static const char entering[][8] = {"create", "run", "exec", "restore"};
    startup_argc = (int)stack[0];
    startup_argv = (char **)(stack + 1);
    const char *word = command(stack[0], startup_argv);
    for (unsigned n = 0; n < sizeof(entering) / sizeof(entering[0]); n++) {
        if (is_same(word, entering[n])) startup_enters = 1;
    }
    if (startup_enters) start_from_readonly(startup_argv, startup_argv + stack[0] + 1);
}
