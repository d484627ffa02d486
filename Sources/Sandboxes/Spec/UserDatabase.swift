import CRI

/// The users and groups that an image brings along, read from its own `/etc/passwd` and `/etc/group`.
///
/// The files are hostile: lines that are not well formed are skipped, numbers are 32 bits or nothing (CVE-2024-40635).
struct UserDatabase: Sendable, Equatable {
    struct User: Sendable, Equatable {
        var name: String
        var uid: UInt32
        var gid: UInt32
        var home: String
    }

    struct Group: Sendable, Equatable {
        var name: String
        var gid: UInt32
        var members: [String]
    }

    var users: [User]
    var groups: [Group]

    /// Reads passwd(5) and group(5) texts; nil or empty for a file that isn't there.
    init(passwd: [UInt8] = [], group: [UInt8] = []) {
        users = Self.lines(passwd).compactMap { fields in
            guard fields.count >= 4, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
            return User(name: fields[0], uid: uid, gid: gid, home: fields.count > 5 ? fields[5] : "")
        }
        groups = Self.lines(group).compactMap { fields in
            guard fields.count >= 3, let gid = UInt32(fields[2]) else { return nil }
            let members = fields.count > 3 ? fields[3].split(separator: ",").map(String.init) : []
            return Group(name: fields[0], gid: gid, members: members)
        }
    }

    private static func lines(_ bytes: [UInt8]) -> [[String]] {
        bytes.split(separator: 10).compactMap { line in
            guard let first = line.first, first != UInt8(ascii: "#"), line.count <= 64 << 10 else { return nil }
            return line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }
}

/// Who a container's process runs as.
struct ResolvedUser: Sendable, Equatable {
    var uid: UInt32
    var gid: UInt32
    /// All groups, the primary one first, in the order they are given to the process.
    var groups: [UInt32]
    /// The home directory that the image's passwd names for the user; nil when it names none.
    var home: String?
}

/// What a config and an image say about the user, before anything is looked up.
struct UserWish: Sendable, Equatable {
    /// `run_as_user`.
    var uid: Int64?
    /// `run_as_username`; counts only without `uid`.
    var username: String = ""
    /// `run_as_group`.
    var gid: Int64?
    /// The image's `USER`: `name`, `uid`, `name:group`, `uid:gid`…; counts only without the two above.
    var imageUser: String = ""
    /// `supplemental_groups`.
    var supplementalGroups: [Int64] = []
    /// `supplemental_groups_policy` is Strict: groups of the image's `/etc/group` don't count.
    var strictGroups = false
}

extension UserDatabase {
    /// Looks `wish` up.
    ///
    /// - Throws: `.invalidArgument` for a number that isn't 32 bits or a name that the image doesn't know.
    func resolve(_ wish: UserWish) throws(CRIError) -> ResolvedUser {
        guard wish.gid == nil || wish.uid != nil || !wish.username.isEmpty else {
            throw CRIError(.invalidArgument, "run_as_group without run_as_user or run_as_username")
        }
        var userText = wish.imageUser
        var groupText = ""
        if let uid = wish.uid {
            userText = String(uid)
        } else if !wish.username.isEmpty {
            userText = wish.username
        } else if let colon = userText.firstIndex(of: ":") {
            groupText = String(userText[userText.index(after: colon)...])
            userText = String(userText[..<colon])
        }
        if let gid = wish.gid { groupText = String(gid) }

        let user = try lookUp(user: userText)
        var gid = user.gid
        if !groupText.isEmpty { gid = try lookUp(group: groupText) }

        var all = [gid]
        func add(_ group: UInt32) {
            if !all.contains(group) { all.append(group) }
        }
        if !wish.strictGroups, !user.name.isEmpty {
            for group in groups where group.members.contains(user.name) { add(group.gid) }
        }
        for group in wish.supplementalGroups { add(try Self.number(group, what: "supplemental group")) }
        return ResolvedUser(uid: user.uid, gid: gid, groups: all, home: user.home.isEmpty ? nil : user.home)
    }

    private func lookUp(user text: String) throws(CRIError) -> User {
        if text.isEmpty { return users.first { $0.uid == 0 } ?? User(name: "root", uid: 0, gid: 0, home: "/root") }
        if let known = users.first(where: { $0.name == text }) { return known }
        guard let number = Int64(text) else {
            let looksNumeric = text.utf8.allSatisfy { (48...57).contains($0) }
            throw CRIError(
                .invalidArgument,
                looksNumeric
                    ? "user \"\(text)\": not a number of 32 bits"
                    : "user \"\(text)\": the image's /etc/passwd has no such user")
        }
        let uid = try Self.number(number, what: "user")
        return users.first { $0.uid == uid } ?? User(name: "", uid: uid, gid: 0, home: "")
    }

    private func lookUp(group text: String) throws(CRIError) -> UInt32 {
        if let known = groups.first(where: { $0.name == text }) { return known.gid }
        guard let number = Int64(text) else {
            throw CRIError(.invalidArgument, "group \"\(text)\": the image's /etc/group has no such group")
        }
        return try Self.number(number, what: "group")
    }

    /// A uid or gid: 0 up to 2^31 - 1, as Kubernetes allows.
    static func number(_ value: Int64, what: String) throws(CRIError) -> UInt32 {
        guard let number = Int32(exactly: value), number >= 0 else {
            throw CRIError(.invalidArgument, "\(what) \(value): not in 0…\(Int32.max)")
        }
        return UInt32(number)
    }
}
