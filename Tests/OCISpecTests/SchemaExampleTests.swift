import Glibc
import JSON
import OCISpec
import Testing

/// The specification's own example files, where they are at hand: in `$KUBESIM_SHARED` or beside the repository.
enum SchemaExamples {
    static let folder: String? = {
        let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let shared = getenv("KUBESIM_SHARED").map { String(cString: $0) } ?? "/" + repository + "/../shared"
        let folder = shared + "/facts/oci-runtime-schema/test"
        return access(folder, R_OK) == 0 ? folder : nil
    }()

    static func files(_ kind: String) -> [String] {
        guard let folder, let stream = opendir(folder + "/" + kind) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".json") { names.append(kind + "/" + name) }
        }
        return names.sorted()
    }

    static func bytes(_ file: String) throws -> [UInt8] {
        let folder = try #require(folder)
        let stream = try #require(fopen(folder + "/" + file, "r"))
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, stream)
        return Array(bytes[..<count])
    }
}

@Suite(
    "The specification's examples",
    .enabled(if: SchemaExamples.folder != nil, "needs ../shared/facts/oci-runtime-schema"))
struct SchemaExampleTests {
    @Test(
        "good configurations read, and keep all that we know when written",
        arguments: SchemaExamples.files("config/good"))
    func good(file: String) throws {
        let spec = try Spec.read(SchemaExamples.bytes(file))
        #expect(try Spec.read(spec.encoded()) == spec)
        // Two examples are good by the schema, but lack what the specification's text asks for besides it.
        let besides = spec.validate().filter {
            $0.path != "root" && !$0.message.hasPrefix("it needs a network namespace")
        }
        #expect(besides.map(\.description) == [])
    }

    @Test("bad configurations don't read, or have violations", arguments: SchemaExamples.files("config/bad"))
    func bad(file: String) throws {
        let bytes = try SchemaExamples.bytes(file)
        if let spec = try? Spec.read(bytes) { #expect(!spec.validate().isEmpty) }
    }

    @Test("good states read", arguments: SchemaExamples.files("state/good"))
    func goodState(file: String) throws {
        let state = try State.read(SchemaExamples.bytes(file))
        #expect(try State.read(state.encoded()) == state)
    }

    @Test("bad states don't", arguments: SchemaExamples.files("state/bad"))
    func badState(file: String) throws {
        let bytes = try SchemaExamples.bytes(file)
        #expect(throws: JSONError.self) { try State.read(bytes) }
    }
}
