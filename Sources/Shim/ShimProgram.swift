import CLinux
import Glibc
import Linux
import ShimProtocol

/// The program `kubesim-shim`.
public enum ShimProgram {
    /// Runs it and ends the process: 0, 1 with one line on standard error, or 2 for wrong usage.
    public static func main(_ arguments: [String]) -> Never {
        switch arguments.dropFirst().first {
        case "start": start(arguments.dropFirst(2))
        case "connect": PodConnect.main(arguments.dropFirst(2))
        case "version", "--version", "-v":
            say("kubesim-shim \(ShimServer.version)\n", STDOUT_FILENO)
            exit(0)
        case "help", "--help", "-h":
            say(ShimOptions.usage, STDOUT_FILENO)
            exit(0)
        default:
            say(ShimOptions.usage, STDERR_FILENO)
            exit(2)
        }
    }

    private static func start(_ arguments: some Sequence<String>) -> Never {
        let options: ShimOptions
        do throws(ShimFailure) {
            options = try ShimOptions(arguments)
        } catch {
            say("kubesim-shim: \(error)\n", STDERR_FILENO)
            exit(2)
        }
        do throws(ShimFailure) {
            try Daemon.start(options)
        } catch {
            say("kubesim-shim: \(error)\n", STDERR_FILENO)
            exit(1)
        }
        exit(0)
    }

    private static func say(_ text: String, _ descriptor: Int32) {
        var text = text
        text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
    }
}
