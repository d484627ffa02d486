/// An amount of a resource, exact to a billionth, such as `100m`, `1.5Gi` or `2e3`.
///
/// Held as a count of billionths in 128 bits; as in Kubernetes, finer digits are rounded away from zero and nothing is
/// larger than 2⁶³−1. Two quantities are equal when their amounts are, however they were written.
public struct Quantity: Sendable {
    /// How a quantity is printed.
    public enum Format: Sendable, Hashable {
        /// `k`, `M`, `G`, … and `m`, `u`, `n`.
        case decimalSI
        /// `Ki`, `Mi`, `Gi`, …
        case binarySI
        /// `e3`, `e6`, …
        case decimalExponent
    }

    /// The amount in billionths.
    public let nanos: Int128
    /// How it was written, and will be printed where that loses nothing.
    public let format: Format

    static let nanosPerUnit: Int128 = 1_000_000_000
    static let largest = Int128(Int64.max) * nanosPerUnit

    /// An amount in billionths; clamped to what Kubernetes can hold.
    public init(nanos: Int128, format: Format = .decimalSI) {
        self.nanos = min(max(nanos, -Self.largest), Self.largest)
        self.format = format
    }

    /// Nothing.
    public init() { self.init(nanos: 0) }

    /// Whole units: cores, bytes, pieces.
    public init(_ units: Int64, format: Format = .decimalSI) {
        self.init(nanos: Int128(units) * Self.nanosPerUnit, format: format)
    }

    /// Bytes, printed with binary suffixes.
    public init(bytes: Int64) { self.init(bytes, format: .binarySI) }

    /// Thousandths, as processor time is counted.
    public init(milli: Int64) { self.init(nanos: Int128(milli) * 1_000_000) }

    /// Whole units, rounded away from zero.
    public var value: Int64 { Int64(clamping: roundedAway(Self.nanosPerUnit)) }

    /// Thousandths, rounded away from zero; clamped to 64 bits.
    public var milliValue: Int64 { Int64(clamping: roundedAway(1_000_000)) }

    private func roundedAway(_ unit: Int128) -> Int128 {
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: unit)
        return remainder == 0 ? quotient : quotient + remainder.signum()
    }
}

extension Quantity: Hashable, Comparable {
    public static func == (left: Self, right: Self) -> Bool { left.nanos == right.nanos }
    public static func < (left: Self, right: Self) -> Bool { left.nanos < right.nanos }
    public func hash(into hasher: inout Hasher) { hasher.combine(nanos) }
}

extension Quantity: Codable {
    /// Reads a string or a bare number.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self.init()
            return
        }
        let text = try container.decode(String.self)
        do {
            self = try Quantity(parsing: text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    /// Writes the canonical string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
