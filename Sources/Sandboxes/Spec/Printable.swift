/// A caller's text, fit to be shown on a terminal and in a log line: at most 100 characters, none of them a control character.
func printable(_ text: String) -> String {
    String(text.unicodeScalars.prefix(100).map { $0.value < 32 || $0.value == 127 ? "?" : Character($0) })
}
