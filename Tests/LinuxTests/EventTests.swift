import Glibc
import Linux
import TestKit
import Testing

@Suite("Events")
struct EventTests {
    @Test("epoll tells what is ready, by token")
    func waits() throws {
        let epoll = try Epoll()
        let event = try EventDescriptor()
        try epoll.add(event.descriptor.raw, .readable, token: 42)
        #expect(try epoll.wait(timeoutMilliseconds: 0).isEmpty)
        event.wake()
        event.wake()
        #expect(try epoll.wait().map(\.token) == [42])
        #expect(event.take() == 2)
        #expect(event.take() == 0)
        try epoll.remove(event.descriptor.raw)
        try epoll.remove(event.descriptor.raw)
    }

    @Test("A timer fires")
    func fires() throws {
        let timer = try TimerDescriptor()
        let epoll = try Epoll()
        try epoll.add(timer.descriptor.raw, .readable, token: 1)
        try timer.set(firstNanoseconds: 1_000_000)
        #expect(try epoll.wait(timeoutMilliseconds: 30_000).count == 1)
        #expect(timer.take() == 1)
    }

    @Test("inotify names what was dropped into a folder")
    func watches() async throws {
        try await Scratch.use { scratch in
            let watcher = try Inotify()
            let watch = try watcher.watch(scratch.path, [.closeWrite, .movedTo])
            #expect(try watcher.events().isEmpty)
            try AtomicFile.write(scratch.file("new"), "x")
            let events = try watcher.events()
            #expect(events.contains { $0.name == "new" && $0.mask.contains(.movedTo) && $0.watch == watch })
            try watcher.unwatch(watch)
            try watcher.unwatch(watch)
        }
    }

    @Test("Errors have their text and their name")
    func names() {
        #expect(Errno.noEntry.description == "No such file or directory")
        #expect(Errno.noEntry.name == "ENOENT")
        #expect(Errno(rawValue: 9999).name == "errno 9999")
    }

    @Test("Capabilities have names and numbers")
    func capabilities() throws {
        #expect(CapabilitySet(name: "CAP_SYS_ADMIN") == .systemAdmin)
        #expect(CapabilitySet(name: "CAP_NONSENSE") == nil)
        #expect(CapabilitySet(name: "SYS_ADMIN") == nil)
        #expect(CapabilitySet(rawValue: 0b11).names == ["CAP_CHOWN", "CAP_DAC_OVERRIDE"])
        #expect(CapabilitySet.supported.contains(.systemAdmin))
    }
}
