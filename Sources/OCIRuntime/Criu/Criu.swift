import CLinux
import Glibc
import Linux

/// The program criu.
enum Criu {
    /// Runs a plan to its end.
    /// - Parameters:
    ///   - log: the file that criu writes, whose last errors are told.
    ///   - started: called with criu's process id, once it runs.
    static func run(
        _ plan: CriuPlan, log: String, started: (pid_t) throws(RuntimeError) -> Void = { _ in }
    ) throws(RuntimeError) {
        guard let program = SearchPath.find("criu") else {
            throw RuntimeError("\(plan.words[0]): criu isn't in PATH")
        }
        var opened: [Int32] = []
        defer { for number in opened { close(number) } }
        for path in plan.namespacePaths {
            opened.append(try step("criu") { () throws(SystemError) in try File.open(path).release() })
        }
        var spawn = Spawn(program, ["criu"] + plan.words)
        spawn.descriptors = [0, 1, 2] + opened + (plan.statusDescriptor.map { [$0] } ?? [])
        let child = try step("criu") { () throws(SystemError) in try spawn.start() }
        do throws(RuntimeError) {
            try started(child.pid)
        } catch {
            try? child.pidfd.signal(SIGKILL)  // it may have ended by itself
            _ = try? child.pidfd.wait()
            throw error
        }
        let status = try step("criu") { () throws(SystemError) in try child.pidfd.wait() }
        if status == .exited(code: 0) { return }
        let ending: String
        switch status {
        case .exited(let code): ending = "exit code \(code)"
        case .signalled(let signal): ending = "signal \(signal)"
        case nil: ending = "unknown"
        }
        throw RuntimeError("criu \(plan.words[0]) failed (\(ending)): \(said(log)) (log file: \(log))")
    }

    /// The last lines in which criu complains.
    private static func said(_ log: String) -> String {
        // Without a log its words on standard error are all there is.
        let text = (try? File.readText(log, limit: 16 << 20)) ?? ""
        let lines = text.split(separator: "\n").filter { line in
            line.split(separator: " ").contains { $0 == "Error" || $0.hasPrefix("Error(") }
        }
        return lines.isEmpty ? "it wrote no error into its log" : lines.suffix(3).joined(separator: "; ")
    }
}
