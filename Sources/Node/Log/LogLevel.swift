import Logging

extension Logger.Level {
    /// A level as a flag or the configuration file names it.
    ///
    /// - Throws: ``NodeError`` that lists the levels.
    static func named(_ text: String) throws(NodeError) -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            throw NodeError("no log level \"\(text)\": trace, debug, info, notice, warning, error or critical")
        }
        return level
    }
}
