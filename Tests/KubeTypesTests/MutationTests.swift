import JSON
import KubeTypes
import Testing

/// A small random source, the same in every run with the same seed (SplitMix64).
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

@Suite struct MutationTests {
    private static let yaml = manifest(
        spec: """
            restartPolicy: OnFailure
            volumes: &v
            - {name: a, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
            - name: b
              hostPath: {path: /x, type: Directory}
            securityContext: {runAsUser: 1000, sysctls: [{name: net.a, value: "1"}]}
            """,
        container: """
            args: ['a', "b\\n", c]
            env:
            - name: A
              value: |
                text
            - {name: B, valueFrom: {fieldRef: {fieldPath: "metadata.labels['a']"}}}
            ports: [{containerPort: 80, name: web}]
            resources: &r {limits: {cpu: 0.5, memory: 1Gi}}
            livenessProbe: {httpGet: {port: web}}
            volumeMounts: [{name: a, mountPath: /a}]
            """)

    private static let json = String(
        decoding: (try? pod(yaml.replacing("&v", with: "").replacing("&r", with: "")))?.pod.json().encoded(pretty: true)
            ?? [],
        as: UTF8.self)

    private static let pieces: [[UInt8]] =
        [
            "*v", "*r", "&v ", "&r ", "<<: *r", "? ", ": ", "- ", "[", "]", "{", "}", "---\n", "...\n", "%YAML 9.9\n",
            "%TAG ! x\n", "!!binary ",
            "!!int ", "!<%FF>", "\"", "'", "|", ">", "|9", ">-\n", "\t", "\n", "\r\n", "\r", "\u{85}", "\u{2028}",
            "\u{FEFF}", "#", "null", "~", "yes",
            "-1", "9223372036854775808", "1e999", ".nan", "0x", "0b2", "1_0", "\\u", "\\ud800", "\\x00", "\0", "@", "`",
            ",", "kind: List\n", "items:\n",
            "99999999999999999999999Ei", "\u{1F600}",
        ].map { Array($0.utf8) } + [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x00], [0xFE, 0xFF]]

    /// Changes some bytes: flips, cuts, copies, inserts what parsers stumble over.
    private static func mutate(_ source: [UInt8], _ dice: inout Dice) -> [UInt8] {
        var bytes = source
        for _ in 0..<Int.random(in: 1...6, using: &dice) {
            let place = Int.random(in: 0...bytes.count, using: &dice)
            let end = min(bytes.count, place + Int.random(in: 0...40, using: &dice))
            switch Int.random(in: 0..<6, using: &dice) {
            case 0: bytes.removeSubrange(place..<end)
            case 1: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &dice))
            case 2: if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &dice) }
            case 3: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &dice) }
            default: bytes.insert(contentsOf: pieces.randomElement(using: &dice) ?? [], at: place)
            }
        }
        return bytes
    }

    @Test(arguments: 0..<8)
    func `a damaged manifest is refused or read, and never more`(seed: Int) {
        var dice = Dice(state: UInt64(seed))
        for source in [Self.yaml, Self.json].map({ Array($0.utf8) }) {
            for _ in 0..<400 {
                let bytes = Self.mutate(source, &dice)
                for result in PodDocument.read(bytes, file: "x") {
                    switch result {
                    case .success(let parsed):
                        #expect(parsed.pod.validate().isEmpty)
                        #expect(!parsed.pod.metadata.name.isEmpty)
                        _ = parsed.pod.yaml()
                    case .failure(let error):
                        #expect(!error.violations.isEmpty)
                        #expect(error.violations.allSatisfy { $0.line >= 1 && $0.column >= 1 && !$0.message.isEmpty })
                    }
                }
            }
        }
    }

    @Test func `random bytes are refused or empty`() {
        var dice = Dice(state: 99)
        for _ in 0..<2000 {
            let pieces = (0..<Int.random(in: 0...60, using: &dice)).map { _ in
                Self.pieces.randomElement(using: &dice) ?? []
            }
            for result in PodDocument.read(Array(pieces.joined()), file: "x") {
                #expect(throws: ManifestError.self) { try result.get() }
            }
        }
    }
}
