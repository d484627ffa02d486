import Glibc

/// Standard output, a line at a time and at once: whoever watches a node mustn't wait for a buffer to fill.
enum StandardOutput {
    static func line(_ text: String) {
        print(text)
        fflush(nil)
    }
}
