import Linux
import Testing

@testable import CRICtl

@Suite struct LocalListenerTests {
    @Test("both of localhost's addresses are listened on, with one port") func both() async throws {
        let listeners = try LocalListener.all(port: 0)
        #expect(Set(listeners.map(\.port)).count == 1)
        #expect(listeners.first?.address == "127.0.0.1:\(try #require(listeners.first).port)")
        if listeners.count == 2 { #expect(listeners[1].address == "[::1]:\(listeners[1].port)") }
        // Where the loopback device has no ::1, there is but one.
        let addresses = (try? File.readText("/proc/net/if_inet6")) ?? ""
        #expect((listeners.count == 2) == addresses.contains(String(repeating: "0", count: 31) + "1"))
    }

    @Test("a port that is taken is named") func taken() throws {
        let listeners = try LocalListener.all(port: 0)
        let port = try #require(listeners.first).port
        let failure = #expect(throws: Failure.self) { _ = try LocalListener.all(port: port) }
        #expect(failure.map { "\($0)".contains("can't listen on 127.0.0.1:\(port): Address already in use") } == true)
        withExtendedLifetime(listeners) {}
    }
}
