import JSON
import Testing

@testable import bulkhead_bench

@Suite struct TextTests {
    @Test func numbersStandUnderEachOther() {
        var table = TextTable(header: ["process", "CPU", "RSS"])
        table.add(["supervisor", "9.5", "12"])
        table.add(["logger", "120.0"])
        #expect(
            table.text == """
                process       CPU  RSS
                supervisor    9.5   12
                logger      120.0

                """)
    }

    @Test(arguments: [
        (0.0, 0, "0"), (0.5, 0, "1"), (-0.2, 0, "0"), (1234.5678, 3, "1234.568"), (2.0, 2, "2.00"), (-1.05, 1, "-1.1"),
        (.infinity, 1, "-"), (.nan, 1, "-"), (0.999, 2, "1.00"),
    ])
    func decimalsAreRounded(value: Double, places: Int, text: String) {
        #expect(Decimal.text(value, places: places) == text)
    }

    @Test(arguments: [(0.0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-12_345, "-12,345")])
    func thousandsAreSetApart(value: Double, text: String) {
        #expect(Decimal.grouped(value) == text)
    }

    @Test func theReportNamesErrorsAndProcesses() throws {
        var tally = LoadTally(requests: 4, isStreamed: true)
        for latency in [100_000, 200_000, 300_000] as [UInt64] {
            tally.chunkArrived()
            tally.firstChunkArrived(after: latency / 2)
            tally.requestEnded(after: latency, inputTokens: 2, outputTokens: 5)
        }
        tally.requestFailed("too_many_requests")
        tally.elapsed = 500_000_000
        let report = LoadReport(
            workload: Workload(connections: 2, model: "echo"), durability: "commit",
            configuration: DaemonConfiguration(), tally: tally, recordedAfter: 0,
            processes: [.init(name: "supervisor", processorTime: 1_000_000, peakResidentKiB: 2_048)])
        #expect(report.text.contains("3 requests answered in 0.50 s, 1 failed: too_many_requests 1"))
        #expect(report.text.contains("supervisor           250.0            0           2.0"))
        #expect(report.json["answered"]?.integer == 3)
        #expect(report.json["errors"]?.text() == #"{"too_many_requests":1}"#)
        #expect(report.json["requests_per_second"]?.text() == "6.000")
        #expect(report.json["output_tokens"]?.integer == 15)
        #expect(report.json["latency_us"]?["p50"]?.text() == "200.000")
        #expect(report.json["first_chunk_us"]?["max"]?.text() == "150.000")
        #expect(report.json["processes"]?[0]?["cpu_us_per_request"]?.text() == "250.000")
    }
}
