import ArgumentParser

/// What the load is, and whose daemon it falls on.
struct LoadOptions: ParsableArguments {
    static let mostConnections = 500
    static let mostDepth = 128
    static let promptLengths = PromptTemplate.minimumLength...(512 << 10)
    static let mostChunks = 100_000
    static let mostChunkBytes = 64 << 10
    static let mostSeconds = 600.0
    static let mostSlots = 256

    @Option(help: ArgumentHelp("Measure the daemon that listens here, instead of starting one.", valueName: "path"))
    var socket: String?

    @Option(help: "The model to ask, with --socket. Default: the daemon's.")
    var model: String?

    @Option(help: "How many connections (at most \(mostConnections)).")
    var connections = 1

    @Option(help: "How many requests are open on each connection (at most \(mostDepth)).")
    var depth = 1

    @Option(help: "End after so many requests (at most \(LoadBound.mostRequests)).")
    var requests: Int?

    @Option(help: "End after so many seconds (at most \(Int(mostSeconds))). Default, without --requests: 3.")
    var seconds: Double?

    @Option(help: "Requests that come first and are not measured.")
    var warmUp = 500

    @Option(
        help:
            "How long each prompt is, \(promptLengths.lowerBound) to \(promptLengths.upperBound). No two are the same.")
    var promptBytes = 200

    @Flag(help: "Ask for whole answers.")
    var noStream = false

    @Option(help: "Have each answer come in so many pieces (echo: by the model echo-fault).")
    var chunks: Int?

    @Option(help: "How long each piece is.")
    var chunkBytes: Int?

    @Option(help: "Who answers: echo, or http for a server on the loopback interface that is asked through libcurl.")
    var provider = Upstream.echo

    @Option(help: "commit or relaxed.")
    var durability = Durability.commit

    @Flag(inversion: .prefixedNo, help: "Whether prompts and answers go on record, or only a row for each request.")
    var prompts = true

    @Option(help: "The provider's slots. Default: as many as requests are open, from 16 to \(mostSlots).")
    var slots: Int?

    @Option(
        help: ArgumentHelp(
            "Where the daemon's record goes, and stays. Default: a directory of its own.", valueName: "dir"))
    var stateDirectory: String?

    @Flag(
        help:
            "Configure many purposes, models and callers, and name a purpose and an actor in each request (see 'policy')."
    )
    var policy = false

    func validate() throws {
        func expect(_ condition: Bool, _ complaint: String) throws {
            guard condition else { throw ValidationError(complaint) }
        }
        try expect(
            (1...Self.mostConnections).contains(self.connections), "--connections is from 1 to \(Self.mostConnections)."
        )
        try expect((1...Self.mostDepth).contains(self.depth), "--depth is from 1 to \(Self.mostDepth).")
        try expect(
            (1...LoadBound.mostRequests).contains(self.requests ?? 1),
            "--requests is from 1 to \(LoadBound.mostRequests).")
        try expect(
            (0.001...Self.mostSeconds).contains(self.seconds ?? 1),
            "--seconds is more than 0, and at most \(Self.mostSeconds).")
        try expect(
            (0...LoadBound.mostRequests).contains(self.warmUp), "--warm-up is from 0 to \(LoadBound.mostRequests).")
        try expect(
            Self.promptLengths.contains(self.promptBytes),
            "--prompt-bytes is from \(Self.promptLengths.lowerBound) to \(Self.promptLengths.upperBound).")
        try expect((1...Self.mostChunks).contains(self.chunks ?? 1), "--chunks is from 1 to \(Self.mostChunks).")
        try expect(
            (1...Self.mostChunkBytes).contains(self.chunkBytes ?? 1),
            "--chunk-bytes is from 1 to \(Self.mostChunkBytes).")
        try expect((1...Self.mostSlots).contains(self.slots ?? 1), "--slots is from 1 to \(Self.mostSlots).")
        if self.socket != nil {
            try expect(
                self.provider == .echo && self.slots == nil && self.stateDirectory == nil && self.prompts
                    && !self.policy,
                "--provider, --slots, --state-directory, --no-prompts and --policy are for a daemon that is started here, not for "
                    + "--socket.")
        } else {
            try expect(self.model == nil, "--model goes with --socket.")
            try expect(
                !self.policy || (self.provider == .echo && !self.asksForChunks),
                "--policy goes with the provider echo, and without --chunks and --chunk-bytes.")
        }
    }

    var bound: LoadBound {
        LoadBound(
            requests: self.requests ?? LoadBound.mostRequests,
            nanoseconds: (self.seconds ?? (self.requests == nil ? 3 : nil)).map { UInt64($0 * 1_000_000_000) })
    }

    /// - Parameter model: What the daemon's configuration says, where it is ours.
    func workload(model: String?) -> Workload {
        Workload(
            connections: self.connections, depth: self.depth, promptBytes: self.promptBytes,
            isStreamed: !self.noStream, chunks: self.chunks, chunkBytes: self.chunkBytes,
            model: model ?? self.model, directsChunks: self.provider == .echo && self.asksForChunks,
            namesPurposes: self.policy)
    }

    /// - Parameter port: Where the upstream listens, if there is one.
    func configuration(port: UInt16?) -> DaemonConfiguration {
        let provider: DaemonConfiguration.Provider =
            port.map { .http(port: $0) } ?? (self.asksForChunks ? .echoFault : .echo)
        let open = min(Self.mostSlots, max(16, self.connections * self.depth))
        return DaemonConfiguration(
            durability: self.durability, storesPrompts: self.prompts, slots: self.slots ?? open, provider: provider,
            hasPolicy: self.policy)
    }

    private var asksForChunks: Bool { self.chunks != nil || self.chunkBytes != nil }
}
