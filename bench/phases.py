#!/usr/bin/env python3
"""Where the time of one `run` of /bin/true goes in kubesim-oci, phase by phase.

The kernel's own trace of system calls (raw_syscalls, a fraction of a microsecond a call) gives each process's timeline; one
run under strace gives the arguments, by which each call belongs to a phase. The time before a call, in which the program
itself computes and faults its pages in, goes to the call's phase. Calls that wait for another process count nothing.
"""

import argparse
import difflib
import glob
import os
import re
import statistics
import subprocess
import sys

import oci

TRACING = "/sys/kernel/tracing"
EXECVE, EXIT, EXIT_GROUP = 59, 60, 231
MOUNTS = {"mount", "umount2", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "mount_setattr", "pivot_root", "mknodat"}
NAMESPACES = {"clone", "clone3", "unshare", "setns", "sethostname", "setdomainname"}
PROCESS = {"capset", "setgroups", "setresuid", "setresgid", "setuid", "setgid", "keyctl", "close_range", "setsid", "chdir"}
WAITS = {"wait4", "waitid", "epoll_wait", "epoll_pwait", "ppoll", "poll", "recvmsg", "recvfrom", "flock", "pause"}
PHASES = ["start-up", "config", "state", "cgroup", "namespaces", "mounts", "seccomp", "process, exec", "/bin/true", "clean-up"]


def phase(name, arguments, current, child, rootfs):
    """The phase of a call, by its name and arguments; one that says nothing belongs where the last one did."""
    if name == "execve" and not child or name == "execveat":
        return "start-up"
    if name == "execve":
        return "process, exec"
    if name == "seccomp" or "PR_SET_SECCOMP" in arguments or "/@seccomp" in arguments:
        return "seccomp"
    if rootfs in arguments or child and name in MOUNTS:
        return "mounts"
    if name in NAMESPACES or "id_map" in arguments:
        return "namespaces"
    if "/sys/fs/cgroup" in arguments or "mountinfo" in arguments:
        return "clean-up" if name in ("rmdir", "unlinkat") else "cgroup"
    if "/config.json" in arguments and "O_WRONLY" not in arguments:
        return "config"
    if name in PROCESS or child and ("PR_CAP" in arguments or name == "prlimit64"):
        return "process, exec"
    if name in ("unlinkat", "rmdir"):
        return "clean-up"
    if "/state/" in arguments and current in ("config", "cgroup"):
        return "state"
    return current


def names_of_calls():
    header = "/usr/include/%s-linux-gnu/asm/unistd_64.h" % os.uname().machine
    with open(header) as file:
        return {int(number): name for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)", file.read())}


def labelled(command, scratch, rootfs):
    """For each process of one run, in the order of their birth: its calls as (name, phase)."""
    prefix = os.path.join(scratch, "strace")
    null = subprocess.DEVNULL
    subprocess.run(["strace", "-ff", "-y", "-s", "256", "-ttt", "-o", prefix, *command], check=True, stdin=null, stdout=null)
    processes = []
    for path in glob.glob(prefix + ".*"):
        with open(path, errors="replace") as file:
            lines = [re.match(r"(\S+) (\w+)\((.*)", line) for line in file]
        os.unlink(path)
        processes.append([found.groups() for found in lines if found])
    processes.sort(key=lambda calls: calls[0][0])
    result = []
    for number, calls in enumerate(processes):
        current, own = ("start-up" if number == 0 else "namespaces"), []
        for _, name, arguments in calls:
            if current == "process, exec" and number and own and own[-1][0] == "execve":
                current = "/bin/true"
            current = current if current == "/bin/true" else phase(name, arguments, current, number > 0, rootfs)
            own.append((name, current))
        result.append(own)
    return result


class Trace:
    """An instance of the kernel's tracer that follows one program and its children."""

    def __init__(self):
        if not os.path.isdir(TRACING + "/instances"):
            subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACING], check=True)
        self.folder = TRACING + "/instances/kubesim-%d" % os.getpid()
        os.mkdir(self.folder)
        self.set("trace_clock", "mono")
        self.set("buffer_size_kb", "4096")
        self.set("options/event-fork", "1")

    def set(self, name, value):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(value)

    def run(self, command):
        """The timeline of each process, in the order of their birth: (call's number, begin, end) in seconds."""
        self.set("trace", "")
        null = subprocess.DEVNULL
        # A shell that becomes the program when the trace is ready for it.
        script = ["/bin/sh", "-c", 'read go; exec "$@" </dev/null', "sh", *command]
        with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=null) as program:
            self.set("set_event_pid", str(program.pid))
            self.set("events/raw_syscalls/enable", "1")
            program.communicate(b"go\n")
        self.set("events/raw_syscalls/enable", "0")
        if program.returncode != 0:
            raise RuntimeError("%s: exit code %d" % (" ".join(command), program.returncode))
        begun, timelines = {}, {}
        with open(os.path.join(self.folder, "trace")) as file:
            for line in file:
                found = re.match(r"\s*.+?-(\d+)\s+\[\d+\]\s+\S+\s+([\d.]+): sys_(enter|exit): NR (-?\d+)", line)
                if not found:
                    continue
                pid, when, kind, number = int(found[1]), float(found[2]), found[3], int(found[4])
                if kind == "enter":
                    begun[pid] = (number, when)
                    if number in (EXIT, EXIT_GROUP):
                        timelines.setdefault(pid, []).append((number, when, when))
                elif pid in begun and number == begun[pid][0]:
                    timelines.setdefault(pid, []).append((number, begun[pid][1], when))
        ordered = [timelines[pid] for pid in sorted(timelines, key=lambda pid: timelines[pid][0][1])]
        execve = next(index for index, (number, _, _) in enumerate(ordered[0]) if number == EXECVE)
        return [ordered[0][execve:], *ordered[1:]]

    def close(self):
        self.set("events/raw_syscalls/enable", "0")
        os.rmdir(self.folder)


def measured(timelines, labels, names):
    """Milliseconds of each phase, waiting left out, of all processes together; and the calls of each phase."""
    spent, calls = dict.fromkeys(PHASES, 0.0), dict.fromkeys(PHASES, 0)
    for timeline, own in zip(timelines, labels):
        here = [names.get(number, "?") for number, _, _ in timeline]
        matcher = difflib.SequenceMatcher(None, here, [name for name, _ in own], autojunk=False)
        phases = {}
        for block in matcher.get_matching_blocks():
            for step in range(block.size):
                phases[block.a + step] = own[block.b + step][1]
        last, current = timeline[0][1], own[0][1]
        for index, (number, begin, end) in enumerate(timeline):
            current = phases.get(index, current)
            took = (begin - last) + (0 if names.get(number) in WAITS else end - begin)
            spent[current] += took * 1000
            calls[current] += 1
            last = end
    return spent, calls


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--kubesim", default=os.path.join(oci.HERE, "..", "bin", "kubesim-oci"), help="the program to measure")
    options = parser.parse_args()
    oci.private_mounts()
    scratch = oci.on_tmpfs("kubesim-phases-")
    trace, names = Trace(), names_of_calls()
    try:
        for title, profile in (("default spec", False), ("with a profile of 400 calls", True)):
            folder = os.path.join(scratch, "filtered" if profile else "plain")
            runtime = oci.Runtime("kubesim-oci", os.path.abspath(options.kubesim), os.path.join(scratch, "state"))
            oci.bundle(runtime.program, folder, profile)
            command = runtime.command("run", "--bundle", folder, "phases")
            runtime.must("run", "--bundle", folder, "warm")
            labels = labelled(command, scratch, folder + "/rootfs")
            columns = []
            for _ in range(options.runs):
                spent, calls = measured(trace.run(command), labels, names)
                columns.append(spent)
            print("%s (%d runs)%s ms  system calls" % (title, options.runs, " " * (30 - len(title))))
            for name in PHASES:
                if calls[name]:
                    print("  %-36s %6.2f %13d" % (name, statistics.median(column[name] for column in columns), calls[name]))
            total = statistics.median(sum(column.values()) for column in columns)
            print("  %-36s %6.2f %13d\n" % ("all", total, sum(calls.values())))
    finally:
        trace.close()
        subprocess.run(["umount", scratch], check=True)
        os.rmdir(scratch)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
