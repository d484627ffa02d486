import ArgumentParser
import FoundationEssentials
import PodNetwork
import Yams

/// `kubesim check`
public struct CheckCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Tell whether this host is fit to be a node.",
        discussion: """
            Looks at kernel, cgroups, overlayfs (by mounting one on the data directory's disk), network plugins, limits and
            the programs beside this one. Each line is ok, warn (something won't work) or FAIL (no pod will run), with how
            to mend it. Leaves nothing behind. Ends with 1 when anything is FAIL.
            """)

    @OptionGroup(title: "The node") var node: NodeOptions

    @Option(name: [.customShort("o"), .customLong("output")], help: "table, json or yaml.")
    var output: CheckFormat = .table

    public init() {}

    public func run() throws {
        let configuration = try node.configuration()
        let network = NetworkConfiguration()
        let facts = HostObservation.look(
            dataRoot: node.places(configuration).root, confDir: configuration.cniConfDir ?? network.confDir,
            pluginDirectories: configuration.cniBinDirs ?? network.binDirs,
            programDirectory: try Programs.ownDirectory())
        let findings = HostFindings.judge(facts)
        print(try CheckReport(findings: findings).text(output), terminator: "")
        if findings.contains(where: { $0.level == .fail }) { throw ExitCode(1) }
    }
}

/// How the findings are printed.
package enum CheckFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json, yaml
}

/// The findings as people and scripts read them.
package struct CheckReport: Codable {
    /// Whether a node will work here.
    package var fit: Bool
    package var findings: [HostFinding]

    package init(findings: [HostFinding]) {
        self.findings = findings
        fit = !findings.contains { $0.level == .fail }
    }

    /// The text with its final line break.
    package func text(_ format: CheckFormat) throws -> String {
        switch format {
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
        case .yaml: return try YAMLEncoder().encode(self)
        case .table: return table
        }
    }

    private var table: String {
        var table = Table("CHECK", "STATE", "FOUND")
        for finding in findings {
            table.add([finding.check, finding.level == .fail ? "FAIL" : finding.level.rawValue, finding.found])
            if let mend = finding.mend { table.add(["", "", "→ \(mend)"]) }
        }
        let failed = findings.count { $0.level == .fail }
        let warned = findings.count { $0.level == .warn }
        let verdict =
            failed > 0
            ? "This host is not fit: \(failed) to mend."
            : warned > 0
                ? "This host is fit; \(warned) to look at." : "This host is fit."
        return "\(table.text)\n\n\(verdict)\n"
    }
}
