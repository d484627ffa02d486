import Kubelet
import Node
import Testing

@Suite struct DemoDisplayTests {
    private func progress(_ step: PodProgress.Step, at milliseconds: Int64) -> PodProgress {
        PodProgress(
            namespace: "default", name: "web-host", uid: "u", step: step,
            at: WallTime(nanoseconds: milliseconds * 1_000_000))
    }

    @Test("each line says pod, step and the time since its manifest was accepted")
    func lines() {
        var display = DemoDisplay(color: false)
        #expect(display.line(progress(.accepted(file: "/m/web.yaml"), at: 1000))?.contains("web.yaml") == true)
        let started = display.line(progress(.started(container: "web"), at: 1150))
        #expect(started?.contains("web-host") == true)
        #expect(started?.hasSuffix("container web after 150 ms") == true)
    }

    @Test("what stands in the way is told in full")
    func failed() {
        var display = DemoDisplay(color: false)
        let line = display.line(
            progress(.failed(container: "web", reason: "ErrImageNeverPull", message: "no image x in /images"), at: 0))
        #expect(line?.contains("ErrImageNeverPull: no image x in /images") == true)
    }

    @Test("colours come only when asked for")
    func plain() {
        var display = DemoDisplay(color: false)
        #expect(display.line(progress(.ready, at: 0))?.contains("\u{1B}") == false)
        var colored = DemoDisplay(color: true)
        #expect(colored.line(progress(.ready, at: 0))?.contains("\u{1B}[32m") == true)
    }
}
