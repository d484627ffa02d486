"""The CRI runtimes that bench/cri.py measures, each started with the same network, namespace and limits."""

import contextlib
import io
import json
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(HERE)
BIN = os.environ.get("KUBESIM_BIN", os.path.join(REPOSITORY, "bin"))
sys.path.insert(0, os.path.join(REPOSITORY, "Tests", "Client"))
sys.dont_write_bytecode = True

import grpc  # noqa: E402
from stubs import Calls, connect, messages as m  # noqa: E402

BUSYBOX = "localhost/busybox:latest"
PAUSE = "localhost/bench/pause:1"
SAMPLE = os.path.join(REPOSITORY, "rootfs-samples/out/busybox.tar")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

CONTAINERD = """\
version = 2
root = "{root}/data"
state = "{root}/state"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "bench"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.bench]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.bench.options]
        BinaryName = "{runtime}"
        SystemdCgroup = false
"""


class Cgroup:
    """Everything that a runtime starts, in one cgroup: what it used is read at its top (v1's cpuacct, or v2)."""

    def __init__(self, name):
        v1 = os.path.isdir("/sys/fs/cgroup/cpuacct")
        self.name = name
        self.directory = os.path.join("/sys/fs/cgroup/cpuacct" if v1 else "/sys/fs/cgroup", name)
        self.file = os.path.join(self.directory, "cpuacct.usage" if v1 else "cpu.stat")
        self.v1 = v1
        os.makedirs(self.directory, exist_ok=True)

    def enter(self):
        with open(os.path.join(self.directory, "cgroup.procs"), "w") as file:
            file.write("0")

    def milliseconds(self):
        with open(self.file) as file:
            return int(file.read()) / 1e6 if self.v1 else int(file.readline().split()[1]) / 1e3

    def remove(self):
        tops = {mount_point(line) for line in open("/proc/self/mountinfo") if " - cgroup" in line}
        for top in tops:
            for directory, _, _ in sorted(os.walk(os.path.join(top, self.name)), reverse=True):
                with contextlib.suppress(OSError):
                    os.rmdir(directory)


def mount_point(line):
    return line.split()[4]


class Server:
    """A CRI runtime: its process, its socket, and how much it used."""

    def __init__(self, name, scratch, program, helper):
        self.name, self.program, self.helper = name, program, helper
        self.root = os.path.join(scratch, name.replace("/", "-"))
        self.socket = os.path.join(self.root, "cri.sock")
        self.cgroup = Cgroup("bench-cri-" + name.replace("/", "-").replace(" ", "-"))
        self.count = 0
        os.makedirs(self.root)
        self.log = open(os.path.join(self.root, "log"), "w+")

    def start(self, words, path=PATH):
        environment = dict(os.environ, PATH=path)
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment,
            preexec_fn=self.cgroup.enter)
        deadline = time.monotonic() + 60
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"bench: {self.name} doesn't come up:\n{self.said()}")
            if os.path.exists(self.socket):
                self.channel = connect(self.socket)
                try:
                    grpc.channel_ready_future(self.channel).result(timeout=20)
                    self.cri = Calls(self.channel)
                    self.cri.Version(m.VersionRequest(), timeout=20)
                    return
                except (grpc.RpcError, grpc.FutureTimeoutError):
                    self.channel.close()
            time.sleep(0.05)

    def said(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()[-4000:]

    def stop(self):
        for pod in self.cri.ListPodSandbox(m.ListPodSandboxRequest(), timeout=60).items:
            self.remove_pod(pod.id)
        self.channel.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        # The last container's processes may still be leaving it.
        for _ in range(50):
            self.cgroup.remove()
            if not os.path.isdir(self.cgroup.directory):
                break
            time.sleep(0.1)

    # Calls

    def pod_config(self):
        self.count += 1
        name = f"pod{self.count}"
        return m.PodSandboxConfig(
            metadata=m.PodSandboxMetadata(name=name, namespace="bench", uid=f"{self.name}-{name}", attempt=0),
            hostname=name, log_directory=os.path.join(self.root, "logs", name),
            linux=m.LinuxPodSandboxConfig(cgroup_parent=f"/{self.cgroup.name}/pods"))

    def container_config(self, name="main"):
        return m.ContainerConfig(
            metadata=m.ContainerMetadata(name=name, attempt=0), image=m.ImageSpec(image=BUSYBOX),
            command=["sleep", "100000"], log_path=f"{name}_0.log", linux=m.LinuxContainerConfig(
                resources=m.LinuxContainerResources(cpu_shares=102, memory_limit_in_bytes=128 << 20)))

    def run_pod(self, config=None):
        config = config or self.pod_config()
        os.makedirs(config.log_directory, exist_ok=True)
        return self.cri.RunPodSandbox(m.RunPodSandboxRequest(config=config), timeout=120).pod_sandbox_id, config

    def stop_pod(self, pod):
        self.cri.StopPodSandbox(m.StopPodSandboxRequest(pod_sandbox_id=pod), timeout=120)

    def remove_pod(self, pod):
        self.stop_pod(pod)
        self.cri.RemovePodSandbox(m.RemovePodSandboxRequest(pod_sandbox_id=pod), timeout=120)

    def create(self, pod, config, name="main"):
        return self.cri.CreateContainer(
            m.CreateContainerRequest(pod_sandbox_id=pod, config=self.container_config(name), sandbox_config=config),
            timeout=120).container_id

    def start_container(self, container):
        self.cri.StartContainer(m.StartContainerRequest(container_id=container), timeout=120)

    # Memory

    def helpers(self):
        """The pods' helper processes of this server."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline") as file:
                line = file.read()
                if self.helper in line.split("\0")[0] and self.root in line:
                    found.append(int(pid))
        return found


def pss(pid):
    """Megabytes: what a process has alone, and its share of what it has with others."""
    with contextlib.suppress(OSError, StopIteration), open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
    return 0.0


class Kubesim(Server):
    def __init__(self, scratch, cni, name="kubesim", directory=BIN):
        super().__init__(name, scratch, os.path.join(directory, "kubesim"), "kubesim-shim")
        config = os.path.join(self.root, "kubesim.yaml")
        with open(config, "w") as file:
            file.write(f"cniConfDir: {cni}\ncniBinDirs: [/usr/lib/cni]\n")
        self.start([self.program, "cri", "--root", self.root, "--socket", self.socket, "--config", config,
                    "--ephemeral", "--log-level", "warning"])
        self.load(SAMPLE)

    def load(self, tarball):
        subprocess.run([self.program, "image", "load", "--quiet", "--socket", self.socket, tarball], check=True,
                       stdout=subprocess.DEVNULL)

    def version(self):
        return subprocess.run([self.program, "version"], stdout=subprocess.PIPE, text=True).stdout.strip()


class Containerd(Server):
    """containerd with one OCI runtime; its own shim and ctr are those beside the program."""

    def __init__(self, scratch, cni, name, program, runtime):
        super().__init__(name, scratch, program, "containerd-shim-runc-v2")
        self.runtime = runtime
        config = os.path.join(self.root, "config.toml")
        with open(config, "w") as file:
            file.write(CONTAINERD.format(root=self.root, socket=self.socket, pause=PAUSE, cni=cni, runtime=runtime))
        self.start([program, "--config", config, "--log-level", "error"], path=os.path.dirname(program) + ":" + PATH)
        pause = os.path.join(self.root, "pause.tar")
        write_pause_image(pause)
        self.load(pause)
        self.load(SAMPLE)

    def load(self, tarball):
        subprocess.run(
            [os.path.join(os.path.dirname(self.program), "ctr"), "--address", self.socket, "--namespace", "k8s.io",
             "images", "import", tarball], check=True, stdout=subprocess.DEVNULL)

    def version(self):
        def first(*words):
            return subprocess.run(words, stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]

        return f"{first(self.program, '--version')}; {first(self.runtime, '--version')}"


def write_pause_image(path):
    """The pause that kubesim's own sandboxes run, as an image for others."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.add(os.path.join(BIN, "pause"), "pause")
    layer = layer.getvalue()
    config = json.dumps({
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
        "os": "linux", "config": {"Entrypoint": ["/pause"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [PAUSE], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as archive:
        for name, data in (("layer.tar", layer), ("config.json", config), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def found(name):
    return shutil.which(name, path=PATH)
