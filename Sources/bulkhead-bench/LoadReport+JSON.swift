import JSON

// The report for programs.
extension LoadReport {
    var json: JSONValue {
        .object([
            .init("conditions", self.conditionsObject),
            .init("seconds", .decimal(self.seconds)),
            .init("answered", .integer(self.tally.answered)),
            .init("failed", .integer(self.tally.failed)),
            .init(
                "errors",
                .object(
                    self.tally.errors.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) })),
            .init("chunks", .integer(self.tally.chunks)),
            .init("input_tokens", .integer(self.tally.inputTokens)),
            .init("output_tokens", .integer(self.tally.outputTokens)),
            .init("requests_per_second", .decimal(self.rate(self.tally.answered))),
            .init("output_tokens_per_second", .decimal(self.rate(self.tally.outputTokens))),
            .init("chunks_per_second", .decimal(self.rate(self.tally.chunks))),
            .init("latency_us", Self.object(Percentiles(self.tally.latencies))),
            .init("first_chunk_us", Self.object(Percentiles(self.tally.firstChunks))),
            .init("recorded_after_ms", .decimal(Double(self.recordedAfter) / 1e6)),
            .init(
                "processes",
                .array(
                    self.processes.map { process in
                        .object([
                            .init("name", .string(process.name)),
                            .init("cpu_us_per_request", .decimal(self.microsecondsPerRequest(process))),
                            .init("core_percent", .decimal(self.corePercentage(process))),
                            .init("peak_rss_kib", .integer(process.peakResidentKiB)),
                        ])
                    })),
        ])
    }

    private var conditionsObject: JSONValue {
        func number(_ value: Int?) -> JSONValue { value.map { .integer($0) } ?? .null }
        return .object([
            .init("connections", .integer(self.workload.connections)),
            .init("depth", .integer(self.workload.depth)),
            .init("model", self.workload.model.map { .string($0) } ?? .null),
            .init("prompt_bytes", .integer(self.workload.promptBytes)),
            .init("stream", .bool(self.workload.isStreamed)),
            .init("chunks_asked", number(self.workload.chunks)),
            .init("chunk_bytes_asked", number(self.workload.chunkBytes)),
            .init("durability", .string(self.durability)),
            .init("prompts_stored", self.configuration.map { .bool($0.storesPrompts) } ?? .null),
            .init("slots", number(self.configuration?.slots)),
            .init("purposes", .integer(self.workload.namesPurposes ? PolicyLoad.purposes : 0)),
        ])
    }

    private static func object(_ percentiles: Percentiles?) -> JSONValue {
        guard let percentiles else { return .null }
        return .object(
            zip(["p50", "p99", "p99_9", "max"], percentiles.members).map { name, value in
                .init(name, .decimal(value.microseconds))
            })
    }
}

extension JSONValue {
    /// A number with three digits behind the point.
    static func decimal(_ value: Double) -> JSONValue { .number(Decimal.text(value.isFinite ? value : 0, places: 3)) }
}
