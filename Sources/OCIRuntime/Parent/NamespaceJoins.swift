import CLinux
import Glibc
import Linux

/// The namespaces that a container joins by path, opened.
///
/// All but user and mount are joined by the parent for the moment of the clone, with the parent's full rights, and left again.
/// The mount namespace is joined by the child; the user namespace by an intermediate, which then clones the init inside it.
struct NamespaceJoins: ~Copyable {
    private var opened: [(kind: Namespace, descriptor: Int32, path: String)] = []
    private var own: [(kind: Namespace, descriptor: Int32)] = []

    init(_ joins: [NamespacePlan.Join]) throws(RuntimeError) {
        for join in joins {
            let descriptor = try step("linux.namespaces \(join.kind.procName)") { () throws(SystemError) in
                let file = try File.open(join.path, O_RDONLY)
                if try FilesystemStatistics(of: file).type != FilesystemStatistics.nsfsMagic {
                    throw SystemError("open (not a namespace)", path: join.path, errno: .invalid)
                }
                return file.release()
            }
            opened.append((join.kind, descriptor, join.path))
        }
    }

    deinit {
        for join in opened { close(join.descriptor) }
        for join in own { close(join.descriptor) }
    }

    var user: Int32? { opened.first { $0.kind == .user }?.descriptor }

    /// What the child does itself.
    var inChild: [(kind: Namespace, descriptor: Int32, path: String)] { opened.filter { $0.kind == .mount } }

    /// Runs `body` inside the joined namespaces and comes back.
    mutating func inside<Value>(_ body: () throws(RuntimeError) -> Value) throws(RuntimeError) -> Value {
        let here = opened.filter { $0.kind != .user && $0.kind != .mount }
        if here.isEmpty { return try body() }
        for join in here {
            let descriptor = try step("own namespace") { () throws(SystemError) in
                try File.open("/proc/self/ns/\(join.kind.procName)").release()
            }
            own.append((join.kind, descriptor))
        }
        var failure: RuntimeError?
        do throws(RuntimeError) {
            for join in here {
                try step("join namespace") { () throws(SystemError) in try join.kind.join(join.descriptor, join.path) }
            }
        } catch {
            failure = error
        }
        var result: Result<Value, RuntimeError>?
        if failure == nil {
            do throws(RuntimeError) { result = .success(try body()) } catch { result = .failure(error) }
        }
        for join in own {
            try step("leave namespace") { () throws(SystemError) in try join.kind.join(join.descriptor) }
        }
        if let failure { throw failure }
        guard let result else { throw RuntimeError("join namespace: no result") }
        return try result.get()
    }
}
