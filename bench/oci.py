#!/usr/bin/env python3
"""Runs kubesim-oci, crun and runc in turn and prints wall time, CPU and peak memory of each, as medians.

Every runtime gets the same bundles in the same private mount namespace. crun refuses a hybrid host, so the unified mount is
taken out of that namespace for all of them. CPU is user + system of the runtime and of everything that it waited for
(wait4(2)); memory is the largest process of them. A ratio is kubesim-oci's figure over the other's: below 1 is better.
"""

import argparse
import ctypes
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MEASURED = None
# What a usual default profile keeps from a container.
KEPT_BACK = """acct add_key bpf clock_adjtime clock_settime create_module delete_module finit_module fsconfig fsmount fsopen
fspick get_kernel_syms get_mempolicy init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind mount
mount_setattr move_mount move_pages name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open pivot_root
process_vm_readv process_vm_writev ptrace query_module quotactl reboot request_key set_mempolicy setns settimeofday stime
swapon swapoff sysfs _sysctl umount umount2 unshare uselib userfaultfd ustat vm86 vm86old""".split()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="runs of each runtime and case (default 100)")
    parser.add_argument("--kubesim", default=os.path.join(HERE, "..", "bin", "kubesim-oci"), help="the program to measure")
    parser.add_argument("--lives", type=int, default=500, help="lives of each runtime in the case of that name (default 500)")
    parser.add_argument("--also", action="append", default=[], help="NAME=PROGRAM: another runtime to run beside them")
    parser.add_argument("--only", help="cases by name, separated by commas")
    parser.add_argument("--json", help="also write the figures to this file")
    return parser.parse_args()


def private_mounts():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) != 0:
        sys.exit("unshare: " + os.strerror(ctypes.get_errno()) + " (run this as root)")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    if os.path.ismount("/sys/fs/cgroup/unified"):
        subprocess.run(["umount", "/sys/fs/cgroup/unified"], check=True)


def on_tmpfs(prefix):
    """A directory that is a tmpfs, as /run is, where runtimes keep their state: no disk is measured."""
    scratch = tempfile.mkdtemp(prefix=prefix)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", scratch], check=True)
    return scratch


def system_calls():
    header = "/usr/include/%s-linux-gnu/asm/unistd_64.h" % platform.machine()
    if not os.path.exists(header):
        header = "/usr/include/asm-generic/unistd.h"
    with open(header) as file:
        names = re.findall(r"#define __NR(?:3264)?_(\w+)\s", file.read())
    return sorted(set(names) - set(KEPT_BACK))


def seccomp():
    architectures = {"x86_64": ["X86_64", "X86", "X32"], "aarch64": ["AARCH64", "ARM"]}.get(platform.machine(), [])
    values = [0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF]
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "architectures": ["SCMP_ARCH_" + name for name in architectures],
        "syscalls": [{"names": [n for n in system_calls() if n != "personality"], "action": "SCMP_ACT_ALLOW"}]
        + [
            {
                "names": ["personality"],
                "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}],
            }
            for value in values
        ],
    }


def bundle(kubesim, folder, profile):
    rootfs = os.path.join(folder, "rootfs")
    os.makedirs(os.path.join(rootfs, "bin"))
    for name in ["proc", "dev", "sys", "tmp", "etc"]:
        os.mkdir(os.path.join(rootfs, name))
    shutil.copy("/bin/busybox", os.path.join(rootfs, "bin", "busybox"))
    for name in ["true", "sleep"]:
        os.symlink("busybox", os.path.join(rootfs, "bin", name))
    subprocess.run([kubesim, "spec", "--bundle", folder], check=True)
    path = os.path.join(folder, "config.json")
    with open(path) as file:
        config = json.load(file)
    # The oldest runtime here is the measure of what all of them understand.
    config["ociVersion"] = "1.0.2"
    config["process"]["terminal"] = False
    config["process"]["args"] = ["/bin/true"]
    if profile:
        config["linux"]["seccomp"] = seccomp()
    with open(path, "w") as file:
        json.dump(config, file, indent=1)


def with_arguments(source, folder, arguments):
    os.mkdir(folder)
    with open(os.path.join(source, "config.json")) as file:
        config = json.load(file)
    config["root"]["path"] = os.path.join(source, "rootfs")
    config["process"]["args"] = arguments
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file)


class Runtime:
    def __init__(self, name, program, state):
        self.name, self.program, self.state = name, program, os.path.join(state, name)

    def command(self, *words):
        return [self.program, "--root", self.state, *words]

    def measure(self, *words):
        """Wall and CPU in milliseconds, peak memory in MiB."""
        said = subprocess.run([MEASURED, *self.command(*words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
        wall, cpu, memory, status = map(int, said.stdout.split())
        if status != 0:
            raise RuntimeError("%s %s: wait status %d" % (self.name, " ".join(words), status))
        return wall / 1000, cpu / 1000, memory / 1024

    def quiet(self, *words):
        null = subprocess.DEVNULL
        return subprocess.run(self.command(*words), stdin=null, stdout=null, stderr=null).returncode

    def must(self, *words):
        if self.quiet(*words) != 0:
            raise RuntimeError("%s %s failed" % (self.name, " ".join(words)))

    def version(self):
        said = subprocess.run([self.program, "--version"], stdout=subprocess.PIPE, text=True).stdout
        return said.splitlines()[0] if said else "?"


def case_run(folder):
    def one(runtime, number):
        return runtime.measure("run", "--bundle", folder, "%s-%d" % (runtime.name, number))

    return one


def case_life(folder, verb):
    """One verb of a container's life, measured alone."""

    def one(runtime, number):
        name = "%s-%s-%d" % (runtime.name, verb.split()[0], number)
        result = None
        for step in (
            ("create", "--bundle", folder, name),
            ("start", name),
            ("state", name),
            ("exec", name, "/bin/true"),
            ("delete", "--force", name),
        ):
            if step[0] == verb.split()[0]:
                result = runtime.measure(*step)
            elif step[0] in ("create", "start", "delete"):
                runtime.must(*step)
        return result

    return one


def case_whole_life(folder):
    """A container's whole life in three commands: what an engine pays for it."""

    def one(runtime, number):
        name = "%s-life-%d" % (runtime.name, number)
        steps = (("create", "--bundle", folder, name), ("start", name), ("delete", "--force", name))
        wall, cpu, memory = zip(*[runtime.measure(*step) for step in steps])
        return sum(wall), sum(cpu), max(memory)

    return one


class Hundred:
    """`list` with a hundred containers, which are there before the first measurement and gone after the last."""

    def __init__(self, folder, count=100):
        self.folder, self.names = folder, ["listed-%d" % number for number in range(count)]

    def __call__(self, runtime, number):
        return runtime.measure("list")

    def prepare(self, runtime):
        for name in self.names:
            runtime.must("create", "--bundle", self.folder, name)

    def clean(self, runtime):
        for name in self.names:
            runtime.quiet("delete", "--force", name)


def system_calls_of(runtime, words, scratch):
    """How many system calls one command makes, with all its processes."""
    report = os.path.join(scratch, "strace")
    command = ["strace", "-f", "-c", "-o", report, *runtime.command(*words)]
    null = subprocess.DEVNULL
    if subprocess.run(command, stdin=null, stdout=null, stderr=null).returncode != 0:
        return None
    with open(report) as file:
        # "100.00 seconds usecs/call calls errors total", the errors left out where there are none
        return int(re.search(r"^100\.00\s+\S+\s+\d+\s+(\d+)\s.*total$", file.read(), re.M).group(1))


def main():
    global MEASURED
    options = parse()
    private_mounts()
    # Children that a runtime leaves behind come here and are reaped.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    scratch = on_tmpfs("kubesim-bench-")
    try:
        MEASURED = os.path.join(scratch, "measured")
        subprocess.run(["cc", "-O2", "-static", "-o", MEASURED, os.path.join(HERE, "measured.c")], check=True)
        figures = bench(options, scratch)
    finally:
        subprocess.run(["umount", scratch], check=True)
        os.rmdir(scratch)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


def runtimes_of(options, scratch):
    found = [Runtime("kubesim-oci", os.path.abspath(options.kubesim), scratch)]
    for name in ("crun", "runc"):
        program = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if program:
            found.append(Runtime(name, program, scratch))
    return found + [Runtime(*pair.split("=", 1), scratch) for pair in options.also]


def bench(options, scratch):
    runtimes = runtimes_of(options, scratch)
    for runtime in runtimes:
        print("%-12s %s" % (runtime.name, runtime.version()))
    plain, filtered, sleeper = (os.path.join(scratch, name) for name in ("plain", "filtered", "sleeper"))
    bundle(runtimes[0].program, plain, False)
    bundle(runtimes[0].program, filtered, True)
    with_arguments(plain, sleeper, ["/bin/sleep", "1000"])
    cases = {"run": case_run(plain), "run with seccomp": case_run(filtered)}
    for verb in ("create", "start", "state", "exec", "delete --force"):
        cases[verb] = case_life(sleeper, verb)
    cases["list of 100"] = Hundred(sleeper)
    cases["life"] = case_whole_life(plain)
    wanted = options.only.split(",") if options.only else [*cases, "system calls"]
    figures = {}
    for name in cases:
        if name in wanted:
            figures[name] = interleaved(name, cases[name], runtimes, options.lives if name == "life" else options.runs)
    if figures:
        print_ratios(figures)
    if "system calls" in wanted and shutil.which("strace"):
        figures["system calls"] = print_system_calls(runtimes, plain, filtered, scratch)
    return figures


def interleaved(name, one, runtimes, runs):
    samples = {runtime.name: [] for runtime in runtimes}
    try:
        for runtime in runtimes:
            if hasattr(one, "prepare"):
                one.prepare(runtime)
            one(runtime, 0)
        for number in range(1, runs + 1):
            for runtime in runtimes:
                samples[runtime.name].append(one(runtime, number))
                reap()
    finally:
        if hasattr(one, "clean"):
            for runtime in runtimes:
                one.clean(runtime)
    title = "%s (%d)" % (name, runs)
    print("\n%-28s %8s %8s %9s" % (title, "wall ms", "CPU ms", "peak MiB"))
    result = {}
    for runtime in runtimes:
        wall, cpu, memory = (statistics.median(column) for column in zip(*samples[runtime.name]))
        result[runtime.name] = {"wall": wall, "cpu": cpu, "memory": memory}
        print("  %-26s %8.2f %8.2f %9.1f" % (runtime.name, wall, cpu, memory))
    sys.stdout.flush()
    return result


def print_ratios(figures):
    others = [name for name in next(iter(figures.values())) if name != "kubesim-oci"]
    print("\nratios, kubesim-oci : other")
    print("%-20s" % "" + "".join("  %22s" % other for other in others))
    print("%-20s" % "" + "".join("  %6s %7s %7s" % ("wall", "CPU", "memory") for _ in others))
    for case, result in figures.items():
        ours = result["kubesim-oci"]
        cells = ["  %6.2f %7.2f %7.2f" % tuple(ours[key] / result[other][key] for key in ("wall", "cpu", "memory"))
                 for other in others]
        print("%-20s" % case + "".join(cells))


def print_system_calls(runtimes, plain, filtered, scratch):
    print("\nsystem calls of one run, all its processes%14s %13s" % ("plain", "with seccomp"))
    result = {}
    for runtime in runtimes:
        counts = []
        for number, folder in enumerate((plain, filtered)):
            name = "%s-calls-%d" % (runtime.name, number)
            counts.append(system_calls_of(runtime, ("run", "--bundle", folder, name), scratch))
            reap()
        result[runtime.name] = {"plain": counts[0], "seccomp": counts[1]}
        print("  %-40s %13s %13s" % (runtime.name, *counts))
    return result


def reap():
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


if __name__ == "__main__":
    main()
