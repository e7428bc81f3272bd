import Simulation
import Testing

/// Drives the core that runs in production through hooks that hang, crash, lie and flood.
@Suite struct HookSimulationTests {
    #if DEBUG
        static let seeds: Range<UInt64> = 0..<60
    #else
        static let seeds: Range<UInt64> = 0..<250
    #endif

    /// Everything that must happen, or the simulation proves nothing about it.
    static let outcomes = [
        "admitted", "admitted without an answer", "annotated", "annotation left out", "answered", "failed on record",
        "request refused", "model left out", "refused: not_allowed", "refused: hook_failed", "refused: cancelled",
        "refused: timeout", "refused: shutting_down", "refused: overloaded",
        "closed hook: is not running", "closed hook: questions waiting", "closed hook: did not answer within",
        "closed hook: ended (", "closed hook: broke the protocol", "closed hook: named the model",
        "client left while hooks were asked", "answer that nobody waits for", "hook has all it may have",
        "hook failed to start", "hook killed for a lie", "hook killed since it hung", "hook died with questions",
        "idle hook died", "hook floods", "told: done", "told: error", "told: cancelled", "drained",
    ]

    @Test func everyPromiseHoldsAndEveryOutcomeIsReached() throws {
        var events = 0
        var marks: [String: Int] = [:]
        for seed in Self.seeds {
            var simulation = HookSimulation(seed: seed)
            try simulation.run(events: 2_000)
            events += simulation.events
            marks.merge(simulation.marks, uniquingKeysWith: +)
        }
        print("simulated \(events) events of \(Self.seeds.count) seeds")
        for (mark, count) in marks.sorted(by: { $0.key < $1.key }) { print("  \(count)  \(mark)") }
        let enough = Self.seeds.count >= 800 ? 20 : 1
        for outcome in Self.outcomes {
            #expect(marks[outcome, default: 0] >= enough, "the simulation no longer reaches: \(outcome)")
        }
    }

    @Test(arguments: 10..<20) func aSeedAlwaysGivesTheSameRun(seed: UInt64) throws {
        var first = HookSimulation(seed: seed, isRecorded: true)
        var second = HookSimulation(seed: seed, isRecorded: true)
        try first.run(events: 1_000)
        try second.run(events: 1_000)
        #expect(zip(first.transcript, second.transcript).first { $0 != $1 } == nil)
        #expect(first.transcript.count == second.transcript.count)
        #expect(first.marks == second.marks)
    }
}
