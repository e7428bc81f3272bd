import Messages
import SupervisorCore

extension SupervisorBounds {
    /// Small bounds of hooks, so that each of them is reached, and large ones of all else.
    static func drawnForHooks(using random: inout SeededGenerator) -> SupervisorBounds {
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        var bounds = SupervisorBounds()
        bounds.consultations = draw(2...20)
        bounds.hookQuestionsOut = draw(1...8)
        bounds.hookQuestions = draw(1...12)
        bounds.hookWindow = draw(300...4000)
        bounds.hookNotices = draw(1...20)
        bounds.hookNoticeMemory = draw(400...8000)
        bounds.hookDrainTimeout = .milliseconds(draw(10...500))
        bounds.hookStopTimeout = .milliseconds(draw(10...500))
        bounds.backoff.minimum = .milliseconds(draw(1...50))
        bounds.backoff.maximum = .milliseconds(draw(50...500))
        bounds.backoff.parkDeaths = draw(2...6)
        bounds.backoff.parkWindow = .milliseconds(draw(500...3000))
        bounds.backoff.parkDuration = .milliseconds(draw(50...500))
        bounds.smallRequestMemory = draw(4000...1 << 20)
        bounds.smallFrame = draw(150...2500)
        return bounds
    }
}

extension ServiceConfiguration {
    /// Two models, the second of which answers in place of the first, and a few hooks.
    static func drawnForHooks(using random: inout SeededGenerator) -> ServiceConfiguration {
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        let count = draw(1...7)
        let hooks = (0..<count).map { index in
            let events = [HookEvent.filterModels, .defaultModel, .beforePrompt, .afterResponse].filter { _ in
                draw(0...9) < (count > 5 ? 9 : 6)
            }
            return HookSettings(
                name: "h\(index)", command: ["/h\(index)"], events: events.isEmpty ? [.beforePrompt] : events,
                timeoutMilliseconds: draw(count > 5 ? 400...800 : 5...800), isClosed: count <= 5 && draw(0...1) == 0)
        }
        return ServiceConfiguration(
            socketPath: "/run/bulkhead.sock", stateDirectory: "/var/lib/bulkhead",
            durability: draw(0...1) == 0 ? .relaxed : .commit, storesPrompts: false, defaultModel: ModelReference("m0"),
            defaultEmbeddingModel: "m0",
            providers: (0...1).map { index in
                ProviderSettings(
                    name: "p\(index)", kind: .echo, slots: draw(1...4), models: [ModelDescription(id: "m\(index)")],
                    retries: 0)
            }, fallbacks: ["m0": ["m1"]], hooks: hooks, drainTimeoutMilliseconds: draw(0...1000))
    }
}
