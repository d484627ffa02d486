import CRI
import JSON

/// What `inspect`, `inspectp`, `inspecti` and `info` print: the status, and the runtime's verbose info expanded.
enum StatusDocument {
    /// Joins a status with the info map that the runtime sends along.
    ///
    /// Values of the map that are JSON objects are expanded, so that a runtime which sends `info: "{\"pid\":1,…}"` gives
    /// `info.pid`; every other value stays text, without the quotes around it.
    static func make(status: JSONValue?, info: [String: String], more: [(String, JSONValue)] = []) -> JSONValue {
        var document = JSONObject()
        if let status { document["status"] = status }
        for (key, value) in more { document[key] = value }
        for (key, text) in info {
            if text.hasPrefix("{"), let value = try? JSONValue.parse(Array(text.utf8)) {
                document[key] = value
            } else {
                document[key] = .string(trimmingQuotes(text))
            }
        }
        return JSONValue.object(document).sortedByKey()
    }

    /// One status stands alone, several are a list.
    static func joined(_ documents: [JSONValue]) -> JSONValue {
        documents.count == 1 ? documents[0] : .array(documents)
    }

    /// A container's status, its times readable; a container that didn't start, or end, has Go's zero time there.
    static func container(_ status: CRIContainerStatus) throws -> JSONValue {
        var document = ProtoDocument.membersWithNulls(try ProtoDocument.value(of: status), of: "ContainerStatus")
        let started = status.state != .containerCreated
        let ended =
            status.state == .containerExited || (status.state == .containerUnknown && status.finishedAt > 0)
        document["createdAt"] = .string(Timestamp.text(nanoseconds: status.createdAt))
        document["startedAt"] = .string(started ? Timestamp.text(nanoseconds: status.startedAt) : Timestamp.zero)
        document["finishedAt"] = .string(ended ? Timestamp.text(nanoseconds: status.finishedAt) : Timestamp.zero)
        return document
    }

    /// A sandbox's status, its time readable.
    static func sandbox(_ status: CRIPodSandboxStatus) throws -> JSONValue {
        var document = ProtoDocument.membersWithNulls(try ProtoDocument.value(of: status), of: "PodSandboxStatus")
        document["createdAt"] = .string(Timestamp.text(nanoseconds: status.createdAt))
        return document
    }

    private static func trimmingQuotes(_ text: String) -> String {
        var text = Substring(text)
        while text.hasPrefix("\"") { text = text.dropFirst() }
        while text.hasSuffix("\"") { text = text.dropLast() }
        return String(text)
    }
}
