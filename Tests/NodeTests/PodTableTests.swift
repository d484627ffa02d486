import FoundationEssentials
import Node
import Testing

@Suite struct PodTableTests {
    private func table(_ status: String, containers: Int = 1, wide: Bool = false) throws -> [String] {
        let specs = (0..<containers).map { "{\"name\":\"c\($0)\"}" }.joined(separator: ",")
        let json = """
            {"items":[{"metadata":{"name":"web-host","namespace":"default"},"spec":{"containers":[\(specs)]},
            "status":\(status)}]}
            """
        let pods = try JSONDecoder().decode(PodList.self, from: Data(json.utf8)).items
        let now = try Date("2026-01-01T00:02:05Z", strategy: .iso8601)
        return PodTable.text(pods, wide: wide, now: now).split(separator: "\n").map(String.init)
    }

    @Test("a running pod")
    func running() throws {
        let lines = try table(
            """
            {"phase":"Running","podIP":"10.85.0.2","startTime":"2026-01-01T00:00:00Z",
            "containerStatuses":[{"ready":true,"restartCount":3,"state":{"running":{}}}]}
            """)
        #expect(
            lines == [
                "NAMESPACE   NAME       READY   STATUS    RESTARTS   AGE   IP",
                "default     web-host   1/1     Running   3          2m    10.85.0.2",
            ])
    }

    @Test(
        "the status is the word that tells most",
        arguments: [
            (
                #"{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ErrImageNeverPull"}}}]}"#,
                "ErrImageNeverPull"
            ),
            (
                #"{"phase":"Running","containerStatuses":[{"state":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]}"#,
                "OOMKilled"
            ),
            (
                #"{"phase":"Succeeded","containerStatuses":[{"state":{"terminated":{"reason":"Completed"}}}]}"#,
                "Completed"
            ),
            (
                #"{"phase":"Pending","initContainerStatuses":[{"state":{"running":{}}},{"state":{"waiting":{}}}]}"#,
                "Init:0/2"
            ),
            (
                #"{"phase":"Failed","initContainerStatuses":[{"state":{"terminated":{"reason":"Error","exitCode":3}}}],"#
                    + #""containerStatuses":[{"state":{"waiting":{"reason":"PodInitializing"}}}]}"#,
                "Init:Error"
            ),
            (#"{"phase":"Failed","reason":"DeadlineExceeded"}"#, "DeadlineExceeded"),
            (#"{}"#, "Unknown"),
        ])
    func status(_ status: String, _ word: String) throws {
        let row = try #require(try table(status).last)
        #expect(row.contains(" \(word) "), "\(row)")
    }

    @Test("the wide table tells why a container waits, on one line")
    func message() throws {
        let lines = try table(
            #"{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"X","message":"no image\nlooked"}}}]}"#,
            wide: true)
        #expect(lines.count == 2)
        #expect(lines.last?.hasSuffix("no image; looked") == true)
    }

    @Test("no pods is said in words")
    func none() { #expect(PodTable.text([], wide: false) == "No pods found.") }

    @Test(
        "sizes are read as people read them",
        arguments: [(0, "0 B"), (999, "999 B"), (1200, "1.2 kB"), (4_260_000, "4.3 MB")])
    func bytes(_ count: UInt64, _ text: String) { #expect(ByteCount.text(count) == text) }
}
