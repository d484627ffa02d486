import TestKit
import Testing

/// containerd's own client with our runtime behind its shim, and with crun: the outcomes must be the same, and as expected.
@Suite("containerd", .needs(.root, .programs, .containerd, .crun, .samples), .serialized)
struct ContainerdTests {
    /// What is done, and what it prints with either runtime.
    static let steps: [(script: String, prints: String)] = [
        ("run --rm t1 echo hi", "hi\n"),
        ("run --rm t2 sh -c 'exit 7'; echo $?", "7\n"),
        ("run --rm t3 /nothere >/dev/null 2>&1; echo $?", "1\n"),
        ("run --rm --env A=b --cwd /tmp t4 sh -c 'echo $A; pwd'", "b\n/tmp\n"),
        ("run --rm --read-only t5 sh -c 'touch /x 2>/dev/null || echo ro'", "ro\n"),
        ("run --rm --seccomp t6 grep Seccomp: /proc/self/status", "Seccomp:\t2\n"),
        ("run --rm --mount type=bind,src=$SCRATCH,dst=/m,options=rbind:ro t7 test -e /m/marker; echo $?", "0\n"),
        ("run --rm --privileged t8 grep CapBnd /proc/self/status | cut -c 1-7", "CapBnd:\n"),
        (
            "script -qec 'ctr run --rm -t --runc-binary $RUNTIME $I t9 tty' /dev/null | grep -o '/dev/pts/[0-9]*'",
            "/dev/pts/0\n"
        ),
        ("run -d --memory-limit 67108864 d1 sleep 1000; ctr tasks ls -q", "d1\n"),
        ("limit d1 memory/%/memory.limit_in_bytes %/memory.max", "67108864\n"),
        ("ctr tasks exec --exec-id e1 d1 sh -c 'echo in; exit 5'; echo $?", "in\n5\n"),
        ("ctr tasks pause d1; ctr tasks ls | awk 'NR == 2 { print $3 }'", "PAUSED\n"),
        ("ctr tasks resume d1; ctr tasks ls | awk 'NR == 2 { print $3 }'", "RUNNING\n"),
        ("ctr tasks ps d1 | wc -l", "2\n"),
        ("ctr tasks metrics d1 | grep -c '^pids.current'", "1\n"),
        ("ctr tasks kill -s KILL d1; until ctr tasks ls | grep -q STOPPED; do sleep 0.05; done", ""),
        ("ctr tasks rm d1 2>&1 | grep -o 'code [0-9]*'", "code 137\n"),
        ("ctr containers rm d1; ctr containers ls -q", ""),
    ]

    @Test("Run, exec, pause, resume, metrics and kill behave as with crun", arguments: ["ours", "crun"])
    func behaves(name: String) async throws {
        try await Scratch.use { scratch in
            try scratch.write("marker", "")
            try scratch.write("containerd.toml", "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n")
            let steps = Self.steps.map { "echo \"== $((number += 1))\"\n\($0.script)" }
            let expected = Self.steps.enumerated().map { "== \($0 + 1)\n\($1.prints)" }.joined()
            let outcome = try await Command(
                [
                    "unshare", "-m", "/bin/bash", "-c",
                    Self.prelude(crun: name == "crun") + steps.joined(separator: "\n"),
                ],
                environment: [
                    "SCRATCH": scratch.path, "RUNTIME_NAME": name == "crun" ? "crun" : TestBundle.program,
                    "IMAGE": Binaries.repository + "/rootfs-samples/out/busybox.tar",
                ]
            ).run()
            #expect(outcome.output == expected, "\(outcome.errors)")
        }
    }

    /// A containerd of the test's own, in a mount namespace of its own, which ends with the script.
    private static func prelude(crun: Bool) -> String {
        """
        \(crun ? "! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified" : "")
        mount -t tmpfs run /run
        export RUNTIME=$(command -v $RUNTIME_NAME) I=localhost/busybox:latest CONTAINERD_SNAPSHOTTER=native
        export CONTAINERD_ADDRESS=$SCRATCH/c.sock CONTAINERD_NAMESPACE=kubesim-test
        containerd --config $SCRATCH/containerd.toml --root $SCRATCH/root --state $SCRATCH/state --address $CONTAINERD_ADDRESS \
            >$SCRATCH/containerd.log 2>&1 &
        containerd=$!
        finish() {
            for task in $(ctr tasks ls -q); do ctr tasks rm -f $task; done
            kill $containerd
            wait $containerd
            rmdir /sys/fs/cgroup/kubesim-test /sys/fs/cgroup/*/kubesim-test 2>/dev/null
        } >&2
        trap finish EXIT
        for attempt in $(seq 200); do ctr version >/dev/null 2>&1 && break; sleep 0.05; done
        ctr images import $IMAGE >/dev/null || { cat $SCRATCH/containerd.log >&2; exit 1; }
        # run [FLAG…] ID COMMAND…: the image comes between the flags and the id
        run() {
            flags=()
            while [[ $1 == -* ]]; do
                flags+=("$1")
                case $1 in --env | --cwd | --mount | --memory-limit) flags+=("$2"); shift ;; esac
                shift
            done
            ctr run --runc-binary $RUNTIME "${flags[@]}" $I "$@"
        }
        # limit ID FILE…: the files that there are, on cgroup v1 or v2, % being the container's cgroup
        limit() { for file in "${@:2}"; do cat /sys/fs/cgroup/${file//%/kubesim-test/$1} 2>/dev/null; done; }
        number=0

        """
    }
}
