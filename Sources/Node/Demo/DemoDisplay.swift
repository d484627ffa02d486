import Images
import Kubelet

/// Shows a person what a node does: a line a step, with the time that each pod took so far.
///
/// A pure translation of events to lines, but for the clock marks that it remembers.
package struct DemoDisplay {
    private let color: Bool
    private var accepted: [String: WallTime] = [:]
    private var running: Set<String> = []

    package init(color: Bool) { self.color = color }

    /// The line for a pod's step; nil for a step that would only be noise.
    package mutating func line(_ progress: PodProgress) -> String? {
        let pod = progress.name
        switch progress.step {
        case .accepted(let file):
            accepted[progress.uid] = progress.at
            return row(pod, "accepted", file.split(separator: "/").last.map(String.init) ?? file)
        case .adopted: return row(pod, "adopted", "was running already, and goes on")
        case .notDone(let fields):
            return row(
                pod, "not done", paint("these fields have no effect yet: " + fields.joined(separator: ", "), .yellow))
        case .sandboxCreated(let ip): return row(pod, "sandbox", ip ?? "on the host's network", elapsed(progress))
        case .pulled: return nil
        case .created: return nil
        case .started(let container): return row(pod, "started", "container \(container)", elapsed(progress))
        case .exited(let container, let code, let reason):
            return row(pod, "exited", "container \(container): \(reason) (exit code \(code))")
        case .killing(let container, let why): return row(pod, "killing", "container \(container): \(why)")
        case .ready:
            running.insert(progress.uid)
            return row(pod, "Running", paint("every container is ready", .green), elapsed(progress))
        case .unready: return row(pod, "unready", paint("a container is not ready any more", .yellow))
        case .failed(let container, let reason, let message):
            let subject = container.map { "container \($0): " } ?? ""
            return row(pod, "waits", paint("\(subject)\(reason): \(message)", .yellow))
        case .finished(let phase): return row(pod, phase, paint("has done its work", .green), elapsed(progress))
        case .stopping: return row(pod, "stopping", "")
        case .gone: return row(pod, "gone", "")
        }
    }

    /// The line for what became of a file in the images directory.
    package func line(_ event: ImageDropFolder.Event) -> String? {
        switch event {
        case .progress, .ready: nil
        case .loaded(_, let images):
            images.map { row($0.repoTags.first ?? $0.id, "image", ByteCount.text($0.size)) }.joined(separator: "\n")
        case .refused(let file, let error):
            row(file.split(separator: "/").last.map(String.init) ?? file, "refused", paint(error.description, .yellow))
        }
    }

    private func elapsed(_ progress: PodProgress) -> String {
        guard let start = accepted[progress.uid] else { return "" }
        let milliseconds = max(0, (progress.at.nanoseconds - start.nanoseconds) / 1_000_000)
        return "after \(milliseconds) ms"
    }

    private func row(_ subject: String, _ verb: String, _ rest: String, _ time: String = "") -> String {
        let columns = [pad(subject, 28), pad(verb, 10), rest, time.isEmpty ? "" : paint(time, .faint)]
        return "  " + columns.filter { !$0.isEmpty }.joined(separator: " ")
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private enum Paint: String {
        case green = "32"
        case yellow = "33"
        case faint = "2"
    }

    private func paint(_ text: String, _ paint: Paint) -> String {
        color ? "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m" : text
    }
}
