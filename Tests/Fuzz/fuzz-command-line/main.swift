import FuzzKit
import Glibc

@testable import OCIRuntime

/// A command line, a word a line: its flags, and the values that have a grammar of their own.
func read(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let words = lines.map { String(decoding: $0, as: UTF8.self) }
    var arguments = Arguments(words)
    if (try? GlobalOptions(&arguments)) != nil, let syntax = arguments.next().flatMap(CommandSyntax.of) {
        _ = try? arguments.flags(of: syntax)
        _ = try? arguments.nextID()
    }
    for word in words.prefix(8) {
        _ = ByteCount.parse(word)
        _ = Interval.parse(word)
        _ = SystemdProperty.parse(word)
        _ = try? MountOptions([word])
        _ = MountPlan.cleaned(word)
    }
}

exit(Fuzzer.run(read))
