import CLinux
import Glibc
import Linux

/// The program `kubesim-oci`.
public enum OCIRuntime {
    /// Runs one command.
    /// - Parameter arguments: with the program's name first.
    /// - Returns: the code to exit with: 0, 1 after an error that was told (255 for `exec`), or the container's own.
    public static func main(_ arguments: [String]) -> Int32 {
        var words = Arguments(arguments.dropFirst())
        var log = Log()
        do throws(RuntimeError) {
            var options = try GlobalOptions(&words)
            log = options.log
            if options.showsVersion {
                Output.text(Version.text)
                return 0
            }
            guard let command = words.next(), !options.showsHelp else {
                Output.text(Usage.text)
                return 0
            }
            if CommandSyntax.of(command) != nil { options.log.speaker += " \(command) failed" }
            log = options.log
            return try Commands.run(command, &words, options)
        } catch {
            log.final(error)
            return 1
        }
    }
}

extension Log {
    init(path: String?) { self.init(path: path, format: .text, showsDebug: false) }
}
