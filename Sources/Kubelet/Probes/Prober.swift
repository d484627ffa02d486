import CRI
import KubeTypes
import SwiftProtobuf

/// What one asking came to.
enum ProbeOutcome: Sendable, Hashable {
    case success(String)
    case failure(String)
    /// It could not be asked: nothing is known.
    case unknown(String)
}

/// Asks a container how it is.
struct Prober: Sendable {
    let runtime: any RuntimeService

    /// - Parameter limit: the probe's timeout
    func ask(_ target: ProbeTarget, containerID: String, within limit: Duration) async -> ProbeOutcome {
        switch target {
        case .exec(let command): await exec(command, containerID, limit)
        case .http(let get): await http(get, limit)
        case .tcp(let host, let port): await tcp(host, port, limit)
        case .impossible(let why): .unknown(why)
        }
    }

    private func exec(_ command: [String], _ id: String, _ limit: Duration) async -> ProbeOutcome {
        do {
            let reply = try await runtime.execSync(
                CRIExecSyncRequest.with {
                    $0.containerID = id
                    $0.cmd = command
                    $0.timeout = max(1, limit.components.seconds)
                })
            let output = String(decoding: (reply.stdout + reply.stderr).prefix(HTTPGet.bodyLimitBytes), as: UTF8.self)
            return reply.exitCode == 0
                ? .success(output) : .failure(output.isEmpty ? "exit code \(reply.exitCode)" : output)
        } catch {
            switch error.code {
            case .deadlineExceeded: return .failure("command timed out after \(limit.text)")
            default: return .unknown(error.message)
            }
        }
    }

    /// 200 to 399 is well. Redirects are followed on the same host; one that leads elsewhere ends well (upstream's rule).
    private func http(_ first: HTTPGet, _ limit: Duration) async -> ProbeOutcome {
        var get = first
        let deadline = ContinuousClock.now + limit
        for _ in 0...10 {
            let left = deadline - ContinuousClock.now
            guard left > .zero else { return .failure("Get \"\(get.url)\": deadline exceeded") }
            let reply: HTTPGet.Reply
            do {
                reply = try await get.send(within: left)
            } catch {
                return .failure(error.description)
            }
            let isRedirect = [301, 302, 303, 307, 308].contains(reply.status)
            if isRedirect, let location = reply.location {
                guard let next = get.redirected(to: location) else {
                    return .success("Probe terminated redirects, Response body: \(reply.body)")
                }
                get = next
                continue
            }
            return (200..<400).contains(reply.status)
                ? .success(reply.body) : .failure("HTTP probe failed with statuscode: \(reply.status)")
        }
        return .failure("Get \"\(first.url)\": stopped after 10 redirects")
    }

    private func tcp(_ host: String, _ port: Int, _ limit: Duration) async -> ProbeOutcome {
        do {
            try await TCPConnect.attempt(host: host, port: port, within: limit)
            return .success("")
        } catch {
            return .failure(error.description)
        }
    }
}

extension HTTPGet {
    /// The request that a `Location` asks for; nil when it leads to another host or is none.
    func redirected(to location: String) -> HTTPGet? {
        var next = self
        if location.hasPrefix("/"), !location.hasPrefix("//") {
            next.path = location
            return next
        }
        var rest = Substring(location)
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
        } else if let colon = location.range(of: "://") {
            next.scheme = location[..<colon.lowerBound].lowercased()
            rest = location[colon.upperBound...]
        } else {
            let base = path.prefix { $0 != "?" }
            next.path = (base.lastIndex(of: "/").map { String(base[...$0]) } ?? "/") + location
            return next
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest.dropFirst(authority.count)
        next.path = path.isEmpty ? "/" : path.hasPrefix("/") ? String(path) : "/" + path
        next.port = next.scheme == "https" ? 443 : 80
        var host = authority
        if let colon = authority.lastIndex(of: ":"), let port = Int(authority[authority.index(after: colon)...]) {
            next.port = port
            host = authority[..<colon]
        }
        next.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
        return next.host == self.host ? next : nil
    }
}

extension String {
    /// The first place of a text in this one.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
