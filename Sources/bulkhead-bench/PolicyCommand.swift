import ArgumentParser
import JSON

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Measure what a large policy costs the supervisor: the same load with and without it, in turn.",
        discussion: """
            With it, the daemon has \(PolicyLoad.purposes) purposes, \(PolicyLoad.models) models and \(PolicyLoad.callers) callers, and every request names a
            purpose and an actor but no model. Each round measures both, each with a
            daemon of its own, so that what else the machine does falls on both.
            """)

    @OptionGroup var load: LoadOptions

    @Option(help: "How many rounds (at most 100).")
    var rounds = 5

    @Option(help: ArgumentHelp("Write the result to a file, as JSON.", valueName: "file"))
    var json: String?

    func validate() throws {
        guard (1...100).contains(self.rounds) else { throw ValidationError("--rounds is from 1 to 100.") }
        guard !self.load.policy, self.load.socket == nil else {
            throw ValidationError("Both daemons are started here: leave out --policy and --socket.")
        }
        try self.load.with(policy: true).validate()
    }

    func run() throws {
        var samples: [(without: Double, with: Double)] = []
        for round in 0..<self.rounds {
            // Whoever comes first finds another machine than who comes second.
            let second = round % 2 == 0
            let first = try self.measure(policy: !second)
            let other = try self.measure(policy: second)
            samples.append(second ? (first, other) : (other, first))
        }
        let result = PolicyReport(samples)
        print(result.text, terminator: "")
        if let file = self.json { try SmallFile.write(result.json.text(.init(indent: 2)) + "\n", to: file) }
    }

    /// Processor time of the supervisor for one request, in microseconds.
    private func measure(policy: Bool) throws -> Double {
        let report = try self.load.with(policy: policy).measure()
        guard report.tally.failed == 0 else {
            throw BenchError("requests fail: \(LoadReport.text(of: report.tally.errors))")
        }
        guard let supervisor = report.processes.first(where: { $0.name == "supervisor" }) else {
            throw BenchError("the daemon does not say which process is its supervisor")
        }
        return report.microsecondsPerRequest(supervisor)
    }
}

/// What the supervisor takes for a request with and without a policy, in microseconds of the processor.
struct PolicyReport: Sendable, Equatable {
    /// By round.
    let without: [Double]
    let with: [Double]

    init(_ samples: [(without: Double, with: Double)]) {
        self.without = samples.map(\.without)
        self.with = samples.map(\.with)
    }

    /// The median of the differences of the rounds: what was measured within seconds is compared.
    var difference: Double { Self.median(zip(self.with, self.without).map { $0 - $1 }) }
    var ratio: Double { Self.median(zip(self.with, self.without).map { $0 / max($1, .leastNonzeroMagnitude) }) }

    var text: String {
        var table = TextTable(header: ["supervisor, CPU µs/request", "median", "of all rounds"])
        for (name, values) in [("without a policy", self.without), ("with it", self.with)] {
            let all = values.map { Decimal.text($0, places: 1) }.joined(separator: " ")
            table.add([name, Decimal.text(Self.median(values), places: 1), all])
        }
        table.add(["difference", Decimal.text(self.difference, places: 1)])
        table.add(["ratio", Decimal.text(self.ratio, places: 3)])
        return table.text
    }

    var json: JSONValue {
        .object([
            .init("purposes", .integer(PolicyLoad.purposes)),
            .init("models", .integer(PolicyLoad.models)),
            .init("callers", .integer(PolicyLoad.callers)),
            .init("without_us_per_request", .decimal(Self.median(self.without))),
            .init("with_us_per_request", .decimal(Self.median(self.with))),
            .init("difference_us_per_request", .decimal(self.difference)),
            .init("ratio", .decimal(self.ratio)),
        ])
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
