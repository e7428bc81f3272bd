/// What one measurement has found, for people and for programs.
struct LoadReport: Sendable {
    let workload: Workload
    let durability: String
    /// `nil` for a daemon that was there before.
    let configuration: DaemonConfiguration?
    let tally: LoadTally
    /// From the last answer until all was on disk, in nanoseconds.
    let recordedAfter: UInt64
    let processes: [Process]

    struct Process: Sendable, Equatable {
        let name: String
        /// Processor time during the measurement, in nanoseconds.
        let processorTime: UInt64
        /// Since the start of the process.
        let peakResidentKiB: Int
    }

    var seconds: Double { Double(self.tally.elapsed) / 1e9 }

    func rate(_ count: Int) -> Double { self.seconds > 0 ? Double(count) / self.seconds : 0 }

    /// Microseconds of the processor for each request that ended.
    func microsecondsPerRequest(_ process: Process) -> Double {
        Double(process.processorTime) / 1e3 / Double(max(1, self.tally.answered + self.tally.failed))
    }

    /// How much of one core it took, in per cent, from the first request until all was on disk.
    func corePercentage(_ process: Process) -> Double {
        Double(process.processorTime) * 100 / Double(max(1, self.tally.elapsed + self.recordedAfter))
    }

    // MARK: For people

    var text: String {
        var text = "\(self.conditions)\n\n"
        text += "\(Decimal.grouped(Double(self.tally.answered))) requests answered in "
        text += "\(Decimal.text(self.seconds, places: 2)) s"
        if self.tally.failed > 0 { text += ", \(self.tally.failed) failed: \(Self.text(of: self.tally.errors))" }
        text += "; all on disk after \(Decimal.text(Double(self.recordedAfter) / 1e6, places: 0)) ms more\n\n"

        var rates = TextTable(header: ["rate", "per second"])
        rates.add(["requests", Decimal.grouped(self.rate(self.tally.answered))])
        rates.add(["output tokens", Decimal.grouped(self.rate(self.tally.outputTokens))])
        rates.add(["chunks", Decimal.grouped(self.rate(self.tally.chunks))])
        text += rates.text + "\n"

        var latencies = TextTable(header: ["latency, µs", "p50", "p99", "p99.9", "max"])
        for (name, samples) in [
            ("to the last frame", self.tally.latencies), ("to the first chunk", self.tally.firstChunks),
        ] {
            guard let percentiles = Percentiles(samples) else { continue }
            latencies.add([name] + percentiles.members.map { Decimal.grouped($0.microseconds) })
        }
        text += latencies.text + "\n"

        var processes = TextTable(header: ["process", "CPU µs/request", "% of a core", "peak RSS MiB"])
        for process in self.processes {
            processes.add([
                process.name, Decimal.text(self.microsecondsPerRequest(process), places: 1),
                Decimal.text(self.corePercentage(process), places: 0),
                Decimal.text(Double(process.peakResidentKiB) / 1024, places: 1),
            ])
        }
        return text + processes.text
    }

    private var conditions: String {
        var parts = [
            "\(self.workload.connections) connection\(self.workload.connections == 1 ? "" : "s") × \(self.workload.depth) open",
            "model \(self.workload.model ?? "of the daemon's choice")",
            "prompts of \(self.workload.promptBytes) B",
            self.workload.isStreamed ? "streamed" : "whole answers",
            "durability \(self.durability)",
        ]
        if let chunks = self.workload.chunks { parts.append("\(chunks) chunks") }
        if let bytes = self.workload.chunkBytes { parts.append("chunks of \(bytes) B") }
        if let isStored = self.configuration?.storesPrompts { parts.append("prompts \(isStored ? "" : "not ")stored") }
        if let slots = self.configuration?.slots { parts.append("\(slots) slots") }
        if self.workload.namesPurposes { parts.append("for \(PolicyLoad.purposes) purposes") }
        return parts.joined(separator: ", ")
    }

    /// `too_many_requests 12, worker_crashed 3`
    static func text(of errors: [String: Int]) -> String {
        errors.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
}

extension Percentiles {
    /// p50, p99, p99.9 and the maximum.
    var members: [UInt64] { [self.p50, self.p99, self.p999, self.maximum] }
}

extension UInt64 {
    /// Of nanoseconds.
    var microseconds: Double { Double(self) / 1e3 }
}
