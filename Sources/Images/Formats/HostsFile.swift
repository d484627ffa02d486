/// What a `hosts.toml` says of one registry (containerd's documentation, "Registry Configuration"): who is asked for its
/// images, in which order, and how.
struct HostsFile: Equatable, Sendable {
    /// Endpoints in the order in which they are asked; the registry itself is the last.
    var endpoints: [Endpoint]
    /// Keys that mean nothing here, for a warning.
    var unknownKeys: [String]

    struct Endpoint: Equatable, Sendable {
        /// nil for the registry's own default address.
        var address: HostAddress?
        var canPull = true
        var canResolve = true
        /// Files of certificates, as written.
        var authorities: [String] = []
        var clients: [Client] = []
        var skipsVerification = false
        var headers: [Header] = []
        /// The address has the whole path: `/v2` isn't put behind it.
        var overridesPath = false
        var dialTimeout: Duration?
    }

    struct Client: Equatable, Sendable {
        var certificate: String
        /// nil when the certificate's file has the key too.
        var key: String?
    }

    struct Header: Equatable, Sendable {
        var name: String
        var value: String
    }

    static let largestBytes = 256 << 10
    private static let endpointLimit = 64
    private static let headerLimit = 64

    init(endpoints: [Endpoint], unknownKeys: [String] = []) {
        self.endpoints = endpoints
        self.unknownKeys = unknownKeys
    }

    /// - Throws: with the line, or with the key's path
    init(_ bytes: [UInt8]) throws(HostsFileError) {
        let root: TOMLTable
        do throws(TOMLError) {
            root = try TOMLReader.read(bytes)
        } catch {
            throw HostsFileError(reason: error.description)
        }
        self.init(endpoints: [])
        if case .table(let hosts)? = root["host"] {
            guard hosts.keys.count <= Self.endpointLimit else {
                throw HostsFileError(reason: "\(hosts.keys.count) hosts, more than \(Self.endpointLimit)")
            }
            for name in hosts.keys {
                let place = "host.\"\(printable(name.utf8))\""
                guard case .table(let table)? = hosts[name] else {
                    throw HostsFileError(reason: "\(place) must be a table")
                }
                var endpoint = try self.endpoint(table, place, known: [])
                endpoint.address = try Self.address(name, place)
                endpoints.append(endpoint)
            }
        } else if root["host"] != nil {
            throw HostsFileError(reason: "host must be a table of URLs, like [host.\"https://mirror.example\"]")
        }
        var server = try endpoint(root, "", known: ["server", "host"])
        if let text = try Self.string(root, "server", "") {
            server.address = try Self.address(text.contains("://") ? text : "https://" + text, "server")
        }
        if !endpoints.contains(where: { $0.address != nil && $0.address == server.address }) {
            endpoints.append(server)
        }
    }

    private mutating func endpoint(
        _ table: TOMLTable, _ place: String, known: Set<String>
    ) throws(HostsFileError) -> Endpoint {
        var endpoint = Endpoint()
        for key in table.keys where !known.contains(key) {
            let path = place.isEmpty ? key : place + "." + printable(key.utf8)
            switch key {
            case "capabilities":
                let capabilities = try Self.strings(table[key], path)
                endpoint.canPull = capabilities.contains("pull")
                endpoint.canResolve = capabilities.contains("resolve")
            case "ca": endpoint.authorities = try Self.strings(table[key], path)
            case "client": endpoint.clients = try Self.clients(table[key], path)
            case "skip_verify": endpoint.skipsVerification = try Self.boolean(table, key, path)
            case "override_path": endpoint.overridesPath = try Self.boolean(table, key, path)
            case "header": endpoint.headers = try Self.headers(table[key], path)
            case "dial_timeout":
                guard let text = try Self.string(table, key, place), let timeout = goDuration(text) else {
                    throw HostsFileError(reason: "\(path) must be a duration like \"3s\"")
                }
                endpoint.dialTimeout = timeout
            default: unknownKeys.append(path)
            }
        }
        return endpoint
    }

    // MARK: Values

    private static func address(_ text: String, _ place: String) throws(HostsFileError) -> HostAddress {
        guard let address = HostAddress(text) else {
            throw HostsFileError(reason: "\(place) must be a URL like \"https://mirror.example:5000\"")
        }
        return address
    }

    private static func string(_ table: TOMLTable, _ key: String, _ place: String) throws(HostsFileError) -> String? {
        switch table[key] {
        case nil: return nil
        case .string(let text): return text
        default: throw HostsFileError(reason: "\(place.isEmpty ? key : place + "." + key) must be a text")
        }
    }

    private static func boolean(_ table: TOMLTable, _ key: String, _ path: String) throws(HostsFileError) -> Bool {
        guard case .boolean(let value)? = table[key] else {
            throw HostsFileError(reason: "\(path) must be true or false")
        }
        return value
    }

    /// A text, or a list of texts.
    private static func strings(_ value: TOMLValue?, _ path: String) throws(HostsFileError) -> [String] {
        switch value {
        case .string(let text): return [text]
        case .array(let items):
            var texts: [String] = []
            for item in items {
                guard case .string(let text) = item else { break }
                texts.append(text)
            }
            if texts.count == items.count { return texts }
            fallthrough
        default: throw HostsFileError(reason: "\(path) must be a text or a list of texts")
        }
    }

    /// One file; a list of files; or a list of pairs of certificate and key.
    private static func clients(_ value: TOMLValue?, _ path: String) throws(HostsFileError) -> [Client] {
        guard case .array(let items)? = value, items.contains(where: { if case .array = $0 { true } else { false } })
        else {
            return try strings(value, path).map { Client(certificate: $0, key: nil) }
        }
        var clients: [Client] = []
        for item in items {
            let pair = try strings(item, path)
            guard pair.count == 1 || pair.count == 2 else {
                throw HostsFileError(reason: "\(path) must be pairs of certificate and key")
            }
            clients.append(Client(certificate: pair[0], key: pair.count == 2 ? pair[1] : nil))
        }
        return clients
    }

    private static func headers(_ value: TOMLValue?, _ path: String) throws(HostsFileError) -> [Header] {
        guard case .table(let table)? = value else { throw HostsFileError(reason: "\(path) must be a table") }
        var headers: [Header] = []
        for name in table.keys {
            let place = path + "." + printable(name.utf8)
            guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
                throw HostsFileError(reason: "\(place) is no header's name")
            }
            for text in try strings(table[name], place) {
                guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
                    throw HostsFileError(reason: "\(place) has a control character in it")
                }
                headers.append(Header(name: name, value: text))
            }
        }
        guard headers.count <= headerLimit else {
            throw HostsFileError(reason: "\(path): \(headers.count) headers, more than \(headerLimit)")
        }
        return headers
    }

    /// RFC 9110, 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}

/// What is wrong with a `hosts.toml`.
struct HostsFileError: Error, Hashable {
    var reason: String
}
