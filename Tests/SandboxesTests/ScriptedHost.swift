import Glibc
import Linux
import PodNetwork
import TestKit
import Testing

@testable import Sandboxes

/// What goes wrong once in a pod's life: who is killed or stopped, at which command, before, after or in the middle of it.
struct Fault: Sendable, CustomStringConvertible {
    enum Victim: String, Sendable { case runtime, shim, plugin }
    enum Moment: String, Sendable { case before, middle, after }
    enum Signal: String, Sendable { case KILL, STOP }

    var victim: Victim
    /// A verb of the OCI runtime or of a CNI plugin, or `daemon`, the shim's own start.
    var command: String
    /// Whose command it is: the pod's own process or its container; nothing for a plugin or the shim's start.
    var subject = ""
    var moment: Moment
    var signal: Signal

    /// Safe as a name of a file, of a pod and of a runtime handler.
    var description: String {
        [victim.rawValue, command, subject, moment.rawValue, signal.rawValue].filter { !$0.isEmpty }
            .joined(separator: "-").lowercased()
    }

    /// The OCI runtime and the shim at every command of a life, and the plugin at each of its own.
    static let all: [Fault] = {
        var all: [Fault] = []
        for signal in [Signal.KILL, .STOP] {
            for subject in ["pause", "container"] {
                for command in ["create", "start", "delete"] {
                    for moment in [Moment.before, .after] {
                        for victim in [Victim.runtime, .shim] {
                            all.append(
                                Fault(
                                    victim: victim, command: command, subject: subject, moment: moment, signal: signal))
                        }
                    }
                }
                all.append(
                    Fault(victim: .runtime, command: "create", subject: subject, moment: .middle, signal: signal))
            }
            for command in ["add", "del"] {
                for moment in [Moment.before, .after] {
                    all.append(Fault(victim: .plugin, command: command, moment: moment, signal: signal))
                }
            }
            for moment in [Moment.before, .after] {
                all.append(Fault(victim: .shim, command: "daemon", moment: moment, signal: signal))
            }
        }
        return all
    }()
}

/// Scripts in the places of the OCI runtime, the shim and a CNI plugin, which run the real ones and do once what a fault says.
struct ScriptedHost {
    let scratch: Scratch

    /// A runtime for each fault, by its name; the shim's and the plugins' faults find their pod by other ways.
    func prepare(_ changes: inout EngineFixture.Changes, _ faults: [Fault]) throws {
        let state = changes.engine.state
        for fault in faults where fault.command != "daemon" && fault.victim != .plugin {
            let path = try runtime(fault, real: changes.engine.runtimePath, state: state)
            changes.engine.runtimeHandlers[fault.description] = RuntimeHandler(path: path)
        }
        changes.engine.shimPath = try shim(real: changes.engine.shimPath)
        changes.network.binDirs = [try plugin(changes.network.binDirs)] + changes.network.binDirs
        for fault in faults where fault.victim == .plugin {
            try arm("plugin", fault.description, "\(fault.command.uppercased()) \(fault.moment) \(fault.signal)")
        }
    }

    private func arm(_ kind: String, _ name: String, _ text: String) throws {
        _ = try scratch.directory("faults/\(kind)")
        try scratch.write("faults/\(kind)/\(name)", text + "\n")
    }

    /// The next shim that is started meets this fault.
    func armShim(_ fault: Fault) throws { try arm("shim", "next", "\(fault.moment) \(fault.signal)") }

    private func script(_ name: String, _ text: String) throws -> String {
        let path = try scratch.write(name, "#!/bin/sh\n" + text)
        try #require(chmod(path, 0o755) == 0)
        return path
    }

    private func runtime(_ fault: Fault, real: String, state: String) throws -> String {
        _ = try scratch.directory("runtimes")
        let plan = try scratch.write("runtimes/\(fault).plan", "")
        // A hook runs in the middle of create, as a child of the runtime; this one also waits to be killed with it.
        let hook = try script(
            "runtimes/\(fault).hook",
            "kill -\(fault.signal) $PPID\nsleep 5\n")
        return try script(
            "runtimes/\(fault)",
            """
            verb= id= bundle= last=
            for word in "$@"; do
                case $word in create|start|delete|kill|exec) [ -n "$verb" ] || verb=$word;; esac
                [ ${#word} = 64 ] && id=$word
                [ "$last" = --bundle ] && bundle=$word
                last=$word
            done
            subject=container
            [ -d "\(state)/sandboxes/$id" ] && subject=pause
            fault() {
                [ "$verb $subject $1" = "\(fault.command) \(fault.subject) \(fault.moment)" ] || return
                rm "\(plan)" 2>/dev/null || return
                \(fault.victim == .shim ? "kill -\(fault.signal) $PPID" : "kill -\(fault.signal) $$")
            }
            fault before
            if [ "$verb $subject" = "\(fault.command) \(fault.subject)" ] && [ \(fault.moment) = middle ] && rm "\(plan)" 2>/dev/null; then
                sed -i 's|^{|{"hooks":{"createRuntime":[{"path":"\(hook)"}]},|' "$bundle/config.json"
            fi
            "\(real)" "$@"
            code=$?
            fault after
            exit $code
            """)
    }

    private func shim(real: String) throws -> String {
        try script(
            "scripted-shim",
            """
            [ "$1" = start ] || exec "\(real)" "$@"
            directory= last=
            for word in "$@"; do [ "$last" = --dir ] && directory=$word; last=$word; done
            moment= signal=
            plan="\(scratch.path)/faults/shim/next"
            [ -e "$plan" ] && read -r moment signal < "$plan" && rm "$plan"
            [ "$moment" = before ] && kill -$signal $$
            "\(real)" "$@" || exit
            if [ "$moment" = after ]; then kill -$signal $(cat "$directory/shim.pid"); fi
            exit 0
            """)
    }

    private func plugin(_ directories: [String]) throws -> String {
        let real = try #require(directories.first { File.exists($0 + "/bridge") }.map { $0 + "/bridge" })
        let directory = try scratch.directory("plugins")
        _ = try script(
            "plugins/bridge",
            """
            pod=${CNI_ARGS##*K8S_POD_NAME=}
            plan="\(scratch.path)/faults/plugin/${pod%%;*}"
            fault() {
                [ -e "$plan" ] && read -r command moment signal < "$plan" && [ "$command $moment" = "$CNI_COMMAND $1" ] || return
                rm "$plan" 2>/dev/null && kill -$signal $$
            }
            fault before
            "\(real)"
            code=$?
            fault after
            exit $code
            """)
        return directory
    }
}
