import FoundationEssentials
import Glibc
import TestKit

/// A docker-registry of the test's own. All that a test starts share their data; the plain one is pushed to.
struct DockerRegistry {
    let authority: String
    private let port: UInt16

    static func start(
        _ scratch: Scratch, tls: TestAuthority? = nil, wantsClient: Bool = false, hasPassword: Bool = false
    ) async throws -> DockerRegistry {
        let port = try freePort()
        let name = "registry-\(port)"
        var text = """
            version: 0.1
            log: {level: error, accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: \(scratch.file("registry"))}}
            http:
              addr: 127.0.0.1:\(port)
              secret: test

            """
        if let tls {
            text += "  tls:\n    certificate: \(tls.serverCertificate)\n    key: \(tls.serverKey)\n"
            if wantsClient { text += "    clientcas: [\(tls.certificate)]\n" }
        }
        if hasPassword {
            // user:secret; the registry takes bcrypt alone.
            try scratch.write("htpasswd", "user:\(passwordHash)\n")
            text += "auth:\n  htpasswd: {realm: test, path: \(scratch.file("htpasswd"))}\n"
        }
        let config = try scratch.write("\(name).yaml", text)
        let log = open(scratch.file("\(name).log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(log) }
        let pid = try Command(["docker-registry", "serve", config]).start(output: log, errors: log)
        scratch.atEnd {
            kill(pid, SIGKILL)
            _ = Command.wait(for: pid)
        }
        try await eventually("docker-registry listens") {
            guard kill(pid, 0) == 0, let socket = LoopbackClient.connect(port) else { return false }
            close(socket)
            return true
        }
        return DockerRegistry(authority: "127.0.0.1:\(port)", port: port)
    }

    private static let passwordHash = "$2y$04$QicnGaADbOQ2Q/gdtfLaV.MqzA.JBZ8F1I/dr9pJqaaDUVmiO2/7u"

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard bound else { throw POSIXFailure("bind", "127.0.0.1") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Pushes an image by the distribution API.
    func push(_ image: ImageTarball, _ repository: String, _ tag: String) async throws {
        for blob in [image.configDocument] + image.layers.map(image.pack) {
            let begun = try ask("POST", "/v2/\(repository)/blobs/uploads/", 202)
            let location = try LoopbackClient.header("location", of: begun)
            let path = location.hasPrefix("http") ? String(location.dropFirst("http://\(authority)".count)) : location
            _ = try ask("PUT", path + (path.contains("?") ? "&" : "?") + "digest=\(sha256(blob))", 201, blob)
        }
        _ = try ask(
            "PUT", "/v2/\(repository)/manifests/\(tag)", 201, image.manifest, type: RegistryContents.manifestType)
    }

    private func ask(
        _ method: String, _ path: String, _ status: Int, _ body: [UInt8] = [], type: String = "application/octet-stream"
    ) throws -> String {
        let answer = try LoopbackClient.ask(port, method, path, body, type: type)
        guard answer.hasPrefix("HTTP/1.1 \(status) ") else { throw Unexpected("\(method) \(path): \(answer)") }
        return answer
    }
}

/// One HTTP request at a time to this machine.
enum LoopbackClient {
    static func connect(_ port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if connected { return descriptor }
        close(descriptor)
        return nil
    }

    /// - Returns: status line, headers and body
    static func ask(
        _ port: UInt16, _ method: String, _ path: String, _ body: [UInt8], type: String
    ) throws -> String {
        guard let descriptor = connect(port) else { throw POSIXFailure("connect", "127.0.0.1:\(port)") }
        defer { close(descriptor) }
        let head =
            "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Length: \(body.count)\r\n"
            + "Content-Type: \(type)\r\nConnection: close\r\n\r\n"
        var rest = (Array(head.utf8) + body)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw POSIXFailure("send", path) }
            rest = rest.dropFirst(count)
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += buffer[..<count]
        }
    }

    static func header(_ name: String, of answer: String) throws -> String {
        for line in answer.split(separator: "\r\n") where line.lowercased().hasPrefix(name + ": ") {
            return String(line.dropFirst(name.count + 2))
        }
        throw Unexpected("no \(name) in \(answer)")
    }
}

/// An authority that nobody trusts, and what it has signed: a server's certificate for 127.0.0.1, and a client's.
struct TestAuthority {
    let certificate: String
    let serverCertificate: String
    let serverKey: String
    let clientCertificate: String
    let clientKey: String

    static func make(_ scratch: Scratch) async throws -> TestAuthority {
        let directory = try scratch.directory("tls")
        func openssl(_ words: String) async throws {
            let outcome = try await Command(["openssl"] + words.split(separator: " ").map(String.init)).run()
            guard outcome.code == 0 else { throw Unexpected("openssl \(words): \(outcome.errors)") }
        }
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        try await openssl(
            "req -x509 \(key) -keyout \(directory)/ca.key -out \(directory)/ca.pem -subj /CN=authority")
        for (name, extra) in [("server", "-addext subjectAltName=IP:127.0.0.1"), ("client", "")] {
            try await openssl(
                "req -x509 \(key) -CA \(directory)/ca.pem -CAkey \(directory)/ca.key -keyout \(directory)/\(name).key "
                    + "-out \(directory)/\(name).pem -subj /CN=\(name) \(extra)")
        }
        return TestAuthority(
            certificate: directory + "/ca.pem", serverCertificate: directory + "/server.pem",
            serverKey: directory + "/server.key", clientCertificate: directory + "/client.pem",
            clientKey: directory + "/client.key")
    }
}
