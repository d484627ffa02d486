import CLinux
import JSON
import Linux

/// Which versions of the specification plugins speak, asked once for each program file: a new file is asked anew.
actor PluginVersions {
    private struct Identity: Hashable {
        var path: String
        var device: UInt64
        var inode: UInt64
        var size: UInt64
        var modifiedNanoseconds: Int64
    }

    /// As many programs as a host may have, several times over.
    private static let mostPrograms = 256

    private let runner: PluginRunner
    private var known: [Identity: Set<SpecVersion>?] = [:]

    init(runner: PluginRunner) { self.runner = runner }

    /// The versions that a plugin's program says it speaks; nil if it doesn't say.
    ///
    /// - Throws: `NetworkError` when there is no such program.
    func versions(of plugin: String) async throws(NetworkError) -> Set<SpecVersion>? {
        guard let path = runner.find(plugin) else {
            throw NetworkError(
                .pluginMissing, plugin: plugin, reason: PluginRunner.missing([plugin], in: runner.binDirs))
        }
        let identity: Identity
        do throws(SystemError) {
            let status = try FileStatus(path)
            identity = Identity(
                path: path, device: status.raw.device, inode: status.inode, size: status.size,
                modifiedNanoseconds: status.modifiedNanoseconds)
        } catch {
            throw NetworkError(.host, plugin: plugin, reason: "\(error)")
        }
        if let versions = known[identity] { return versions }
        let answer: JSONValue?
        do throws(NetworkError) {
            answer = try await runner.run(Invocation.version(plugin: plugin, binDirs: runner.binDirs))
        } catch {
            answer = nil
        }
        let texts = answer?["supportedVersions"]?.arrayValue?.compactMap(\.stringValue)
        let versions = texts.map { Set($0.compactMap { SpecVersion($0) }) }
        if known.count >= PluginVersions.mostPrograms { known = [:] }
        known[identity] = .some(versions)
        return versions
    }
}

extension NetworkList {
    /// The same list in the newest of its versions that every plugin speaks (CNI 1.1.0, section 1, Version considerations).
    ///
    /// Who offers one version alone is taken at his word: its plugins say themselves whether they speak it.
    func negotiated(_ versions: PluginVersions) async throws(NetworkError) -> NetworkList {
        if offered.count == 1 { return self }
        var common = Set(offered)
        for plugin in plugins {
            guard let type = plugin["type"]?.stringValue else { continue }
            if let spoken = try await versions.versions(of: type) { common.formIntersection(spoken) }
        }
        guard let best = common.max() else {
            throw NetworkError(
                .configuration,
                reason: "the plugins of network \(name) have none of its versions "
                    + offered.map(\.text).joined(separator: ", ") + " in common")
        }
        var list = self
        list.version = best
        return list
    }
}
