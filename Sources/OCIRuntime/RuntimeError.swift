import Cgroups
import Linux

/// Why a verb failed, in one line for people: the step, what it was about, and the reason.
public struct RuntimeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The whole line, without a newline.
    public let description: String
    /// The kernel refused to execute the container's program: the line is about that alone, as a shell's would be.
    let isExecution: Bool

    public init(_ description: String) { self.init(description, isExecution: false) }

    init(_ description: String, isExecution: Bool) {
        self.description = description
        self.isExecution = isExecution
    }

    /// "step: call path: No such file or directory".
    init(_ step: String, _ cause: SystemError) { self.init("\(step): \(cause)") }
}

/// Runs one step of a plan; a kernel error comes out with the step's name in front.
@inline(__always) @discardableResult
func step<Value: ~Copyable>(
    _ name: @autoclosure () -> String, _ body: () throws(SystemError) -> Value
) throws(RuntimeError) -> Value {
    do throws(SystemError) {
        return try body()
    } catch {
        throw RuntimeError(name(), error)
    }
}

/// Runs what belongs to a step that is named already.
@inline(__always)
func kernel<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(RuntimeError) -> Value {
    do throws(SystemError) {
        return try body()
    } catch {
        throw RuntimeError(error.description)
    }
}

/// Runs what the cgroups' room does; its errors name step and path already.
func cgroups<Value>(_ body: () throws(CgroupError) -> Value) throws(RuntimeError) -> Value {
    do throws(CgroupError) {
        return try body()
    } catch {
        throw RuntimeError(error.description)
    }
}

/// What was made so far on the way to something bigger; unless it is kept, all of it is undone, last first.
final class Undo {
    private var steps: [() -> Void] = []

    func add(_ step: @escaping () -> Void) { steps.append(step) }

    /// It has all worked out: nothing is undone any more.
    func keep() { steps.removeAll() }

    /// Undoes everything now.
    func run() {
        while let step = steps.popLast() { step() }
    }

    deinit { run() }
}
