import JSON
import OCISpec
import Testing

@Suite("Reading and writing config.json")
struct SpecReadingTests {
    @Test("the starter configuration is good, and reads back as it was written")
    func starter() throws {
        let spec = Spec.starter()
        #expect(spec.validateForStart() == [])
        #expect(try Spec.read(spec.encoded(indent: "\t")) == spec)
        let value = try JSONValue.parse(spec.encoded())
        #expect(value.objectValue?.keys == ["ociVersion", "process", "root", "hostname", "mounts", "linux"])
        #expect(
            value["process"]?.objectValue?.keys == [
                "terminal", "user", "args", "env", "cwd", "capabilities", "rlimits", "noNewPrivileges",
            ])
        #expect(value["process"]?["user"] == ["uid": 0, "gid": 0])
        #expect(value["process"]?["rlimits"]?[0] == ["type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024])
        #expect(value["linux"]?["resources"] == ["devices": [["allow": false, "access": "rwm"]]])
    }

    @Test("every field is kept on the way through")
    func everyField() throws {
        let text = Examples.everything
        let first = try Spec.read(Array(text.utf8))
        let written = first.encoded()
        #expect(try Spec.read(written) == first)
        // Nothing was dropped: the written text has what the original has.
        #expect(try Examples.sorted(JSONValue.parse(written)) == Examples.sorted(JSONValue.parse(Array(text.utf8))))
        #expect(first.validate() == [])
    }

    @Test("fields of other platforms and of later versions are passed over")
    func unknownFields() throws {
        let spec = try Spec.read(
            Array(
                #"{"ociVersion":"1.3.0","windows":{"x":[1]},"root":{"path":"r","new":{}},"linux":{"later":[{}]}}"#.utf8)
        )
        #expect(spec.root == Root(path: "r"))
        #expect(spec.linux == LinuxSection())
    }

    @Test("null is the same as nothing")
    func nulls() throws {
        let spec = try Spec.read(
            Array(
                #"{"ociVersion":"1.0.2","process":null,"mounts":null,"linux":{"resources":{"memory":{"limit":null}}}}"#
                    .utf8))
        #expect(spec.process == nil)
        #expect(spec.mounts == [])
        #expect(spec.linux?.resources?.memory == LinuxMemory())
    }

    @Test("a field of the wrong kind is named with its place")
    func wrongKind() {
        let error = #expect(throws: JSONError.self) {
            try Spec.read(Array("{\"ociVersion\":\"1.0.0\",\n\"process\":{\"user\":{\"uid\":\"root\"}}}".utf8))
        }
        #expect(error?.description == "line 2, column 26: process.user.uid: expected an integer, found a string")
    }

    @Test("a uid beyond 32 bits is an error, never another user")
    func wideUID() {
        #expect(throws: JSONError.self) {
            try Spec.read(Array(#"{"process":{"user":{"uid":4294967296}}}"#.utf8))
        }
        #expect(throws: JSONError.self) {
            try Spec.read(Array(#"{"process":{"user":{"uid":-1}}}"#.utf8))
        }
    }

    @Test("the filter can be passed over and read later from its place")
    func deferredSeccomp() throws {
        let text = Array(Examples.everything.utf8)
        let whole = try Spec.read(text)
        let spec = try Spec.read(text, deferringSeccomp: true)
        #expect(spec.linux?.seccomp == nil)
        let range = try #require(spec.linux?.deferredSeccomp)
        #expect(try LinuxSeccomp.read(Array(text[range])) == whole.linux?.seccomp)
        #expect(!String(decoding: spec.encoded(), as: UTF8.self).contains("deferred"))
    }

    @Test("a state reads back as it was written, with the pid only while there is one")
    func state() throws {
        let state = State(id: "c1", status: "running", pid: 4422, bundle: "/b", annotations: ["a": "1"])
        #expect(try State.read(state.encoded()) == state)
        let stopped = State(id: "c1", status: "stopped", bundle: "/b")
        #expect(
            String(decoding: stopped.encoded(), as: UTF8.self)
                == #"{"ociVersion":"1.3.0","id":"c1","status":"stopped","bundle":"/b"}"#)
    }
}
