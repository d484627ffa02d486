"""A small virtual machine with Debian's kernel: made from what is on this host, booted, listened to, and gone.

QEMU runs with software emulation, so this needs neither KVM nor a network. Everything that is worth keeping between runs
(the unpacked kernel) lies in the cache directory; a run's disk and its tree are removed with it.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
GUEST = os.path.join(HERE, "guest")
# Of the kernel's modules: those that the first stage needs to find the disk, and those that a container can meet.
BOOT_MODULES = ["virtio_pci", "virtio_blk", "ext4"]
MODULE_FOLDERS = ["arch", "block", "crypto", "fs", "lib", "net", "drivers/block", "drivers/net", "drivers/virtio",
                  "drivers/char/hw_random", "drivers/tty"]
ARCHITECTURES = {"amd64": "qemu-system-x86_64"}


class Broken(Exception):
    """The machine could not be made or did not do what it is for; the text says which."""


def run(*words, **options):
    outcome = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if outcome.returncode != 0:
        raise Broken("%s: exit code %d: %s" % (" ".join(words[:6]), outcome.returncode, outcome.stderr.strip()[-2000:]))
    return outcome.stdout


class Kernel:
    """Debian's kernel image and its modules, downloaded once and unpacked, never installed on the host."""

    def __init__(self, cache):
        self.architecture = run("dpkg", "--print-architecture").strip()
        if self.architecture not in ARCHITECTURES:
            raise Broken("no virtual machine for " + self.architecture)
        kept = [n for n in sorted(os.listdir(cache)) if n.startswith("linux-image-")] if os.path.isdir(cache) else []
        self.package = kept[-1] if kept else self._package()
        self.folder = os.path.join(cache, self.package)
        if not kept:
            self._fetch(cache)
        self.version = os.listdir(os.path.join(self.folder, "lib/modules"))[0]
        self.image = os.path.join(self.folder, "boot/vmlinuz-" + self.version)
        self.modules = os.path.join(self.folder, "lib/modules", self.version)

    def _package(self):
        # The lists as they are may be none at all, or so old that the package they name is gone.
        run("apt-get", "update", "-qq")
        found = re.search(r"Depends: (linux-image-\S+)", run("apt-cache", "depends", "linux-image-" + self.architecture))
        if not found:
            raise Broken("Debian's linux-image-%s names no kernel" % self.architecture)
        return found.group(1)

    def _fetch(self, cache):
        fresh = os.path.join(cache, ".fetching-%d" % os.getpid())
        os.makedirs(fresh)
        try:
            run("apt-get", "-o", "APT::Sandbox::User=root", "download", self.package, cwd=fresh)
            archive = os.path.join(fresh, [n for n in os.listdir(fresh) if n.endswith(".deb")][0])
            version = self.package[len("linux-image-"):]
            modules = "./lib/modules/" + version
            wanted = ["./boot", modules + "/modules.order", modules + "/modules.builtin", modules + "/modules.builtin.modinfo"]
            wanted += ["%s/kernel/%s" % (modules, name) for name in MODULE_FOLDERS]
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as tar:
                run("tar", "-x", "-C", fresh, *wanted, stdin=tar.stdout)
            os.unlink(archive)
            run("depmod", "-b", fresh, version)
            os.rename(fresh, self.folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def boot_modules(self):
        """Paths of the modules that the first stage loads, in the order in which they load."""
        with open(os.path.join(self.modules, "modules.dep")) as file:
            needs = dict(line.rstrip("\n").split(":", 1) for line in file)
        by_name = {os.path.basename(path).split(".")[0].replace("-", "_"): path for path in needs}
        ordered = []

        def add(path):
            for dependency in reversed(needs[path].split()):
                add(dependency)
            if path not in ordered:
                ordered.append(path)

        # ext4 asks for its checksum by an alias that no dependency shows.
        for name in ["crc32c_generic", *BOOT_MODULES]:
            if name in by_name:
                add(by_name[name])
        return [os.path.join(self.modules, path) for path in ordered]


class Tree:
    """A root filesystem that grows from this host's files."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name.lstrip("/"))

    def directories(self, *names):
        for name in names:
            os.makedirs(self.path(name), exist_ok=True)

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def copy(self, source, name=None, mode=None):
        target = self.path(name or source)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            shutil.copy(source, target)
        if mode is not None:
            os.chmod(target, mode)

    def program(self, source, name=None):
        """A program with the shared libraries that the dynamic linker would find for it here, at the same paths."""
        self.copy(source, name, 0o755)
        listing = subprocess.run(["ldd", source], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if "not found" in listing.stdout:
            raise Broken("%s: a library is missing:\n%s" % (source, listing.stdout))
        for line in listing.stdout.splitlines():
            found = re.search(r"(?:=> )?(/\S+) \(0x", line)
            if found:
                self.copy(found.group(1))

    def disk(self, path, size="4G"):
        """Packs the tree into a sparse ext4 image, without mounting anything."""
        run("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", self.folder, path, size)


def debian(tree, cache, packages):
    """Fills the tree with a small Debian of the host's release that has these packages, from the host's own mirror.

    Made once and kept, since debootstrap takes a minute; another list of packages is another Debian.
    """
    with open("/etc/os-release") as file:
        release = re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.M).group(1)
    kept = os.path.join(cache, "debian-%s-%08x" % (release, zlib.crc32(" ".join(packages).encode())))
    if not os.path.isdir(kept):
        sources = run("apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages")
        mirrors = [line.split(" ", 1)[1] for line in sources.splitlines() if line.startswith(release + " ")]
        if not mirrors:
            raise Broken("apt knows no source of %s" % release)
        fresh = os.path.join(cache, ".making-%d" % os.getpid())
        try:
            run("debootstrap", "--variant=minbase", "--include=" + ",".join(packages), release, fresh, mirrors[0])
            for name in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
                shutil.rmtree(os.path.join(fresh, name), ignore_errors=True)
            os.rename(fresh, kept)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    run("cp", "-a", kept + "/.", tree.folder)


def initramfs(kernel, scratch):
    """The first stage: static busybox, the modules that the disk needs, and a script that goes over to the disk."""
    tree = Tree(os.path.join(scratch, "initramfs"))
    tree.directories("proc", "sys", "dev", "root", "bin", "modules")
    tree.copy("/bin/busybox", "/bin/busybox", 0o755)
    for name in ["sh", "mount", "insmod", "switch_root", "sleep"]:
        os.symlink("busybox", tree.path("/bin/" + name))
    for number, module in enumerate(kernel.boot_modules()):
        tree.copy(module, "/modules/%02d-%s" % (number, os.path.basename(module)))
    tree.copy(os.path.join(GUEST, "first-stage"), "/init", 0o755)
    path = os.path.join(scratch, "initramfs.cpio")
    names = run("find", ".", cwd=tree.folder)
    with open(path, "wb") as file:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree.folder, input=names.encode(), stdout=file, check=True)
    return path


def boot(kernel, scratch, disk, arguments, deadline, memory="2G"):
    """Boots the machine and passes on what it says on its second serial line, until it turns itself off.

    Returns the exit code that it reported there ("vm: exit N"). Whatever happens, QEMU has ended when this returns.
    """
    console, report = (os.path.join(scratch, name) for name in ("console.log", "report.log"))
    open(report, "w").close()
    command = [
        ARCHITECTURES[kernel.architecture], "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", memory,
        "-kernel", kernel.image, "-initrd", initramfs(kernel, scratch),
        "-append", "console=ttyS0 panic=-1 quiet loglevel=4 cgroup_no_v1=all psi=1 random.trust_cpu=on " + arguments,
        "-drive", "file=%s,if=virtio,format=raw,cache=unsafe" % disk,
        "-display", "none", "-nodefaults", "-no-reboot", "-nic", "none", "-monitor", "none",
        "-serial", "file:" + console, "-serial", "file:" + report,
    ]
    begin = time.monotonic()
    errors = open(os.path.join(scratch, "qemu.log"), "w+")
    # Below whatever else the host does: a test machine in emulation takes all that it gets.
    machine = subprocess.Popen(["nice", "-n", "5", *command], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
    code = None
    try:
        with open(report, errors="replace") as lines:
            pending = ""
            while True:
                ended = machine.poll() is not None
                pending += lines.read()
                *whole, pending = pending.split("\n")
                for line in whole:
                    line = line.rstrip("\r")
                    found = re.match(r"vm: exit (\d+)$", line)
                    if found:
                        code = int(found.group(1))
                    else:
                        print(line, flush=True)
                if ended:
                    break
                if time.monotonic() - begin > deadline:
                    raise Broken("the machine has not ended within %d s%s" % (deadline, tail(console)))
                time.sleep(0.2)
    finally:
        if machine.poll() is None:
            machine.kill()
        machine.wait()
        errors.seek(0)
        said = errors.read().strip()
        errors.close()
    if code is None:
        raise Broken("the machine ended and has not said how%s%s" % (said and "\nqemu: " + said, tail(console)))
    return code


def tail(console):
    try:
        with open(console, errors="replace") as file:
            text = file.read()[-4000:].replace("\r", "")
    except OSError:
        return ""
    return "\nthe end of its console:\n" + text
