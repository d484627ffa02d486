import CArchive
import Crypto
import FoundationEssentials

/// A digest as image documents write it.
func sha256(_ bytes: [UInt8]) -> String { "sha256:" + hex(bytes) }

func hex(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}

/// Compresses as programs do that make image tarballs.
func compress(_ bytes: [UInt8], _ filter: Int32) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: bytes.count + 65536)
    var used = 0
    let archive = archive_write_new()
    archive_write_set_format_raw(archive)
    archive_write_add_filter(archive, filter)
    // The same bytes each time: they are named by their digest.
    if filter == ARCHIVE_FILTER_GZIP { archive_write_set_filter_option(archive, "gzip", "timestamp", nil) }
    archive_write_set_bytes_per_block(archive, 0)
    output.withUnsafeMutableBytes { buffer in
        archive_write_open_memory(archive, buffer.baseAddress, buffer.count, &used)
        let entry = archive_entry_new()
        archive_entry_set_filetype(entry, 0o100000)
        archive_write_header(archive, entry)
        _ = bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
        archive_entry_free(entry)
        archive_write_close(archive)
    }
    archive_write_free(archive)
    return Array(output[..<used])
}

func gzip(_ bytes: [UInt8]) -> [UInt8] { compress(bytes, ARCHIVE_FILTER_GZIP) }
func zstd(_ bytes: [UInt8]) -> [UInt8] { compress(bytes, ARCHIVE_FILTER_ZSTD) }

/// An image in the making: its layers as uncompressed tar archives, and how to pack them.
struct ImageTarball: Sendable {
    var layers: [[UInt8]]
    var names: [String] = ["localhost/test:latest"]
    var architecture = hostArchitecture
    var os = "linux"
    /// The `config` section.
    var config = #"{"Cmd":["sh"],"Env":["PATH=/bin"]}"#
    /// What is done to each layer when it's packed.
    var pack: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    /// What the configuration says of the layers, when that isn't the truth.
    var diffIDs: [String]?

    init(_ layers: [[UInt8]]) { self.layers = layers }

    init(_ layer: (inout TarWriter) -> Void) { layers = [TarWriter.build(layer)] }

    static var hostArchitecture: String {
        #if arch(arm64)
            "arm64"
        #elseif arch(riscv64)
            "riscv64"
        #else
            "amd64"
        #endif
    }

    var configDocument: [UInt8] {
        let list = (diffIDs ?? layers.map(sha256)).map { "\"\($0)\"" }.joined(separator: ",")
        return Array(
            #"{"architecture":"\#(architecture)","os":"\#(os)","config":\#(config),"rootfs":{"type":"layers","diff_ids":[\#(list)]}}"#
                .utf8)
    }

    private var quotedNames: String { names.map { "\"\($0)\"" }.joined(separator: ",") }

    /// As docker before 25 and podman's docker-archive save it.
    func dockerSave(_ extra: (inout TarWriter) -> Void = { _ in }) -> [UInt8] {
        TarWriter.build { tar in
            let config = configDocument
            tar.file(hex(config) + ".json", String(decoding: config, as: UTF8.self))
            var names: [String] = []
            for layer in layers {
                let packed = pack(layer)
                let name = hex(Array(hex(packed).utf8)) + "/layer.tar"
                if !names.contains("\"\(name)\"") { tar.add(name, .file, packed) }
                names.append("\"\(name)\"")
            }
            tar.file(
                "manifest.json",
                #"[{"Config":"\#(hex(config)).json","RepoTags":[\#(quotedNames)],"Layers":[\#(names.joined(separator: ","))]}]"#
            )
            extra(&tar)
        }
    }

    func descriptor(_ type: String, _ bytes: [UInt8], _ more: String = "") -> String {
        #"{"mediaType":"application/vnd.oci.image.\#(type)","digest":"\#(sha256(bytes))","size":\#(bytes.count)\#(more)}"#
    }

    var manifest: [UInt8] {
        let list = layers.map { descriptor("layer.v1.tar", pack($0)) }.joined(separator: ",")
        return Array(
            #"{"schemaVersion":2,"config":\#(descriptor("config.v1+json", configDocument)),"layers":[\#(list)]}"#.utf8)
    }

    /// The blobs of an OCI layout.
    func addBlobs(to tar: inout TarWriter) {
        for blob in [configDocument, manifest] + layers.map(pack) { tar.add("blobs/sha256/" + hex(blob), .file, blob) }
    }

    /// As skopeo, buildah and podman's oci-archive save it; `names` are reference names.
    func ociLayout(_ extra: (inout TarWriter) -> Void = { _ in }) -> [UInt8] {
        TarWriter.build { tar in
            tar.file("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
            tar.directory("blobs")
            tar.directory("blobs/sha256")
            addBlobs(to: &tar)
            let entries =
                names.isEmpty
                ? [descriptor("manifest.v1+json", manifest)]
                : names.map { name in
                    descriptor(
                        "manifest.v1+json", manifest,
                        #","annotations":{"org.opencontainers.image.ref.name":"\#(name)"}"#)
                }
            tar.file("index.json", #"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#)
            extra(&tar)
        }
    }
}
