#!/usr/bin/env python3
"""Measures `kubesim cri` beside containerd, in one run and turn by turn.

Every runtime gets the same client (Google's gRPC for Python), CNI configuration, images, mount and network namespace, in
which no cgroup2 is mounted beside v1 (crun refuses such a host), and none lowers an oom_score_adj. Pods are measured once
more with kubesim's own network, which it makes up on a host that has no CNI configuration. Wall is the caller's;
CPU is of everything in the runtime's cgroup: the daemon, its helpers, OCI runtimes, network plugins and containers. A ratio
is kubesim's figure over the other's: below 1 is better. `make bench-cri` runs this with Debian's containerd, runc and crun.
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from cri_images import bench_images
from cri_servers import Containerd, Kubesim, found, m, pss

CNI = {
    "cniVersion": "0.4.0", "name": "bench",
    "plugins": [
        {"type": "bridge", "bridge": "bench0", "isGateway": True, "ipMasq": True, "hairpinMode": True,
         "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.77.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}
CASES = ("pods", "containers", "exec", "list", "images", "memory")
LISTED = (1, 100, 500)
# kubesim with the network that it makes up where /etc/cni/net.d has none.
OWN_NETWORK = "kubesim/own-network"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50, help="cycles of each runtime (default 50)")
    parser.add_argument("--only", help=f"of {', '.join(CASES)}, separated by commas")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=CONTAINERD:RUNTIME",
                        help="another containerd, with the OCI runtime that it is to use (two paths)")
    parser.add_argument("--kubesim-also", action="append", default=[], metavar="NAME=DIRECTORY",
                        help="another build of kubesim")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="a runtime to leave out")
    parser.add_argument("--memory-pods", default="0,50,200", help="pods to measure memory with (default 0,50,200)")
    parser.add_argument("--json", help="also write the figures to this file")
    return parser.parse_args()


def private_namespaces():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000 | 0x40000000) != 0:  # CLONE_NEWNS, CLONE_NEWNET
        sys.exit("unshare: " + os.strerror(ctypes.get_errno()) + " (run this as root)")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    if os.path.ismount("/sys/fs/cgroup/unified"):
        subprocess.run(["umount", "/sys/fs/cgroup/unified"], check=True)
    # What the names of network namespaces and CNI results are kept in, of this run alone.
    for directory in ("/run/netns", "/var/lib/cni"):
        os.makedirs(directory, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", directory], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # The helpers of pods that outlive their daemon come here.
    libc.prctl(36, 1, 0, 0, 0)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


class Samples:
    """Wall and CPU of each call and each whole cycle, of one runtime."""

    def __init__(self, server):
        self.server, self.taken = server, {}

    def measure(self, name, call):
        cpu, wall = self.server.cgroup.milliseconds(), time.perf_counter()
        result = call()
        wall = (time.perf_counter() - wall) * 1000
        cpu = self.server.cgroup.milliseconds() - cpu
        self.taken.setdefault(name, []).append((wall, cpu))
        return result

    def cycled(self, name, body):
        self.measure(name, lambda: body(self))

    def figures(self):
        return {
            name: {
                "wall": percentile([w for w, _ in taken], 0.5), "wall p99": percentile([w for w, _ in taken], 0.99),
                "CPU": percentile([c for _, c in taken], 0.5), "CPU p99": percentile([c for _, c in taken], 0.99),
            } for name, taken in self.taken.items()}


def pod_cycle(samples):
    server, config = samples.server, samples.server.pod_config()
    pod, _ = samples.measure("RunPodSandbox", lambda: server.run_pod(config))
    samples.measure("StopPodSandbox", lambda: server.stop_pod(pod))
    request = m.RemovePodSandboxRequest(pod_sandbox_id=pod)
    samples.measure("RemovePodSandbox", lambda: server.cri.RemovePodSandbox(request, timeout=120))


def container_cycle(samples, pod, config):
    server = samples.server
    container = samples.measure("CreateContainer", lambda: server.create(pod, config))
    samples.measure("StartContainer", lambda: server.start_container(container))
    stop = m.StopContainerRequest(container_id=container, timeout=0)
    samples.measure("StopContainer", lambda: server.cri.StopContainer(stop, timeout=120))
    remove = m.RemoveContainerRequest(container_id=container)
    samples.measure("RemoveContainer", lambda: server.cri.RemoveContainer(remove, timeout=120))


def interleaved(servers, runs, one):
    """`one(samples)` of each runtime in turn, `runs` times, after one that doesn't count."""
    all_samples = [Samples(server) for server in servers]
    for server in servers:
        one(Samples(server))
    for _ in range(runs):
        for samples in all_samples:
            one(samples)
    return {samples.server.name: samples.figures() for samples in all_samples}


def bench_pods(servers, runs):
    return interleaved(servers, runs, lambda samples: samples.cycled("pod cycle", pod_cycle))


def bench_plugins(runs):
    """What the network plugins of a pod take by themselves: no runtime can be faster that runs all of them."""
    taken = {"ADD": [], "DEL": []}
    for number in range(runs):
        name = f"bench-plugins-{number}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        result = None
        for verb, plugins in (("ADD", CNI["plugins"]), ("DEL", CNI["plugins"][::-1])):
            environment = dict(
                os.environ, CNI_COMMAND=verb, CNI_CONTAINERID=name, CNI_NETNS=f"/run/netns/{name}", CNI_IFNAME="eth0",
                CNI_PATH="/usr/lib/cni")
            wall, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            for plugin in plugins:
                config = {"cniVersion": CNI["cniVersion"], "name": CNI["name"], **plugin}
                if result:
                    config["prevResult"] = result
                said = subprocess.run([f"/usr/lib/cni/{plugin['type']}"], input=json.dumps(config).encode(),
                                      env=environment, stdout=subprocess.PIPE, check=True).stdout
                result = json.loads(said) if verb == "ADD" else result
            now = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
            taken[verb].append(((time.perf_counter() - wall) * 1000, cpu * 1000))
        subprocess.run(["ip", "netns", "delete", name], check=True)
    print("\nCNI plugins alone")
    for verb, samples in taken.items():
        wall, cpu = ([sample[part] for sample in samples] for part in (0, 1))
        print(f"  {verb:26} {percentile(wall, 0.5):8.2f} {percentile(wall, 0.99):8.2f} {percentile(cpu, 0.5):8.2f}"
              f" {percentile(cpu, 0.99):8.2f}", flush=True)


def bench_containers(servers, runs):
    pods = {server.name: server.run_pod() for server in servers}

    def one(samples):
        samples.cycled("container cycle", lambda s: container_cycle(s, *pods[s.server.name]))

    figures = interleaved(servers, runs, one)
    for server in servers:
        server.remove_pod(pods[server.name][0])
    return figures


def bench_exec(servers, runs):
    requests, pods = {}, {}
    for server in servers:
        pods[server.name], config = server.run_pod()
        container = server.create(pods[server.name], config)
        server.start_container(container)
        requests[server.name] = m.ExecSyncRequest(container_id=container, cmd=["true"], timeout=10)

    def one(samples):
        answer = samples.measure(
            "ExecSync", lambda: samples.server.cri.ExecSync(requests[samples.server.name], timeout=60))
        assert answer.exit_code == 0, answer

    figures = interleaved(servers, runs, one)
    for server in servers:
        server.remove_pod(pods[server.name])
    return figures


def one_of_each(servers):
    """One containerd of each version, where the OCI runtime has no part in what is measured."""
    chosen = {}
    for server in servers:
        chosen.setdefault(server.program, server)
    return list(chosen.values())


def bench_list(servers, runs):
    chosen = one_of_each(servers)
    pods = {server.name: server.run_pod() for server in chosen}
    figures = {server.name: {} for server in chosen}
    there = 0
    for count in LISTED:
        for server in chosen:
            for index in range(there, count):
                server.create(*pods[server.name], name=f"c{index}")
        there = count

        def one(samples, name=f"ListContainers of {count}"):
            listed = samples.measure(
                name, lambda: samples.server.cri.ListContainers(m.ListContainersRequest(), timeout=60))
            assert len(listed.containers) == count

        for name, taken in interleaved(chosen, runs, one).items():
            figures[name].update(taken)
    for server in chosen:
        server.remove_pod(pods[server.name][0])
    return figures


def bench_memory(servers, counts):
    print(f"\n{'memory (PSS), MB':28}" + "".join(f"{f'{count} pods':>10} {'each helper':>12}" for count in counts))
    figures = {}
    for server in servers:
        figures[server.name], cells, there = {}, "", 0
        for count in counts:
            for _ in range(there, count):
                pod, config = server.run_pod()
                server.start_container(server.create(pod, config))
            there = count
            helpers = [pss(pid) for pid in server.helpers()]
            each = sum(helpers) / len(helpers) if helpers else 0.0
            daemon = pss(server.process.pid)
            figures[server.name][count] = {"daemon": daemon, "helper": each}
            cells += f"{daemon:10.1f} {each:12.2f}"
        print(f"  {server.name:26}" + cells, flush=True)
        for pod in server.cri.ListPodSandbox(m.ListPodSandboxRequest(), timeout=60).items:
            server.remove_pod(pod.id)
    return figures


def show(figures, our="kubesim"):
    ours = figures[our]
    for case in ours:
        print(f"\n{case:28} {'wall ms':>8} {'p99':>8} {'CPU ms':>8} {'p99':>8}   {our} : this")
        for name, of_server in figures.items():
            if case not in of_server:
                continue
            values = of_server[case]
            line = f"  {name:26}" + "".join(f" {values[key]:8.2f}" for key in values)
            if name != our:
                line += "   " + "".join(f" {ours[case][key] / max(values[key], 1e-9):7.2f}" for key in values)
            print(line)
    sys.stdout.flush()


def servers_of(options, scratch, cni):
    made = []
    try:
        made.append(Kubesim(scratch, cni))
        for pair in options.kubesim_also:
            name, directory = pair.split("=", 1)
            made.append(Kubesim(scratch, cni, name, directory))
        containerd = found("containerd")
        for runtime in ("runc", "crun"):
            name = f"containerd/{runtime}"
            if containerd and found(runtime) and name not in options.without:
                made.append(Containerd(scratch, cni, name, containerd, found(runtime)))
        for pair in options.also:
            name, programs = pair.split("=", 1)
            made.append(Containerd(scratch, cni, name, *programs.split(":", 1)))
    except BaseException:
        for server in made:
            server.stop()
        raise
    return made


def main():
    options = parse()
    wanted = options.only.split(",") if options.only else CASES
    private_namespaces()
    scratch = tempfile.mkdtemp(prefix="kubesim-bench-cri-")
    figures, servers = {}, []
    try:
        cni = os.path.join(scratch, "cni")
        os.makedirs(cni)
        with open(os.path.join(cni, "10-bench.conflist"), "w") as file:
            json.dump(CNI, file)
        servers = servers_of(options, scratch, cni)
        for server in servers:
            print(f"{server.name:28} {server.version()}")
        if "pods" in wanted:
            own = Kubesim(scratch, os.path.join(scratch, "none"), OWN_NETWORK)
            servers.append(own)
            part = bench_pods(servers, options.runs)
            servers.remove(own)
            own.stop()
            show(part)
            show({name: {"pod cycle": taken["pod cycle"]} for name, taken in part.items()}, OWN_NETWORK)
            figures.update(part)
            bench_plugins(options.runs)
        for name, bench in (("containers", bench_containers), ("exec", bench_exec),
                            ("list", bench_list)):
            if name in wanted:
                part = bench(servers, options.runs)
                show(part)
                for server, taken in part.items():
                    figures.setdefault(server, {}).update(taken)
        if "images" in wanted:
            part = bench_images(interleaved, one_of_each(servers), scratch, max(1, options.runs // 10))
            show(part)
            for server, taken in part.items():
                figures.setdefault(server, {}).update(taken)
        if "memory" in wanted:
            figures["memory"] = bench_memory(servers, [int(count) for count in options.memory_pods.split(",")])
    finally:
        for server in servers:
            server.stop()
        for mount in reversed([line.split()[4] for line in open("/proc/self/mountinfo") if f" {scratch}/" in line]):
            subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(scratch, ignore_errors=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("bench: needs root")
    main()
