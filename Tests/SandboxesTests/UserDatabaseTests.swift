import CRI
import Testing

@testable import Sandboxes

@Suite("Users of an image")
struct UserDatabaseTests {
    private let database = UserDatabase(
        passwd: Array(
            """
            root:x:0:0:root:/root:/bin/sh
            # a comment
            alice:x:1000:1001:Alice:/home/alice:/bin/sh
            broken line
            huge:x:4294967296:0::/:
            bin:x:1:1
            """.utf8),
        group: Array("root:x:0:\nwheel:x:10:alice,root\nfriends:x:600:bob,alice\nbad:x:no:alice\n".utf8))

    @Test("names and numbers are looked up, groups are joined")
    func lookups() throws {
        let cases: [(UserWish, UInt32, UInt32, [UInt32])] = [
            (UserWish(), 0, 0, [0, 10]),
            (UserWish(imageUser: "alice"), 1000, 1001, [1001, 10, 600]),
            (UserWish(imageUser: "1000"), 1000, 1001, [1001, 10, 600]),
            (UserWish(imageUser: "alice:wheel"), 1000, 10, [10, 600]),
            (UserWish(imageUser: "77:88"), 77, 88, [88]),
            (UserWish(uid: 1000, imageUser: "root"), 1000, 1001, [1001, 10, 600]),
            (UserWish(username: "alice", imageUser: "root"), 1000, 1001, [1001, 10, 600]),
            (UserWish(uid: 5, gid: 6), 5, 6, [6]),
            (UserWish(uid: 1000, supplementalGroups: [7, 600]), 1000, 1001, [1001, 10, 600, 7]),
            (UserWish(uid: 1000, supplementalGroups: [7], strictGroups: true), 1000, 1001, [1001, 7]),
        ]
        for (wish, uid, gid, groups) in cases {
            let user = try database.resolve(wish)
            #expect(user.uid == uid && user.gid == gid && user.groups == groups, "\(wish)")
        }
        #expect(try database.resolve(UserWish(imageUser: "alice")).home == "/home/alice")
    }

    @Test("what isn't there, or isn't 32 bits, is refused by name")
    func refusals() {
        for user in ["nobody", "alice:nogroup", "4294967296", "99999999999999999999", "-1", "huge-"] {
            #expect(throws: CRIError.self, "\(user)") { try database.resolve(UserWish(imageUser: user)) }
        }
        #expect(throws: CRIError(.invalidArgument, "user 2147483648: not in 0…2147483647")) {
            try database.resolve(UserWish(uid: 2_147_483_648))
        }
        #expect(throws: CRIError.self) { try database.resolve(UserWish(uid: 0, supplementalGroups: [-1])) }
        #expect(throws: CRIError(.invalidArgument, "run_as_group without run_as_user or run_as_username")) {
            try database.resolve(UserWish(gid: 5, imageUser: "alice"))
        }
    }

    @Test("an image without files has root and numbers")
    func empty() throws {
        let none = UserDatabase()
        #expect(try none.resolve(UserWish()) == ResolvedUser(uid: 0, gid: 0, groups: [0], home: "/root"))
        #expect(try none.resolve(UserWish(imageUser: "12")) == ResolvedUser(uid: 12, gid: 0, groups: [0], home: nil))
        #expect(throws: CRIError.self) { try none.resolve(UserWish(imageUser: "alice")) }
    }
}
