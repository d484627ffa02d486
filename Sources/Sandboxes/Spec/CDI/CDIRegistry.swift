import CRI
import JSON
import Linux

/// The CDI devices of this host, as the files in its directories describe them.
///
/// Each look reads the files anew: a vendor's driver may have written them a moment ago, and only containers that ask for
/// such a device pay for it.
struct CDIRegistry: Sendable {
    /// A device with the edits of its whole file.
    struct Device: Sendable {
        var edits: CDIEdits
        var file: Int
        var rank: Int
    }

    private static let mostFiles = 512
    private static let largestFileBytes = 4 << 20
    static let annotationPrefix = "cdi.k8s.io/"

    /// By `vendor/class=name`; several of the best rank contradict each other.
    private(set) var devices: [String: [Device]] = [:]
    /// The edits that go with any device of a file.
    private(set) var common: [CDIEdits] = []
    /// Why files were left out, for the error that a missing device gets.
    private(set) var problems: [String] = []

    /// Reads the directories; of later ones a device counts more. One that isn't there holds none. Blocking.
    init(directories: [String]) {
        for (rank, directory) in directories.enumerated() {
            let names = ((try? Directory.names(directory)) ?? []).sorted()
            for name in names.prefix(Self.mostFiles) {
                let isJSON = name.hasSuffix(".json")
                guard isJSON || name.hasSuffix(".yaml") || name.hasSuffix(".yml") else { continue }
                let path = "\(directory)/\(name)"
                do {
                    let bytes = try File.read(path, limit: Self.largestFileBytes)
                    try add(try CDIDocument.parse(bytes, isJSON: isJSON), rank: rank)
                } catch let error as CRIError {
                    problems.append("\(path): \(error.message)")
                } catch {
                    problems.append("\(path): \(error)")
                }
            }
        }
    }

    private mutating func add(_ document: JSONValue, rank: Int) throws(CRIError) {
        guard let version = document["cdiVersion"]?.stringValue, Self.isKnown(version: version) else {
            throw CRIError(.invalidArgument, "cdiVersion is missing, or newer than 1")
        }
        guard let kind = document["kind"]?.stringValue, Self.isKind(kind) else {
            throw CRIError(.invalidArgument, "kind is not vendor/class")
        }
        let shared = try CDIEdits(document["containerEdits"])
        var found: [(String, CDIEdits)] = []
        for device in document["devices"]?.arrayValue ?? [] {
            guard let name = device["name"]?.stringValue, Self.isName(name) else {
                throw CRIError(.invalidArgument, "a device's name is missing or none")
            }
            found.append((name, try CDIEdits(device["containerEdits"])))
        }
        // Nothing of a file counts unless all of it can be read.
        common.append(shared)
        for (name, edits) in found {
            let key = "\(kind)=\(name)"
            let best = devices[key]?.first?.rank ?? -1
            if rank > best { devices[key] = [] }
            devices[key, default: []].append(Device(edits: edits, file: common.count - 1, rank: rank))
        }
    }

    /// The edits for these devices, those of their files first and once.
    ///
    /// - Throws: `.invalidArgument` naming a device that isn't there, or that two files describe
    func edits(for names: [String]) throws(CRIError) -> [CDIEdits] {
        var files: Set<Int> = []
        var edits: [CDIEdits] = []
        for name in names {
            guard let found = devices[name], let device = found.first else {
                let why = problems.isEmpty ? "" : " (not read: \(problems.prefix(4).joined(separator: "; ")))"
                throw CRIError(.invalidArgument, "CDI device \"\(name.prefix(200))\": no file describes it\(why)")
            }
            guard found.count == 1 else {
                throw CRIError(.invalidArgument, "CDI device \"\(name)\": \(found.count) files describe it")
            }
            if files.insert(device.file).inserted { edits.append(common[device.file]) }
            edits.append(device.edits)
        }
        return edits
    }

    /// The devices that a config names, in its field and in its annotations, each once.
    static func names(_ config: CRIContainerConfig) throws(CRIError) -> [String] {
        var names = config.cdiDevices.map(\.name)
        for (key, value) in config.annotations.sorted(by: { $0.key < $1.key }) where key.hasPrefix(annotationPrefix) {
            names += value.split(separator: ",").map { $0.drop { $0 == " " } }.map(String.init)
        }
        var seen: Set<String> = []
        for name in names {
            let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, isKind(String(parts[0])), isName(String(parts[1])) else {
                throw CRIError(.invalidArgument, "CDI device \"\(name.prefix(200))\": not vendor/class=name")
            }
        }
        return names.filter { seen.insert($0).inserted }
    }

    /// 0.3.0 up to 1.x.
    private static func isKnown(version: String) -> Bool {
        let parts = version.split(separator: ".").map { Int($0) }
        guard parts.count == 3, let major = parts[0], let minor = parts[1] else { return false }
        return major == 1 || major == 0 && minor >= 2
    }

    private static func isKind(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { isName(String($0)) && $0.first?.isLetter == true }
    }

    /// Letters and digits, and `_-.:` in between.
    private static func isName(_ text: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        guard let first = text.utf8.first, let last = text.utf8.last, text.utf8.count <= 253 else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && text.utf8.allSatisfy { isAlphanumeric($0) || "_-.:".utf8.contains($0) }
    }
}
