#!/usr/bin/env python3
"""Runs kubesim-oci, crun and runc in turn and prints wall time, CPU and peak memory of each, as medians.

Every runtime gets the same bundles in the same private mount namespace. crun refuses a hybrid host, so the unified mount is
taken out of that namespace for all of them. CPU is user + system of the runtime and of everything that it waited for
(wait4(2)); memory is the largest process of them.
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
import time

HERE = os.path.dirname(os.path.abspath(__file__))
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
    for name in ["true", "sleep", "sh"]:
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

    def measure(self, *words, allow=(0,)):
        """Wall and CPU in milliseconds, peak memory in MiB."""
        null = os.open("/dev/null", os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, null, n) for n in (0, 1)]
        begin = time.perf_counter()
        pid = os.posix_spawn(self.program, self.command(*words), os.environ, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - begin
        os.close(null)
        if os.waitstatus_to_exitcode(status) not in allow:
            raise RuntimeError("%s %s: status %d" % (self.name, " ".join(words), status))
        return wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024

    def quiet(self, *words):
        null = subprocess.DEVNULL
        return subprocess.run(self.command(*words), stdin=null, stdout=null, stderr=null).returncode


def case_run(folder):
    def one(runtime, number):
        return runtime.measure("run", "--bundle", folder, "%s-%d" % (runtime.name, number))

    return one


def case_life(folder, verb):
    """One verb of create, start, kill, delete, measured alone."""

    def one(runtime, number):
        name = "%s-%s-%d" % (runtime.name, verb, number)
        result = None
        for step in (
            ("create", "--bundle", folder, name),
            ("start", name),
            ("state", name),
            ("exec", name, "/bin/true"),
            ("delete", "--force", name),
        ):
            if step[0] == verb:
                result = runtime.measure(*step)
            elif step[0] in ("create", "start", "delete"):
                if runtime.quiet(*step) != 0:
                    raise RuntimeError("%s %s failed" % (runtime.name, " ".join(step)))
        return result

    return one


def main():
    options = parse()
    private_mounts()
    # Children that a runtime leaves behind come here and are reaped at the end.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    kubesim = os.path.abspath(options.kubesim)
    scratch = tempfile.mkdtemp(prefix="kubesim-bench-")
    try:
        figures = bench(options, kubesim, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


def bench(options, kubesim, scratch):
    runtimes = [Runtime("kubesim-oci", kubesim, scratch)]
    for name in ("crun", "runc"):
        program = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if program:
            runtimes.append(Runtime(name, program, scratch))
    plain, filtered, sleeper = (os.path.join(scratch, name) for name in ("plain", "filtered", "sleeper"))
    bundle(kubesim, plain, False)
    bundle(kubesim, filtered, True)
    with_arguments(plain, sleeper, ["/bin/sleep", "1000"])
    cases = {"run": case_run(plain), "run with seccomp": case_run(filtered)}
    for verb in ("create", "start", "state", "exec", "delete"):
        cases[verb] = case_life(sleeper, verb)
    figures = {}
    for name, one in cases.items():
        if options.only and name not in options.only.split(","):
            continue
        figures[name] = interleaved(name, one, runtimes, options.runs)
    return figures


def interleaved(name, one, runtimes, runs):
    samples = {runtime.name: [] for runtime in runtimes}
    for runtime in runtimes:
        one(runtime, 0)
    for number in range(1, runs + 1):
        for runtime in runtimes:
            samples[runtime.name].append(one(runtime, number))
            reap()
    print("%s (%d runs)%s wall ms   CPU ms   CPU ratio   peak MiB" % (name, runs, " " * max(1, 24 - len(name))))
    result = {}
    for runtime in runtimes:
        wall, cpu, memory = (statistics.median(column) for column in zip(*samples[runtime.name]))
        result[runtime.name] = {"wall": wall, "cpu": cpu, "memory": memory}
        ratio = result["kubesim-oci"]["cpu"] / cpu if cpu else float("nan")
        print("  %-30s %8.1f %8.1f %11.2f %10.1f" % (runtime.name, wall, cpu, ratio, memory))
    sys.stdout.flush()
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
