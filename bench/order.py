#!/usr/bin/env python3
"""Writes the order in which kubesim-oci's functions are linked: those that its commands run first, what they never run last.

The kernel maps a program's pages in pieces of 64 KiB and more around the one that is asked for, so a hot function costs its
cold neighbours' memory and page faults. What ran is found by breakpoints on every function (bench/steps.c); the parent's
functions come before those that only run in the child, which is another process. Run it from time to time: names in the list
that are gone do no harm, and functions that are new lie among the cold ones until then.
"""

import argparse
import os
import subprocess
import sys

import oci


def functions(program):
    """Address → (size, names) of the functions of a program that isn't stripped."""
    found = {}
    for line in subprocess.run(["nm", "-S", program], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
        words = line.split()
        if len(words) == 4 and words[2] in "tTwWiV":
            found.setdefault(int(words[0], 16), (int(words[1], 16), []))[1].append(words[3])
    return found


def steps_of(steps, addresses, command):
    """The functions that ran, in the order of their first time, each with its generation."""
    null = subprocess.DEVNULL
    said = subprocess.run([steps, addresses, *command], stdin=null, stdout=subprocess.PIPE, stderr=null, text=True, check=True).stdout
    return [(int(generation), int(address, 16)) for generation, address in map(str.split, said.splitlines())]


def commands(runtime, bundle, sleeper):
    """What people ask of a runtime, by how much its memory matters; a container is there for those that need one."""
    yield runtime.command("--version")
    yield runtime.command("run", "--bundle", bundle, "hot-run")
    runtime.must("create", "--bundle", sleeper, "hot")
    yield runtime.command("start", "hot")
    for words in (["exec", "hot", "/bin/true"], ["state", "hot"], ["list"], ["kill", "hot", "KILL"], ["delete", "--force", "hot"]):
        yield runtime.command(*words)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    build = os.path.join(oci.HERE, "..", ".build", "release", "kubesim-oci")
    parser.add_argument("--kubesim", default=build, help="the program, with its symbols")
    parser.add_argument("output", nargs="?", default=os.path.join(oci.HERE, "..", "packaging", "kubesim-oci.order"))
    options = parser.parse_args()
    oci.private_mounts()
    scratch = oci.on_tmpfs("kubesim-order-")
    try:
        steps = os.path.join(scratch, "steps")
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", steps, os.path.join(oci.HERE, "steps.c")], check=True)
        runtime = oci.Runtime("kubesim-oci", os.path.abspath(options.kubesim), scratch)
        bundle, sleeper = os.path.join(scratch, "bundle"), os.path.join(scratch, "sleeper")
        oci.bundle(runtime.program, bundle, True)
        oci.with_arguments(bundle, sleeper, ["/bin/sleep", "1000"])
        # The first run compiles the seccomp profile.
        runtime.must("run", "--bundle", bundle, "warm")
        found = functions(runtime.program)
        addresses = os.path.join(scratch, "addresses")
        with open(addresses, "w") as file:
            file.writelines("%x\n" % start for start in found)
        hot = ({}, {})
        for command in commands(runtime, bundle, sleeper):
            for generation, start in steps_of(steps, addresses, command):
                hot[generation][start] = True
    finally:
        subprocess.run(["umount", scratch], check=True)
        os.rmdir(scratch)
    with open(options.output, "w") as file:
        for start in {**hot[0], **hot[1]}:
            file.writelines(name + "\n" for name in found[start][1])
    total = sum(found[start][0] for start in {**hot[0], **hot[1]})
    print("%d functions, %d of them only in a child, %d KiB" % (len({**hot[0], **hot[1]}), len(set(hot[1]) - set(hot[0])), total >> 10))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
