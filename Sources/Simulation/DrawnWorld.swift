import Messages
import SupervisorCore

extension SupervisorBounds {
    /// Small bounds, so that each of them is reached.
    static func drawn(using random: inout SeededGenerator) -> SupervisorBounds {
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        var bounds = SupervisorBounds()
        bounds.connections = draw(2...12)
        bounds.requestsPerConnection = draw(1...12)
        bounds.groupsPerConnection = draw(1...4)
        bounds.groups = draw(1...10)
        bounds.finishingPerUser = draw(0...5)
        bounds.finishing = draw(0...10)
        bounds.firstFrameTimeout = .milliseconds(draw(200...4000))
        bounds.frameTimeout = .milliseconds(draw(200...4000))
        bounds.stallTimeout = .milliseconds(draw(500...6000))
        bounds.lingerTimeout = .milliseconds(draw(100...2000))
        bounds.outputHighWater = draw(200...2000)
        bounds.outputFull = bounds.outputHighWater + draw(0...2000)
        bounds.outputLowWater = bounds.outputHighWater / 4
        bounds.smallFrame = draw(150...400)
        bounds.memory = draw(600...4000)
        bounds.smallRequestMemory = draw(500...6000)
        bounds.chain = draw(800...5000)
        bounds.chainOverhead = 100
        bounds.chainMemory = draw(3000...40_000)
        bounds.queuedRequestsPerProvider = draw(1...8)
        // Most worlds have room for every request that may be tried again.
        bounds.retryMemory = draw(0...2) == 0 ? draw(0...1500) : 1 << 20
        bounds.attempts.count = draw(2...8)
        bounds.attempts.minimumWait = .milliseconds(draw(5...300))
        bounds.attempts.maximumWait = .milliseconds(draw(300...1500))
        bounds.attempts.longestWait = .milliseconds(draw(200...4000))
        bounds.workerStartTimeout = .milliseconds(draw(200...3000))
        bounds.pingInterval = .milliseconds(draw(100...2000))
        bounds.pongTimeout = .milliseconds(draw(100...3000))
        bounds.workerStopTimeout = .milliseconds(draw(100...3000))
        bounds.retiringWorkers = draw(0...2)
        bounds.backoff.minimum = .milliseconds(draw(1...200))
        bounds.backoff.maximum = .milliseconds(draw(200...3000))
        bounds.backoff.healthyAfter = .milliseconds(draw(500...5000))
        bounds.backoff.parkDeaths = draw(2...6)
        bounds.backoff.parkWindow = .milliseconds(draw(500...5000))
        bounds.backoff.parkDuration = .milliseconds(draw(100...3000))
        bounds.listedModels = draw(0...12)
        bounds.secretsErrands = draw(1...3)
        bounds.secretsTimeout = .milliseconds(draw(20...2000))
        bounds.secretsStopTimeout = .milliseconds(draw(20...1000))
        bounds.keyUseInterval = .milliseconds(draw(100...5000))
        bounds.listingTimeout = .milliseconds(draw(100...5000))
        bounds.reloadTimeout = .milliseconds(draw(100...3000))
        bounds.reloadAskers = draw(1...3)
        bounds.retiredProviders = draw(0...3)
        bounds.formerGenerations = draw(1...2)
        bounds.logBacklog = draw(20_000...200_000)
        bounds.endRecord = 4096
        bounds.loggerStartTimeout = .milliseconds(draw(500...5000))
        bounds.loggerStallTimeout = .milliseconds(draw(500...10_000))
        bounds.loggerStopTimeout = .seconds(60)
        bounds.outputPiece = draw(20...140)
        bounds.logOutput = draw(300...4000)
        bounds.recordedAnswer = draw(1500...20_000)
        bounds.drawReader(using: &random)
        return bounds
    }

    private mutating func drawReader(using random: inout SeededGenerator) {
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        self.continuations = draw(1...8)
        self.continuationTimeout = .milliseconds(draw(500...30_000))
        self.questions = draw(1...8)
        self.questionsPerConnection = draw(1...4)
        self.questionTimeout = .milliseconds(draw(500...15_000))
        self.page = draw(100...1500)
        self.history = draw(500...6000)
        self.historyMemory = self.history + draw(0...4000)
        self.readerStartTimeout = .milliseconds(draw(500...8000))
        self.readerAnswerTimeout = .milliseconds(draw(500...8000))
        self.readerIdleTimeout = .milliseconds(draw(50...3000))
        self.readerStopTimeout = .milliseconds(draw(100...3000))
    }
}

extension ServiceConfiguration {
    /// A few providers of a few slots, each with a model that needs a key; the last provider has none.
    static func drawn(using random: inout SeededGenerator) -> ServiceConfiguration {
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        let providers = (0...draw(0...2)).map { ProviderSettings.drawn($0, using: &random) }
        let fallbacks = Self.drawnFallbacks(of: providers.flatMap(\.models).map(\.id), using: &random)
        return ServiceConfiguration(
            socketPath: "/run/bulkhead.sock", stateDirectory: "/var/lib/bulkhead",
            durability: draw(0...3) == 0 ? .relaxed : .commit, storesPrompts: draw(0...3) > 0, defaultModel: "m0",
            defaultEmbeddingModel: "m0", providers: providers, fallbacks: fallbacks,
            policy: PolicySettings(
                purposes: [PurposeSettings(name: "finish", finishes: true)], callers: .drawn(using: &random)),
            drainTimeoutMilliseconds: draw(0...3000))
    }
}

extension ServiceConfiguration {
    static func drawnFallbacks(
        of models: [String], using random: inout SeededGenerator
    ) -> [String: [String]] {
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        var names = models
        var fallbacks: [String: [String]] = [:]
        for name in models where draw(0...2) > 0 {
            names.shuffle(using: &random)
            fallbacks[name] = Array(names.filter { $0 != name }.prefix(draw(1...4)))
        }
        return fallbacks
    }
}

extension ProviderSettings {
    /// The provider with this number: one model that needs a key, and one that does not. Only the first has a key.
    static func drawn(_ number: Int, using random: inout SeededGenerator) -> ProviderSettings {
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        return ProviderSettings(
            name: "p\(number)", kind: draw(0...1) == 0 ? .echo : .openAICompatible, slots: draw(1...4),
            models: [
                ModelDescription(id: "m\(number)", aliases: ["alias\(number)"]),
                ModelDescription(id: "k\(number)", needsKey: true),
            ],
            connectTimeoutMilliseconds: number + 1,
            timeouts: ProviderSettings.Timeouts(
                firstOutput: draw(50...3000), idle: draw(50...3000), total: draw(500...8000), cancel: draw(20...800)),
            retries: draw(0...3), key: number == 0 ? "secret" : nil, keyName: "KEY")
    }
}
