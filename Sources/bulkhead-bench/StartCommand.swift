import ArgumentParser
import JSON
import Messages

struct StartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract:
            "Start daemons with the echo provider, one after the other: how long until they serve, what they take idle."
    )

    @Option(help: "How many daemons (at most 100).")
    var runs = 10

    @Option(help: ArgumentHelp("Write the result to a file, as JSON.", valueName: "file"))
    var json: String?

    func validate() throws {
        guard (1...100).contains(self.runs) else { throw ValidationError("--runs is from 1 to 100.") }
    }

    func run() throws {
        var toPing: [UInt64] = []
        var toAnswer: [UInt64] = []
        var idle: [(name: String, reading: ProcessReading)] = []
        for _ in 0..<self.runs {
            try Interruption.check()
            let start = Clock.now
            var daemon = try OwnDaemon(DaemonConfiguration(), stateDirectory: nil)
            var control = try ControlConnection(to: daemon.socket)
            // Memory before any request, when every process is there.
            let state = try Self.waitForProcesses(&control)
            idle = state.processes.map { ($0.name, ProcessReading(of: $0.pid)) }
            try control.ask(.prompt(PromptRequest(prompt: "hello")))
            toAnswer.append(Clock.now - start)
            toPing.append(daemon.timeToPing)
            daemon.stop()
        }
        self.printTable(toPing, toAnswer, idle)
        if let file = self.json {
            try SmallFile.write(Self.object(toPing, toAnswer, idle).text(.init(indent: 2)) + "\n", to: file)
        }
    }

    private static func waitForProcesses(_ control: inout ControlConnection) throws(BenchError) -> DaemonState {
        let start = Clock.now
        while Clock.now - start < 30_000_000_000 {
            try Interruption.check()
            let state = try control.status()
            if state.isReady { return state }
            Clock.sleep(microseconds: 200)
        }
        throw BenchError("the daemon's processes are not ready after 30 s")
    }

    private func printTable(
        _ toPing: [UInt64], _ toAnswer: [UInt64], _ idle: [(name: String, reading: ProcessReading)]
    ) {
        var times = TextTable(header: ["from start, ms", "median", "slowest"])
        for (name, samples) in [("to the answer of a ping", toPing), ("to a recorded answer", toAnswer)] {
            guard let percentiles = Percentiles(samples) else { continue }
            times.add(
                [name] + [percentiles.p50, percentiles.maximum].map { Decimal.text(Double($0) / 1e6, places: 1) })
        }
        print(times.text)
        var memory = TextTable(header: ["idle, MiB", "RSS", "PSS"])
        for (name, reading) in idle {
            memory.add([
                name, Decimal.text(Double(reading.residentKiB) / 1024, places: 1),
                reading.proportionalKiB.map { Decimal.text(Double($0) / 1024, places: 1) } ?? "-",
            ])
        }
        print(memory.text, terminator: "")
    }

    private static func object(
        _ toPing: [UInt64], _ toAnswer: [UInt64], _ idle: [(name: String, reading: ProcessReading)]
    ) -> JSONValue {
        func milliseconds(_ samples: [UInt64]) -> JSONValue {
            guard let percentiles = Percentiles(samples) else { return .null }
            return .object([
                .init("median", .decimal(Double(percentiles.p50) / 1e6)),
                .init("slowest", .decimal(Double(percentiles.maximum) / 1e6)),
            ])
        }
        return .object([
            .init("runs", .integer(toPing.count)),
            .init("start_to_ping_ms", milliseconds(toPing)),
            .init("start_to_answer_ms", milliseconds(toAnswer)),
            .init(
                "processes",
                .array(
                    idle.map { name, reading in
                        .object([
                            .init("name", .string(name)),
                            .init("rss_kib", .integer(reading.residentKiB)),
                            .init("pss_kib", reading.proportionalKiB.map { .integer($0) } ?? .null),
                        ])
                    })),
        ])
    }
}
