"""A `kubesim cri` on a root of its own, and the pods that tests ask it for."""

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time

import grpc

from stubs import REPOSITORY, Calls, connect, messages as m

BUSYBOX = "localhost/busybox:latest"
KUBESIM = os.path.join(os.environ.get("KUBESIM_BIN", os.path.join(REPOSITORY, "bin")), "kubesim")


def eventually(what, condition, limit=60):
    """Waits until `condition` gives something true, and returns it; fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit} s in vain: {what}")
        time.sleep(0.02)


class Daemon:
    """The runtime under test; `with` starts it, and ends with the assertion that nothing of it is left."""

    def __enter__(self):
        self.scratch = tempfile.mkdtemp(prefix="kubesim-client-")
        self.root = os.path.join(self.scratch, "cri")
        self.logs = os.path.join(self.scratch, "logs")
        self.socket = os.path.join(self.root, "kubesim.sock")
        self.cgroup = "/kubesim-client-%d" % os.getpid()
        self.count = 0
        os.makedirs(os.path.join(self.scratch, "cni"))
        with open(self.path("kubesim.yaml"), "w") as file:
            file.write(f"cniConfDir: {self.path('cni')}\n")
        self.log = open(self.path("log"), "w+")
        self.process = subprocess.Popen(
            [KUBESIM, "cri", "--root", self.root, "--config", self.path("kubesim.yaml"), "--ephemeral"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            eventually("the socket is there", self.listens)
            self.channel = connect(self.socket)
            grpc.channel_ready_future(self.channel).result(timeout=60)
            self.cri = Calls(self.channel)
            self.load("busybox")
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind, *_):
        self.channel.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=120)
        finally:
            if kind or self.process.returncode != 0:
                print(f"---- the daemon's log ----\n{self.said()[-20000:]}\n---- end of the daemon's log ----")
            self.kill()
            left = self.leftovers()
            self.remove()
        assert code == 0, f"kubesim cri ended with {code}"
        assert not left, "left behind:\n  " + "\n  ".join(left)

    def path(self, name):
        return os.path.join(self.scratch, name)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"kubesim cri ended at its start:\n{self.said()[-4000:]}")
        return os.path.exists(self.socket)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def load(self, sample):
        tarball = os.path.join(REPOSITORY, f"rootfs-samples/out/{sample}.tar")
        subprocess.run([KUBESIM, "image", "load", "--quiet", "--root", self.root, tarball], check=True,
                       stdout=subprocess.DEVNULL)

    def remove(self):
        self.log.close()
        for top in cgroup_tops():
            for directory, _, _ in sorted(os.walk(top + self.cgroup), reverse=True):
                with contextlib.suppress(OSError):
                    os.rmdir(directory)
        shutil.rmtree(self.scratch)

    def leftovers(self):
        """What is still there of pods: processes, mounts, namespaces, cgroups with somebody in them, files."""
        left = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline") as file:
                line = file.read().replace("\0", " ")
                if self.root in line:
                    left.append(f"process {pid} {line}")
        with open("/proc/self/mountinfo") as file:
            left += [f"mount {line.split()[4]}" for line in file if f" {self.root}/" in line]
        for top in cgroup_tops():
            left += [f"cgroup {path}" for path in glob.glob(top + self.cgroup + "/*/")]
        for place in ["sandboxes", "containers", "snapshots", "layers", "content", "run"]:
            left += [f"file {path}" for path in glob.glob(f"{self.root}/{place}/*")]
        return left

    # What tests ask for.

    def pod_config(self, name=None, **fields):
        self.count += 1
        name = name or f"pod{self.count}"
        return m.PodSandboxConfig(
            metadata=m.PodSandboxMetadata(name=name, namespace="client", uid=f"uid-{name}", attempt=0),
            hostname=name, log_directory=os.path.join(self.logs, name), labels={"test": name},
            linux=m.LinuxPodSandboxConfig(cgroup_parent=self.cgroup), **fields)

    def container_config(self, script, name="main", **fields):
        return m.ContainerConfig(
            metadata=m.ContainerMetadata(name=name, attempt=0), image=m.ImageSpec(image=BUSYBOX),
            command=["sh", "-c", script], log_path=f"{name}_0.log", labels={"container": name}, **fields)

    @contextlib.contextmanager
    def pod(self, name=None, **fields):
        """A ready sandbox's id and configuration; it is stopped and removed in the end."""
        config = self.pod_config(name, **fields)
        os.makedirs(config.log_directory, exist_ok=True)
        made = self.cri.RunPodSandbox(m.RunPodSandboxRequest(config=config), timeout=60).pod_sandbox_id
        try:
            yield made, config
        finally:
            self.cri.StopPodSandbox(m.StopPodSandboxRequest(pod_sandbox_id=made), timeout=60)
            self.cri.RemovePodSandbox(m.RemovePodSandboxRequest(pod_sandbox_id=made), timeout=60)

    def create(self, pod, pod_config, script, name="main", **fields):
        request = m.CreateContainerRequest(
            pod_sandbox_id=pod, config=self.container_config(script, name, **fields), sandbox_config=pod_config)
        return self.cri.CreateContainer(request, timeout=60).container_id

    def start(self, container):
        self.cri.StartContainer(m.StartContainerRequest(container_id=container), timeout=60)

    @contextlib.contextmanager
    def running(self, script="trap 'exit 0' TERM; while :; do sleep 1; done", **fields):
        """The ids of a pod and of its one container, which has been started."""
        with self.pod() as (pod, config):
            container = self.create(pod, config, script, **fields)
            self.start(container)
            yield pod, container

    def status(self, container):
        return self.cri.ContainerStatus(m.ContainerStatusRequest(container_id=container), timeout=60).status

    def exec(self, container, *command, timeout=0):
        return self.cri.ExecSync(
            m.ExecSyncRequest(container_id=container, cmd=command, timeout=timeout), timeout=120)

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def cgroup_tops():
    """The mounted cgroup hierarchies."""
    with open("/proc/self/mountinfo") as file:
        return [fields[4] for fields in map(str.split, file) if " - cgroup" in " ".join(fields)]
