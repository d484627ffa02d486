import TestKit
import Testing

/// What people do with podman, done with our runtime and with crun: the outcomes must be the same, and as expected.
@Suite("podman", .needs(.root, .programs, .podman, .crun, .samples), .serialized)
struct PodmanTests {
    /// A script whose `$I` is the image and whose `podman` has the runtime; what it prints with either.
    struct Check: Sendable {
        let name: String
        let script: String
        let prints: String

        init(_ name: String, _ script: String, prints: String) {
            self.name = name
            self.script = script
            self.prints = prints
        }
    }

    @Test("A container runs, and its output, exit code, user and streams are the engine's")
    func runs() async throws {
        try await compare([
            Check("output", "podman run --rm $I echo hi", prints: "hi\n"),
            Check("exit code", "podman run --rm $I sh -c 'exit 7'; echo $?", prints: "7\n"),
            Check("no such program", "podman run --rm $I /nothere; echo $?", prints: "127\n"),
            Check("not a program", "podman run --rm $I /etc; echo $?", prints: "126\n"),
            Check("streams", "echo data | podman run --rm -i $I cat", prints: "data\n"),
            Check(
                "user", "podman run --rm --user 1000:1001 --group-add 2000 $I sh -c 'id -u; id -G'",
                prints: "1000\n1001 2000\n"),
            Check(
                "environment", "podman run --rm -e A=b -w /tmp --hostname h1 $I sh -c 'echo $A; pwd; hostname'",
                prints: "b\n/tmp\nh1\n"),
            Check("umask", "podman run --rm --umask 0077 $I sh -c umask", prints: "0077\n"),
            Check("--init", "podman run --rm --init $I cat /proc/1/comm", prints: "podman-init\n"),
            Check("--rm", "podman run --rm $I true; podman ps -aq", prints: ""),
        ])
    }

    @Test("A terminal has the size of the one outside")
    func hasTerminal() async throws {
        try await compare([
            Check("-t", "script -qec 'podman run --rm -t $I tty' /dev/null", prints: "/dev/pts/0\r\n"),
            Check(
                "its size",
                // conmon passes the size on once the container runs already; until then there is none, and stty says so with
                // nothing but words: its exit code is 0.
                """
                script -qec 'stty rows 33 cols 99; podman run --rm -t $I \
                sh -c "until stty size 2>/dev/null | grep .; do sleep 0.1; done"' /dev/null
                """,
                prints: "33 99\r\n"),
            Check(
                "exec -t",
                """
                podman run -d --name t $I sleep 100 >/dev/null
                script -qec 'podman exec -t t tty' /dev/null
                podman rm -f -t 0 t >/dev/null
                """, prints: "/dev/pts/0\r\n"),
        ])
    }

    @Test("Limits arrive, and can be changed while the container runs")
    func limits() async throws {
        try await compare([
            Check(
                "--memory", "podman run --rm --memory 64m $I sh -c \"$(file memory/memory.limit_in_bytes memory.max)\"",
                prints: "67108864\n"),
            Check(
                "--cpus",
                """
                podman run --rm --cpus 0.5 $I sh -c "$(file cpu/cpu.cfs_quota_us cpu.max); $(file cpu/cpu.cfs_period_us)" |
                    tr '\\n' ' '
                """, prints: "50000 100000 "),
            Check(
                "--cpuset-cpus", "podman run --rm --cpuset-cpus 0 $I grep Cpus_allowed_list /proc/self/status",
                prints: "Cpus_allowed_list:\t0\n"),
            Check(
                "--pids-limit", "podman run --rm --pids-limit 42 $I sh -c \"$(file pids/pids.max pids.max)\"",
                prints: "42\n"),
            Check(
                "beyond --pids-limit",
                "podman run --rm --pids-limit 4 $I sh -c 'for i in 1 2 3 4 5 6; do sleep 1 & done' 2>&1 | grep -o 'fork:.*'",
                prints: "fork: Resource temporarily unavailable\n"),
            Check(
                "update",
                """
                podman run -d --name u --memory 64m $I sleep 100 >/dev/null
                podman update --memory 32m u >/dev/null
                podman exec u sh -c "$(file memory/memory.limit_in_bytes memory.max)"
                podman rm -f -t 0 u >/dev/null
                """, prints: "33554432\n"),
        ])
    }

    @Test("Mounts, tmpfs, a read-only root and devices are as asked")
    func mounts() async throws {
        try await compare([
            Check(
                "--read-only",
                "podman run --rm --read-only $I sh -c 'touch /x 2>/dev/null || echo ro; touch /tmp/y && echo tmp'",
                prints: "ro\ntmp\n"),
            Check(
                "--tmpfs",
                "podman run --rm --tmpfs /t:size=1m,mode=700 $I sh -c 'grep -c \" /t tmpfs\" /proc/mounts; stat -c %a /t'",
                prints: "1\n700\n"),
            Check(
                "--tmpfs over files", "podman run --rm --tmpfs /bin $I sh -c 'ls /bin | grep -c busybox'", prints: "1\n"
            ),
            Check(
                "volumes",
                """
                mkdir -p $SCRATCH/v
                podman run --rm -v $SCRATCH/v:/v $I touch /v/b
                podman run --rm -v $SCRATCH/v:/v:ro $I sh -c 'touch /v/a 2>/dev/null || ls /v'
                """, prints: "b\n"),
            Check("--shm-size", "podman run --rm --shm-size 2m $I sh -c 'df -k /dev/shm | tail -1'", prints: shmLine),
            Check(
                "--device", "podman run --rm --device /dev/null:/dev/mine $I stat -c %t:%T /dev/mine", prints: "1:3\n"),
            Check(
                "cp",
                "echo c >$SCRATCH/c; podman run -d --name c $I sleep 100 >/dev/null; podman cp $SCRATCH/c c:/c; "
                    + "podman exec c cat /c; podman rm -f -t 0 c >/dev/null", prints: "c\n"),
        ])
    }

    @Test("User namespaces, capabilities, seccomp and no-new-privileges are as asked")
    func security() async throws {
        try await compare([
            Check(
                "--uidmap", "podman run --rm --uidmap 0:100000:5000 $I sh -c 'id -u; tr -s \" \" </proc/self/uid_map'",
                prints: "0\n 0 100000 5000\n"),
            Check(
                "--userns auto", "podman run --rm --userns auto:size=1000 $I sh -c 'tr -s \" \" </proc/self/uid_map'",
                prints: " 0 200000 1000\n"),
            Check(
                "--cap-drop", "podman run --rm --cap-drop ALL --cap-add NET_ADMIN $I grep CapEff /proc/self/status",
                prints: "CapEff:\t0000000000001000\n"),
            Check(
                "a user's capabilities",
                "podman run --rm --user 1000 --cap-add NET_ADMIN $I grep -E 'Cap(Eff|Amb)' /proc/self/status",
                prints: "CapEff:\t0000000000001000\nCapAmb:\t0000000000001000\n"),
            Check(
                "no-new-privileges",
                "podman run --rm --security-opt no-new-privileges $I grep NoNewPrivs /proc/self/status",
                prints: "NoNewPrivs:\t1\n"),
            Check("seccomp", "podman run --rm $I grep Seccomp: /proc/self/status", prints: "Seccomp:\t2\n"),
            Check(
                "seccomp=unconfined",
                "podman run --rm --security-opt seccomp=unconfined $I grep Seccomp: /proc/self/status",
                prints: "Seccomp:\t0\n"),
            Check(
                "a refused call", "podman run --rm $I unshare -m true 2>&1 | grep -o 'not permitted'",
                prints: "not permitted\n"),
            Check("mask", "podman run --rm --security-opt mask=/etc $I ls /etc", prints: ""),
            Check(
                "--sysctl", "podman run --rm --sysctl kernel.msgmax=9000 $I cat /proc/sys/kernel/msgmax",
                prints: "9000\n"),
            Check(
                "--privileged",
                "podman run --rm --privileged $I sh -c 'test -c /dev/kmsg && grep Seccomp: /proc/self/status'",
                prints: "Seccomp:\t0\n"),
        ])
    }

    @Test("exec, stats, top, pause, health checks, stop and restart work")
    func life() async throws {
        try await compare([
            Check(
                "exec",
                """
                podman run -d --name e $I sleep 100 >/dev/null
                podman exec e sh -c 'exit 5'; echo $?
                podman exec -u 1000 -w /tmp -e X=1 e sh -c 'id -u; pwd; echo $X'
                podman exec e /nothere; echo $?
                podman rm -f -t 0 e >/dev/null
                """, prints: "5\n1000\n/tmp\n1\n127\n"),
            Check(
                "stats, top",
                """
                podman run -d --name s $I sleep 100 >/dev/null
                podman stats --no-stream --format '{{.Name}} {{.PIDs}}' s
                podman top s pid comm | tail -1 | tr -s ' ' | sed 's/ $//'
                podman rm -f -t 0 s >/dev/null
                """, prints: "s 1\n1 sleep\n"),
            Check(
                "pause",
                """
                podman run -d --name p $I sleep 100 >/dev/null
                podman pause p >/dev/null; podman inspect -f '{{.State.Status}}' p
                podman unpause p >/dev/null; podman inspect -f '{{.State.Status}}' p
                podman exec p echo back
                podman rm -f -t 0 p >/dev/null
                """, prints: "paused\nrunning\nback\n"),
            Check(
                "healthcheck",
                """
                podman run -d --name h --health-cmd 'test -e /ok' --health-interval disable $I sleep 100 >/dev/null
                podman healthcheck run h >/dev/null; echo $?
                podman exec h touch /ok; podman healthcheck run h; echo $?
                podman rm -f -t 0 h >/dev/null
                """, prints: "1\n0\n"),
            Check(
                "stop, start, kill",
                """
                podman run -d --name k $I sh -c 'trap "exit 3" TERM; echo ready; sleep 100 & wait' >/dev/null
                until podman logs k 2>&1 | grep -q ready; do sleep 0.05; done
                podman stop -t 20 k >/dev/null; podman inspect -f '{{.State.ExitCode}} {{.State.Status}}' k
                podman start k >/dev/null; podman kill -s KILL k >/dev/null; podman wait k
                podman rm k >/dev/null
                """, prints: "3 exited\n137\n"),
            Check(
                "shared namespaces",
                """
                podman run -d --name n --hostname shared $I sleep 100 >/dev/null
                podman run --rm --uts container:n --pid container:n --ipc container:n --net container:n $I hostname
                podman rm -f -t 0 n >/dev/null
                """, prints: "shared\n"),
            Check(
                "kube play",
                """
                printf '%s' '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"kp"},"spec":{"hostNetwork":true,
                    "containers":[{"name":"a","image":"localhost/busybox:latest","imagePullPolicy":"Never",
                    "command":["sleep","100"],"resources":{"limits":{"memory":"64Mi"}}}]}}' >$SCRATCH/pod.yaml
                podman kube play $SCRATCH/pod.yaml >/dev/null
                podman inspect -f '{{.State.Status}}' kp-a
                podman exec kp-a sh -c "$(file memory/memory.limit_in_bytes memory.max)"
                podman kube down $SCRATCH/pod.yaml >/dev/null
                """, prints: "running\n67108864\n"),
        ])
    }

    private var shmLine: String { "shm                       2048         0      2048   0% /dev/shm\n" }

    private func compare(_ checks: [Check], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await Scratch.use { scratch in
            let engines = try await [
                Podman.prepared(scratch, "ours", TestBundle.program), Podman.prepared(scratch, "crun", "crun"),
            ]
            for check in checks {
                for engine in engines {
                    let outcome = try await engine.run(check.script)
                    #expect(
                        outcome.output == check.prints, "\(check.name) with \(engine.runtime): \(outcome.errors)",
                        sourceLocation: sourceLocation)
                }
            }
        }
    }
}

/// podman with storage of its own and one runtime.
struct Podman: Sendable {
    let scratch: Scratch
    let name: String
    let runtime: String

    /// Has the sample image; whatever a test leaves is taken away at the end.
    static func prepared(_ scratch: Scratch, _ name: String, _ runtime: String) async throws -> Podman {
        let engine = Podman(scratch: scratch, name: name, runtime: runtime)
        _ = try scratch.directory(name + "/tmp")
        // Limits within this process's own: podman asks for a million files, which needs CAP_SYS_RESOURCE.
        try scratch.write(
            name + "/containers.conf",
            """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
            log_driver = "k8s-file"
            netns = "none"
            [engine]
            cgroup_manager = "cgroupfs"
            events_logger = "file"
            infra_image = "localhost/pause:latest"
            infra_command = "/pause"
            """)
        try scratch.write(
            name + "/storage.conf",
            """
            [storage]
            driver = "vfs"
            graphroot = "\(scratch.file(name))/root"
            runroot = "\(scratch.file(name))/run"
            """)
        try scratch.write(name + "/subids", "containers:200000:65536\n")
        scratch.atEnd {
            _ = try? await engine.run(
                """
                podman pod rm -fa -t 0; podman rm -fa -t 0; podman rmi -fa
                # podman leaves the cgroup above its containers'; where others use it, it isn't empty and stays.
                rmdir /sys/fs/cgroup/libpod_parent /sys/fs/cgroup/*/libpod_parent
                """)
        }
        let loaded = try await engine.run(
            """
            podman load -q -i \(Binaries.repository)/rootfs-samples/out/busybox.tar &&
                tar -C \(Binaries.path("")) -c pause | podman import -q --change 'ENTRYPOINT ["/pause"]' - localhost/pause:latest
            """)
        try #require(loaded.code == 0, "\(loaded.errors)")
        return engine
    }

    /// Runs a script whose `podman` is this one, in a mount namespace of its own: nothing that podman mounts stays, and
    /// crun gets a host that it accepts (it refuses a hybrid one).
    func run(_ script: String) async throws -> Command.Outcome {
        let prelude = """
            \(name == "crun" ? "! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified" : "")
            mount --bind $SCRATCH/subids /etc/subuid && mount --bind $SCRATCH/subids /etc/subgid
            mkdir $SCRATCH/bin 2>/dev/null && printf '#!/bin/sh\\nexec %s --tmpdir %s --runtime %s "$@"\\n' \
                "$(command -v podman)" $SCRATCH/libpod "$(command -v \(runtime))" >$SCRATCH/bin/podman
            chmod +x $SCRATCH/bin/podman
            export PATH=$SCRATCH/bin:$PATH I=localhost/busybox:latest
            # A limit's file on cgroup v1 and on v2, for a shell in the container
            file() { echo "cat /sys/fs/cgroup/$1 /sys/fs/cgroup/$2 2>/dev/null"; }

            """
        return try await Command(
            ["unshare", "-m", "/bin/bash", "-c", prelude + script],
            environment: [
                "SCRATCH": scratch.file(name), "TMPDIR": scratch.file(name) + "/tmp",
                "CONTAINERS_CONF": scratch.file(name) + "/containers.conf",
                "CONTAINERS_STORAGE_CONF": scratch.file(name) + "/storage.conf",
            ]
        ).run()
    }
}
