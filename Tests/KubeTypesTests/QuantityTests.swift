import KubeTypes
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        ("0", "0"), ("100m", "100m"), ("1000m", "1"), ("0.5", "500m"), ("1.5Gi", "1536Mi"), ("1024Mi", "1Gi"),
        ("1025Mi", "1025Mi"), ("512", "512"), ("1k", "1k"), ("1500k", "1500k"), ("1000k", "1M"), ("1e3", "1e3"),
        ("12e6", "12e6"), ("1E", "1E"), ("1E3", "1e3"), ("1e-3", "1e-3"), ("0.1Ki", "102400m"), ("1Ki", "1Ki"),
        ("512Ki", "512Ki"), ("+5", "5"), ("-5Mi", "-5Mi"), (".5", "500m"), ("5.", "5"), ("100000000n", "100m"),
        ("1n", "1n"), ("0.1n", "1n"), ("-0.1n", "-1n"), ("1.0000000001", "1000000001n"), ("00012", "12"),
        ("9223372036854775807", "9223372036854775807"), ("9223372036854775808", "9223372036854775807"),
        ("8Ei", "9223372036854775807"), ("7Ei", "7Ei"), ("1e400000", "9223372036854775807e0"),
        ("100000000000000000000000000000000000000000000000000", "9223372036854775807"),
    ])
    func `a quantity prints in its canonical form`(text: String, canonical: String) throws {
        let printed = try Quantity(parsing: text).description
        #expect(printed == canonical || printed + "e0" == canonical)
    }

    @Test(arguments: [
        "", " ", "1 Gi", "Gi", "1GiB", "1gb", "1K", "1ki", "1.2.3", "--1", "1e", "1e1.5", "0x10", "1_000", "∞",
        "1e9999999999999",
        "-", ".", "1mm", "NaN",
    ])
    func `what is no quantity is refused`(text: String) {
        #expect(throws: QuantityError.self) { try Quantity(parsing: text) }
    }

    @Test func `reading back what was printed gives the same amount`() throws {
        for nanos in [1, 999, 1_000, 1_500_000, 1_000_000_000, 1_536_000_000_000] as [Int128] {
            for format in [Quantity.Format.decimalSI, .binarySI, .decimalExponent] {
                let quantity = Quantity(nanos: nanos, format: format)
                #expect(try Quantity(parsing: quantity.description) == quantity)
            }
        }
    }

    @Test func `whole units and thousandths are rounded away from zero`() throws {
        let fraction = try Quantity(parsing: "1.0001")
        #expect(fraction.value == 2)
        #expect(fraction.milliValue == 1001)
        #expect(try Quantity(parsing: "-1.0001").value == -2)
        #expect(try Quantity(parsing: "64Mi").value == 67_108_864)
        #expect(Quantity(bytes: 67_108_864).description == "64Mi")
        #expect(Quantity(milli: 250).description == "250m")
    }

    @Test func `the same amount is equal however it is written`() throws {
        #expect(try Quantity(parsing: "1") == Quantity(parsing: "1000m"))
        #expect(try Quantity(parsing: "1Ki") == Quantity(parsing: "1.024k"))
        #expect(try Quantity(parsing: "1Mi") > Quantity(parsing: "1M"))
    }
}
