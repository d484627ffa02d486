#!/usr/bin/env python3
"""Import and pull of images, beside containerd and beside `gzip -dc | tar x`, in one run.

Two images are made from files of this machine: one of a single gzip layer, one of twelve. Both are served by a registry
on loopback (this program) and lie as OCI layout archives on the disk. In each round kubesim and containerd import and pull
each of them anew, and `gzip -dc | tar x` unpacks the same layers; what was made is removed before the next round, unmeasured.
Wall time is of the client's command from start to end; CPU is that of daemon and client together (for tar: of both programs).
A ratio is the other's figure over kubesim's: above 1, kubesim is faster.

Run it as root. containerd is Debian's, with a root of its own; both daemons keep their data below --scratch.
"""

import argparse
import gzip
import hashlib
import http.server
import io
import json
import os
import platform
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KUBESIM = os.path.join(REPOSITORY, "bin", "kubesim")
TICK = os.sysconf("SC_CLK_TCK")
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300, help="unpacked size of each image (default 300)")
    parser.add_argument("--layers", type=int, default=12, help="layers of the second image (default 12)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the median counts (default 3)")
    parser.add_argument("--files", default="/usr", help="where the files of the layers are taken from (default /usr)")
    parser.add_argument("--scratch", default="/var/tmp", help="where everything is put (default /var/tmp)")
    parser.add_argument("--only", help="cases by the beginning of their names, separated by commas: layer, layers")
    parser.add_argument("--json", help="also write the figures to this file")
    return parser.parse_args()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def plain_layers(source, megabytes, count):
    """So many tar archives of about the same size, made of the files below a directory, in a fixed order."""
    limit = megabytes * (1 << 20) // count
    layers, stream, total = [], io.BytesIO(), 0
    archive = tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT)
    for directory, names, files in os.walk(source):
        names.sort()
        for name in sorted(files):
            path = os.path.join(directory, name)
            if not os.path.isfile(path) or os.path.islink(path) or os.path.getsize(path) > limit:
                continue
            archive.add(path, arcname=path.lstrip("/"), recursive=False)
            total += os.path.getsize(path) + 1024
            if total >= limit:
                archive.close()
                layers.append(stream.getvalue())
                if len(layers) == count:
                    return layers
                stream, total = io.BytesIO(), 0
                archive = tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT)
    sys.exit(f"{source} has not enough files for {count} layers of {limit >> 20} MB (see --files)")


class Image:
    def __init__(self, name, plain):
        self.name = name
        self.layers = [gzip.compress(layer, compresslevel=6, mtime=0) for layer in plain]
        self.plain_bytes = sum(map(len, plain))
        self.config = json.dumps({
            "architecture": ARCHITECTURE, "os": "linux", "config": {"Cmd": ["sh"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in plain]}}).encode()
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.descriptor("config.v1+json", self.config),
            "layers": [self.descriptor("layer.v1.tar+gzip", layer) for layer in self.layers]}).encode()
        self.blobs = {digest(blob): blob for blob in [self.config, self.manifest, *self.layers]}

    @staticmethod
    def descriptor(kind, data):
        return {"mediaType": "application/vnd.oci.image." + kind, "digest": digest(data), "size": len(data)}

    def write_archive(self, path, reference):
        entry = self.descriptor("manifest.v1+json", self.manifest)
        entry["annotations"] = {"io.containerd.image.name": reference}
        with tarfile.open(path, "w") as archive:
            def add(name, data):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
            for name, blob in self.blobs.items():
                add("blobs/sha256/" + name[7:], blob)
            add("index.json", json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode())


def serve(images):
    """A registry in a process of its own: what it costs is nobody's."""
    manifests = {image.name: image.manifest for image in images}
    blobs = {name: blob for image in images for name, blob in image.blobs.items()}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            parts = self.path.split("?")[0].split("/")
            data = None
            if len(parts) == 5:
                data = blobs.get(parts[4]) or (manifests.get(parts[2]) if parts[3] == "manifests" else None)
            self.send_response(200 if data is not None or self.path == "/v2/" else 404)
            self.send_header("Content-Length", str(len(data or b"")))
            if data is not None:
                self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json" if parts[3] == "manifests"
                                 else "application/octet-stream")
                self.send_header("Docker-Content-Digest", digest(data) if parts[3] == "manifests" else parts[4])
            self.end_headers()
            if data is not None and self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pid = os.fork()
    if pid == 0:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        signal.sigwait({signal.SIGTERM})
        os._exit(0)
    server.socket.close()
    return pid, server.server_address[1]


def daemon_ticks(pid):
    """User and system time of a process and of the children that it waited for, in seconds."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICK


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def wait_for(what, ready, process):
    end = time.monotonic() + 30
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"{what} did not start")
        time.sleep(0.05)


class Peer:
    """A daemon and its client."""

    def measure(self, arguments):
        before, own, start = daemon_ticks(self.process.pid), children_seconds(), time.monotonic()
        done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wall = time.monotonic() - start
        if done.returncode != 0:
            sys.exit(f"{' '.join(arguments)}: {done.stdout.decode(errors='replace')[-2000:]}")
        return wall, children_seconds() - own + daemon_ticks(self.process.pid) - before

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Kubesim(Peer):
    def __init__(self, scratch):
        self.root = os.path.join(scratch, "kubesim")
        self.socket = os.path.join(self.root, "kubesim.sock")
        for name in ["manifests", "images", "cni"]:
            os.makedirs(os.path.join(self.root, name))
        config = os.path.join(scratch, "kubesim.yaml")
        with open(config, "w") as file:
            file.write(f"cniConfDir: {self.root}/cni\n")
        self.log = open(os.path.join(scratch, "kubesim.log"), "w")
        self.process = subprocess.Popen(
            [KUBESIM, "node", "--root", self.root, "--config", config, "--ephemeral", "--log-level", "warning"],
            stdout=self.log, stderr=self.log)
        wait_for("kubesim", lambda: self.crictl("version").returncode == 0, self.process)

    def crictl(self, *words):
        return subprocess.run([KUBESIM, "crictl", "-t", "600s", "-r", "unix://" + self.socket, *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def load(self, archive, _):
        return self.measure([KUBESIM, "image", "load", "--root", self.root, archive])

    def pull(self, reference):
        return self.measure([KUBESIM, "crictl", "-t", "600s", "-r", "unix://" + self.socket, "pull", reference])

    def remove(self, reference):
        self.crictl("rmi", reference)


class Containerd(Peer):
    def __init__(self, scratch):
        self.root = os.path.join(scratch, "containerd")
        self.socket = os.path.join(self.root, "containerd.sock")
        os.makedirs(self.root)
        config = os.path.join(scratch, "containerd.toml")
        with open(config, "w") as file:
            file.write(f'version = 2\nroot = "{self.root}/root"\nstate = "{self.root}/state"\n'
                       'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                       f'[grpc]\naddress = "{self.socket}"\n[ttrpc]\naddress = "{self.socket}.ttrpc"\n')
        self.log = open(os.path.join(scratch, "containerd.log"), "w")
        self.process = subprocess.Popen(["containerd", "-c", config], stdout=self.log, stderr=self.log)
        wait_for("containerd", lambda: self.ctr("version").returncode == 0, self.process)

    def ctr(self, *words):
        return subprocess.run(["ctr", "-a", self.socket, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def load(self, archive, _):
        return self.measure(["ctr", "-a", self.socket, "images", "import", archive])

    def pull(self, reference):
        return self.measure(["ctr", "-a", self.socket, "images", "pull", "--plain-http", reference])

    def remove(self, reference):
        for name in self.ctr("images", "ls", "-q").stdout.decode().split():
            self.ctr("images", "rm", "--sync", name)


def gzip_tar(image, scratch):
    """Each layer in turn, into one directory."""
    target = os.path.join(scratch, "tar")
    os.makedirs(target)
    paths = []
    for number, layer in enumerate(image.layers):
        paths.append(os.path.join(scratch, f"layer{number}.gz"))
        with open(paths[-1], "wb") as file:
            file.write(layer)
    before, start = children_seconds(), time.monotonic()
    for path in paths:
        subprocess.run(f"gzip -dc {path} | tar x -C {target}", shell=True, check=True)
    result = time.monotonic() - start, children_seconds() - before
    shutil.rmtree(target)
    for path in paths:
        os.unlink(path)
    return result


def settle():
    """What one has written is not to be paid for by the next."""
    os.sync()


def main():
    options = parse()
    if os.geteuid() != 0:
        sys.exit("run this as root")
    scratch = tempfile.mkdtemp(prefix="kubesim-images-", dir=options.scratch)
    wanted = options.only.split(",") if options.only else ["layer", "layers"]
    images = []
    if "layer" in wanted:
        images.append(Image("layer", plain_layers(options.files, options.megabytes, 1)))
    if "layers" in wanted:
        images.append(Image("layers", plain_layers(options.files, options.megabytes, options.layers)))
    registry, port = serve(images)
    peers = {}
    figures = {}
    try:
        peers = {"kubesim": Kubesim(scratch), "containerd": Containerd(scratch)}
        for image in images:
            compressed = sum(map(len, image.layers))
            print(f"{image.name}: {len(image.layers)} gzip layer(s), {compressed / 1e6:.0f} MB, "
                  f"{image.plain_bytes / 1e6:.0f} MB unpacked", flush=True)
            local, remote = f"localhost/bench/{image.name}:latest", f"127.0.0.1:{port}/{image.name}:latest"
            archive = os.path.join(scratch, image.name + ".tar")
            image.write_archive(archive, local)
            for _ in range(options.rounds):
                for name, peer in peers.items():
                    for verb, reference in [("import", local), ("pull", remote)]:
                        settle()
                        result = peer.load(archive, local) if verb == "import" else peer.pull(remote)
                        figures.setdefault((image.name, verb), {}).setdefault(name, []).append(result)
                        peer.remove(reference)
                settle()
                result = gzip_tar(image, scratch)
                for verb in ["import", "pull"]:
                    figures[(image.name, verb)].setdefault("gzip | tar", []).append(result)
            os.unlink(archive)
    finally:
        for peer in peers.values():
            peer.stop()
        os.kill(registry, signal.SIGTERM)
        os.waitpid(registry, 0)
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{'':22}{'wall s':>24}{'CPU s':>12}{'wall ratio':>12}{'CPU ratio':>12}")
    for (name, verb), results in figures.items():
        own = [statistics.median(column) for column in zip(*results["kubesim"])]
        for who, samples in results.items():
            wall, cpu = [statistics.median(column) for column in zip(*samples)]
            spread = f"({min(s[0] for s in samples):.2f}–{max(s[0] for s in samples):.2f})"
            print(f"{name + ' ' + verb if who == 'kubesim' else '':10} {who:11}{wall:10.2f} {spread:>13}{cpu:12.2f}"
                  f"{wall / own[0]:12.2f}{cpu / own[1]:12.2f}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({f"{name} {verb}": results for (name, verb), results in figures.items()}, file, indent=1)


main()
