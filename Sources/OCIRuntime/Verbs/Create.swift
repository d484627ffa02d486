import Glibc
import Linux

/// `create`: the container is there, its process waits for `start`.
enum Create {
    static func run(_ request: LaunchRequest) throws(RuntimeError) {
        let container = try Launch.create(request, .start)
        container.undo.keep()
    }
}
