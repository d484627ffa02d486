/// Why a text is no quantity.
public struct QuantityError: Error, Sendable, Hashable, CustomStringConvertible {
    public let text: String

    /// In upstream's words.
    public var description: String {
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    }
}

extension Quantity {
    /// Reads `<sign><digits>[.<digits>]<suffix>`.
    ///
    /// A suffix is `n u m k M G T P E`, `Ki Mi Gi Ti Pi Ei`, or a decimal exponent `e3`, `E-2`.
    public init(parsing text: String) throws(QuantityError) {
        guard let parsed = Quantity(scanning: text) else { throw QuantityError(text: text) }
        self = parsed
    }

    private init?(scanning text: String) {
        let bytes = Array(text.utf8)
        var position = 0
        var negative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            negative = first == UInt8(ascii: "-")
            position = 1
        }
        // Forty significant digits are more than the range and the precision can show; later ones only round or scale.
        var mantissa: Int128 = 0
        var exponent = 0
        var lost = false
        var digits = 0
        var fraction = false
        scan: while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits += 1
                let digit = Int128(bytes[position] - UInt8(ascii: "0"))
                if mantissa < Int128.max / 100 {
                    mantissa = mantissa * 10 + digit
                    if fraction { exponent -= 1 }
                } else {
                    lost = lost || digit != 0
                    if !fraction { exponent += 1 }
                }
            case UInt8(ascii: ".") where !fraction: fraction = true
            default: break scan
            }
            position += 1
        }
        guard digits > 0, let suffix = Suffix(bytes[position...]) else { return nil }
        let amount = Self.scaled(mantissa, exponent + suffix.exponent + 9, power: suffix.power, lost: lost)
        self.init(nanos: negative ? -amount : amount, format: suffix.format)
    }

    /// `mantissa × 10^exponent × 2^power`, rounded up, at most the largest amount.
    private static func scaled(_ mantissa: Int128, _ exponent: Int, power: Int, lost: Bool) -> Int128 {
        guard mantissa > 0 else { return lost ? 1 : 0 }
        var amount = mantissa
        var inexact = lost
        var up = max(exponent, 0)
        var down = max(-exponent, 0)
        var twos = power
        // Multiply and divide in turns, so that neither overflows before the other could mend it.
        while up > 0 || twos > 0 {
            let factor: Int128 = up > 0 ? 10 : 2
            if amount > Int128.max / 16 {
                guard down > 0 else { return largest }
                inexact = inexact || amount % 10 != 0
                amount /= 10
                down -= 1
                continue
            }
            amount *= factor
            if up > 0 { up -= 1 } else { twos -= 1 }
        }
        while down > 0, amount > 0 {
            inexact = inexact || amount % 10 != 0
            amount /= 10
            down -= 1
        }
        if inexact { amount += 1 }
        return min(amount, largest)
    }
}

/// The end of a quantity's text.
private struct Suffix {
    var exponent = 0
    var power = 0
    var format = Quantity.Format.decimalSI

    static let decimal: [String: Int] = [
        "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
    ]
    static let binary: [String: Int] = ["Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60]

    init?(_ bytes: ArraySlice<UInt8>) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let exponent = Self.decimal[text] {
            self.exponent = exponent
        } else if let power = Self.binary[text] {
            self.power = power
            format = .binarySI
        } else {
            guard let first = bytes.first, first == UInt8(ascii: "e") || first == UInt8(ascii: "E"), bytes.count <= 12,
                let number = Int(String(decoding: bytes.dropFirst(), as: UTF8.self)), abs(number) <= Int(Int32.max)
            else { return nil }
            // Past these bounds the amount is the largest or the least one anyway.
            exponent = min(max(number, -400), 400)
            format = .decimalExponent
        }
    }
}

extension Quantity: CustomStringConvertible {
    /// The canonical form: the largest suffix that leaves no fraction.
    public var description: String {
        if nanos == 0 { return "0" }
        if format == .binarySI, nanos % Self.nanosPerUnit == 0, abs(nanos) >= 1024 * Self.nanosPerUnit {
            return binaryText(nanos / Self.nanosPerUnit)
        }
        var mantissa = nanos
        var exponent = -9
        while mantissa % 1000 == 0, exponent < 18 {
            mantissa /= 1000
            exponent += 3
        }
        if format == .decimalExponent { return exponent == 0 ? "\(mantissa)" : "\(mantissa)e\(exponent)" }
        let suffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
        return "\(mantissa)\(suffixes[(exponent + 9) / 3])"
    }

    private func binaryText(_ units: Int128) -> String {
        var mantissa = units
        var step = 0
        let suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
        while mantissa % 1024 == 0, step < suffixes.count - 1 {
            mantissa /= 1024
            step += 1
        }
        return "\(mantissa)\(suffixes[step])"
    }
}
