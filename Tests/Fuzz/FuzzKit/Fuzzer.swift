import CFuzzer

/// Runs libFuzzer with the program's own command line over what one reader is given.
///
/// A reader may refuse a text, in its own error; it may not trap, hang, or take memory without bound.
public enum Fuzzer {
    // Set once, before the only thread begins.
    nonisolated(unsafe) private static var reader: ([UInt8]) -> Void = { _ in }

    public static func run(_ reader: @escaping ([UInt8]) -> Void) -> Int32 {
        self.reader = reader
        var count = CommandLine.argc
        var words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        return withUnsafeMutablePointer(to: &words) { words in
            words.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) {
                LLVMFuzzerRunDriver(&count, $0) { data, size in
                    Fuzzer.reader(Array(UnsafeBufferPointer(start: data, count: size)))
                    return 0
                }
            }
        }
    }
}
