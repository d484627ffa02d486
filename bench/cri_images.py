"""Images for bench/cri.py: one of a 300 MB layer and one of twelve layers, in a registry and as tarballs."""

import gzip
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import tarfile
import time
import urllib.request

from cri_servers import found, m

PORT = 5077
CASES = {"300 MB layer": "127.0.0.1:5077/bench/big:1", "12 layers": "127.0.0.1:5077/bench/many:1"}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(seed, megabytes, files):
    """A layer as software has them: many files, about half of them redundant; returns its tar and its gzip."""
    source, size = random.Random(seed), megabytes * 1_000_000 // files
    words = [source.randbytes(source.randrange(3, 12)) for _ in range(4096)]
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for number in range(files):
            data = b"".join(source.choices(words, k=size // 14)) + source.randbytes(size // 2)
            entry = tarfile.TarInfo(f"layer{seed}/{number % 97}/file{number}")
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return raw.getvalue(), gzip.compress(raw.getvalue(), compresslevel=1, mtime=0)


class Image:
    def __init__(self, name, layers):
        self.name = name
        self.blobs = [(LAYER, packed) for _, packed in layers]
        config = json.dumps({
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
            "os": "linux", "config": {"Cmd": ["true"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(raw) for raw, _ in layers]}}).encode()

        def described(kind, data):
            return {"mediaType": kind, "size": len(data), "digest": digest(data)}

        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": described(CONFIG, config),
            "layers": [described(*blob) for blob in self.blobs]}).encode()
        self.blobs.append((CONFIG, config))

    def push(self):
        repository, tag = self.name.split("/", 1)[1].split(":")
        base = f"http://127.0.0.1:{PORT}/v2/{repository}"
        for _, data in self.blobs:
            place = ask("POST", f"{base}/blobs/uploads/", b"").headers["Location"]
            place = place if place.startswith("http") else f"http://127.0.0.1:{PORT}{place}"
            ask("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest(data)}", data, "application/octet-stream")
        ask("PUT", f"{base}/manifests/{tag}", self.manifest, MANIFEST)

    def save(self, path):
        index = json.dumps({"schemaVersion": 2, "manifests": [{
            "mediaType": MANIFEST, "size": len(self.manifest), "digest": digest(self.manifest),
            "annotations": {"io.containerd.image.name": self.name, "org.opencontainers.image.ref.name": self.name}}]})
        parts = [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", index.encode()),
                 *((f"blobs/sha256/{digest(data)[7:]}", data) for _, data in [*self.blobs, (MANIFEST, self.manifest)])]
        with tarfile.open(path, "w") as archive:
            for name, data in parts:
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))


def ask(method, url, data=None, kind=None):
    request = urllib.request.Request(url, data=data, method=method)
    if kind:
        request.add_header("Content-Type", kind)
    return urllib.request.urlopen(request, timeout=120)


class Registry:
    """Debian's docker-registry on loopback, with both images in it."""

    def __init__(self, scratch):
        config = os.path.join(scratch, "registry.yml")
        with open(config, "w") as file:
            file.write(f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '127.0.0.1:{PORT}'}}\n"
                       f"storage: {{filesystem: {{rootdirectory: {scratch}/registry}}}}\n")
        self.log = open(os.path.join(scratch, "registry.log"), "w")
        self.process = subprocess.Popen([found("docker-registry"), "serve", config], stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 30
        while True:
            try:
                ask("GET", f"http://127.0.0.1:{PORT}/v2/")
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.tarballs = {}
        for (case, name), layers in zip(
                CASES.items(), ([(1, 300, 3000)], [(seed, 6, 200) for seed in range(2, 14)])):
            image = Image(name, [layer(*part) for part in layers])
            image.push()
            self.tarballs[case] = os.path.join(scratch, name.replace("/", "_") + ".tar")
            image.save(self.tarballs[case])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.log.close()


def bench_images(interleaved, servers, scratch, runs):
    """Pulls and imports, each from nothing."""
    registry = Registry(scratch)
    try:
        def one(samples):
            server = samples.server
            for case, name in CASES.items():
                spec = m.ImageSpec(image=name)
                forget = m.RemoveImageRequest(image=spec)
                samples.measure(
                    f"pull of {case}", lambda: server.cri.PullImage(m.PullImageRequest(image=spec), timeout=600))
                server.cri.RemoveImage(forget, timeout=120)
                samples.measure(f"import of {case}", lambda: server.load(registry.tarballs[case]))
                server.cri.RemoveImage(forget, timeout=120)

        return interleaved(servers, runs, one)
    finally:
        registry.stop()
