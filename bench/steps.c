/* steps ADDRESSES PROGRAM ARGUMENT...: tells which functions of a program are run. ADDRESSES is a file with the functions'
 * addresses, hexadecimal, a line each. A breakpoint (int3) is put on every one of them in the program and whatever it starts
 * (ptrace(2)), taken away when it is hit, and printed as "GENERATION ADDRESS": generation 0 is the program, 1 what it started,
 * which is followed until it becomes another program. What the program ran before it started another isn't told of that once
 * more. Each function stops the program once: milliseconds, where single steps would take minutes in a virtual machine. */

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Addresses below this, where a static executable that isn't position-independent lies. */
enum { highest = 1 << 25, breakpoint = 0xCC };
static unsigned char wanted[highest], own[highest];
static unsigned long low = highest, high;

static int read_addresses(const char *path) {
    FILE *file = fopen(path, "r");
    unsigned long address;
    if (!file) return -1;
    while (fscanf(file, "%lx", &address) == 1) {
        if (address >= highest) continue;
        wanted[address] = 1;
        if (address < low) low = address;
        if (address >= high) high = address + 1;
    }
    fclose(file);
    return high > low ? 0 : -1;
}

/* Puts a breakpoint on every function; the program has just been executed. */
static int arm(pid_t program) {
    static unsigned char text[highest];
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/mem", program);
    int memory = open(path, O_RDWR | O_CLOEXEC);
    if (memory < 0) return -1;
    ssize_t length = (ssize_t)(high - low);
    int done = pread(memory, own + low, (size_t)length, (off_t)low) == length;
    for (unsigned long address = low; address < high; address++) {
        text[address] = wanted[address] ? breakpoint : own[address];
    }
    done = done && pwrite(memory, text + low, (size_t)length, (off_t)low) == length;
    close(memory);
    return done ? 0 : -1;
}

/* Takes the breakpoint away that a process stands behind, and tells of it. Returns whether there was one. */
static int hit(pid_t process, int generation) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, process, 0, &registers) != 0) return 0;
    unsigned long address = registers.rip - 1;
    if (address >= highest || !wanted[address]) return 0;
    long word = ptrace(PTRACE_PEEKTEXT, process, address, 0);
    if ((word & 0xFF) == breakpoint) {
        ptrace(PTRACE_POKETEXT, process, address, (word & ~0xFFL) | own[address]);
        printf("%d %lx\n", generation, address);
    }
    registers.rip = address;
    ptrace(PTRACE_SETREGS, process, 0, &registers);
    return 1;
}

int main(int count, char **arguments) {
    if (count < 3 || read_addresses(arguments[1]) < 0) return 2;
    pid_t program = fork();
    if (program == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        // What is printed belongs to this program alone.
        close(1);
        execv(arguments[2], arguments + 2);
        _exit(127);
    }
    int status;
    if (program < 0 || waitpid(program, &status, __WALL) != program) return 1;
    long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    ptrace(PTRACE_SETOPTIONS, program, 0, options);
    ptrace(PTRACE_CONT, program, 0, 0);
    for (;;) {
        pid_t stopped = waitpid(-1, &status, __WALL);
        if (stopped < 0) return 1;
        if (stopped == program && !WIFSTOPPED(status)) {
            return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
        if (!WIFSTOPPED(status)) continue;
        int generation = stopped != program, signal = WSTOPSIG(status);
        if (status >> 16 == PTRACE_EVENT_EXEC) {
            if (generation > 0) {
                ptrace(PTRACE_DETACH, stopped, 0, 0);
                continue;
            }
            if (arm(program) < 0) return 1;
        }
        int isOurs = status >> 16 != 0 || (signal == SIGTRAP && hit(stopped, generation));
        // A new process begins with a stop of its own.
        ptrace(PTRACE_CONT, stopped, 0, isOurs || signal == SIGSTOP ? 0 : signal);
    }
}
