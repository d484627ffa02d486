#!/usr/bin/env python3
"""From manifest to process: how long a node of ours takes, and what it costs while idle.

Starts `bin/kubesim node --ephemeral` on a root of its own, waits until the busybox sample is imported, and then
  1. drops PODS manifests one at a time, each measured from the rename into the directory to the moment the container's
     first instruction has left its mark (the mark's mtime, so nothing is polled while it is measured),
  2. drops PODS manifests at once,
  3. leaves the node alone and reads what it costs.
Percentiles are over PODS samples; wall time is noisy on a busy machine: look at the ratios over time, not at one run.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KUBESIM = os.path.join(REPOSITORY, "bin", "kubesim")
PODS = int(os.environ.get("PODS", "50"))
IDLE_SECONDS = int(os.environ.get("IDLE_SECONDS", "10"))

MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: mark
      image: localhost/busybox:latest
      command: [sh, -c, ": > /marks/{name}; exec sleep 100000"]
      volumeMounts: [{{name: marks, mountPath: /marks}}]
  volumes: [{{name: marks, hostPath: {{path: {marks}, type: Directory}}}}]
"""


class Node:
    def __init__(self, scratch):
        self.root = os.path.join(scratch, "node")
        self.marks = os.path.join(scratch, "marks")
        self.manifests = os.path.join(self.root, "manifests")
        self.log = open(os.path.join(scratch, "node.log"), "w+")
        os.makedirs(self.marks)
        os.makedirs(self.manifests)
        os.makedirs(os.path.join(self.root, "images"))
        shutil.copy(os.path.join(REPOSITORY, "rootfs-samples/out/busybox.tar"), os.path.join(self.root, "images"))
        config = os.path.join(scratch, "kubesim.yaml")
        confdir = os.path.join(scratch, "cni")
        os.makedirs(confdir)
        with open(config, "w") as file:
            file.write(f"cniConfDir: {confdir}\n")
        self.process = subprocess.Popen(
            [KUBESIM, "node", "--root", self.root, "--config", config, "--ephemeral", "--log-level", "warning"],
            stdout=self.log, stderr=self.log)
        self.wait(lambda: "busybox" in self.crictl("images"), "the busybox sample is imported")

    def crictl(self, *words):
        return subprocess.run(
            [KUBESIM, "crictl", "--runtime-endpoint", f"unix://{self.root}/kubesim.sock", *words],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout

    def wait(self, condition, what, limit=120):
        deadline = time.monotonic() + limit
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                sys.exit(f"bench: waited in vain until {what}; the node said:\n{self.log.read()[-4000:]}")
            time.sleep(0.02)

    def drop(self, name):
        """Renames a whole manifest into the directory; returns the moment before."""
        beside = os.path.join(os.path.dirname(self.marks), name + ".tmp")
        with open(beside, "w") as file:
            file.write(MANIFEST.format(name=name, marks=self.marks))
        before = time.time_ns()
        os.rename(beside, os.path.join(self.manifests, name + ".yaml"))
        return before

    def started(self, name):
        try:
            return os.stat(os.path.join(self.marks, name)).st_mtime_ns
        except FileNotFoundError:
            return None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=180)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def report(title, milliseconds):
    print(f"  {title:34} p50 {percentile(milliseconds, 0.5):7.0f} ms   p99 {percentile(milliseconds, 0.99):7.0f} ms"
          f"   max {max(milliseconds):7.0f} ms   ({len(milliseconds)} pods)")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_megabytes(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return 0.0


def shims(root):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                line = file.read()
        except OSError:
            continue
        if "kubesim-shim" in line and root in line:
            found.append(int(pid))
    return found


def main():
    scratch = tempfile.mkdtemp(prefix="kubesim-bench-")
    node = Node(scratch)
    try:
        print(f"manifest dropped -> process running (image there, {PODS} pods)")
        one_at_a_time = []
        for index in range(PODS):
            name = f"one{index}"
            before = node.drop(name)
            node.wait(lambda: node.started(name), f"{name} runs")
            one_at_a_time.append((node.started(name) - before) / 1e6)
        report("one at a time", one_at_a_time)

        dropped = {f"many{index}": None for index in range(PODS)}
        for name in dropped:
            dropped[name] = node.drop(name)
        node.wait(lambda: all(map(node.started, dropped)), "all of them run")
        report("all at once", [(node.started(name) - before) / 1e6 for name, before in dropped.items()])

        helpers = shims(node.root)
        before = sum(map(cpu_seconds, [node.process.pid, *helpers]))
        time.sleep(IDLE_SECONDS)
        spent = sum(map(cpu_seconds, [node.process.pid, *helpers])) - before
        print(f"idle with {len(helpers)} pods")
        print(f"  {'CPU of node and shims':34} {100 * spent / IDLE_SECONDS:6.2f} % of a core over {IDLE_SECONDS} s")
        print(f"  {'memory (PSS) of the node':34} {pss_megabytes(node.process.pid):6.1f} MB")
        if helpers:
            each = sum(map(pss_megabytes, helpers)) / len(helpers)
            print(f"  {'memory (PSS) of each shim':34} {each:6.2f} MB")
    finally:
        if node.process.poll() is None:
            node.stop()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("bench: needs root")
    main()
