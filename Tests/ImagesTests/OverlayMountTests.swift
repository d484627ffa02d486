import Glibc
import TestKit
import Testing

@testable import Images

@Suite(.needs(.root, .overlayfs)) struct OverlayMountTests {
    /// Makes `count` layers of one file each in directories whose paths are long, and one to write in.
    private func overlay(_ count: Int, _ scratch: Scratch, readOnly: Bool = false) throws -> OverlayMount {
        let long = "a:b,c\\d e/" + String(repeating: "long", count: 60)
        var lower: [String] = []
        for number in 0..<count {
            lower.append(try scratch.directory("\(long)/\(number)"))
            try scratch.write("\(long)/\(number)/file\(number)", "\(number)")
        }
        return OverlayMount(
            lower: lower.reversed(), upper: try scratch.directory(long + "/upper"),
            work: try scratch.directory(long + "/work"), target: try scratch.directory("target"), readOnly: readOnly)
    }

    @Test(arguments: [false, true])
    func `both ways of mounting take long paths with separators in them`(_ older: Bool) async throws {
        try await Scratch.use { scratch in
            let mount = try overlay(130, scratch)
            scratch.atEnd { umount2(mount.target, 2) }
            if older { try mount.mountWithString() } else { try mount.mount() }
            #expect(try text(mount.target + "/file0") == "0")
            #expect(try text(mount.target + "/file129") == "129")
            try scratch.write("target/new", "written")
            #expect(try text(mount.upper + "/new") == "written")
        }
    }

    @Test func `more layers than an older kernel takes are an error that says so`() async throws {
        try await Scratch.use { scratch in
            let mount = try overlay(300, scratch)
            #expect {
                try mount.mountWithString()
            } throws: { error in
                guard case ImportFailure.failed(_, mount.target, let reason) = error else { return false }
                return reason.contains("300 layers are more than this kernel takes")
            }
        }
    }

    @Test func `what the kernel doesn't like is said in its own words`() async throws {
        try await Scratch.use { scratch in
            var mount = try overlay(1, scratch)
            mount.upper = try scratch.write("file", "no directory")
            do {
                try mount.mount()
                Issue.record("it was mounted")
            } catch {
                guard case .failed(_, mount.target, let reason)? = error as? ImportFailure else {
                    Issue.record("\(error)")
                    return
                }
                #expect(reason.lowercased().contains("not a directory"), "\(reason)")
            }
        }
    }
}
