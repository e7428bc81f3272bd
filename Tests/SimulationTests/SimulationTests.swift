import Simulation
import Testing

/// Drives the core that runs in production through crashes, delays and lies.
///
/// A debug build runs a tenth of the seeds; scripts/test runs all of them in a release build.
@Suite struct SimulationTests {
    #if DEBUG
        static let seeds: Range<UInt64> = 0..<60
    #else
        static let seeds: Range<UInt64> = 0..<400
    #endif
    static let eventsPerSeed = 2_500

    /// Everything that must happen, or the simulation proves nothing about it.
    static let outcomes = [
        "done, streamed", "done, whole", "embeddings delivered", "batch of embeddings done", "embeddings tried again",
        "invalid_frame", "invalid_json", "duplicate_id", "too_many_connections",
        "connection_timeout", "invalid_request", "unknown_op", "not_supported", "unknown_model", "no_key", "not_found",
        "too_many_requests", "overloaded", "provider_unavailable", "log_unavailable", "shutting_down", "cancelled",
        "timeout",
        "worker_crashed", "worker_hung", "worker_misbehaved", "answer_too_large", "model_error", "invalid_options",
        "provider_unreachable", "provider_authentication", "provider_rate_limited", "provider_rejected",
        "provider_error",
        "provider_invalid_response",
        "row done", "row error", "row cancelled", "row crashed",
        "client left with requests open", "client dropped", "client not read", "client read again", "slot not read",
        "slot read again", "slot let go after a cancel", "done arrived after a cancel", "hung slot's worker killed",
        "worker crashed", "worker failed to start", "provider parked", "back-off doubled",
        "logger died with records in hand", "logger killed",
        "record sent again", "large frame waited for memory", "drain under load", "drained",
        "first_output timeout", "idle timeout", "total timeout", "worker retired", "status compared",
        "slot ended while it was not read",
        "announced ready", "announced stopping",
        "attempt failed", "retried and succeeded", "fell back and succeeded", "passed over and succeeded",
        "model passed over", "started again", "ran out of attempts", "Retry-After honoured",
        "too long a Retry-After not waited", "no room to be tried again", "cancelled between attempts",
        "timed out between attempts", "drained between attempts", "client left between attempts",
        "large prompt on record", "output sent in pieces", "slot not read for the log",
        "answer longer than is recorded",
        "prompts wait in one line", "conversation continued", "conversation continued for the second time",
        "conversation begun again", "conversation not found", "conversation too long", "another system prompt refused",
        "continuation refused at the door", "continuation timed out", "continuation ended by a drain",
        "continuation cancelled while it waits", "continuation cancelled while it is remembered",
        "page answered", "question: cancelled", "question: invalid_request", "question: log_unavailable",
        "question: overloaded", "question: too_many_requests", "question: shutting_down",
        "question waits until its client takes output", "question asked again", "question given up",
        "questions given up for want of a reader", "answer that nobody needs any more",
        "reader died over a question", "reader failed to start", "reader hung", "reader killed", "reader lied",
        "idle reader ended",
        "chain done", "chain done in one round", "third round of a chain", "chain resumed", "chain_limit_exceeded",
        "chain cancelled between rounds", "chain ended by a drain", "chain too large", "round too large",
        "round refused",
        "results too late", "results too large", "results refused", "result before the end of its round",
        "call answered by the daemon", "progress without output",
        "configuration taken", "configuration of other keys taken", "configuration refused", "reload too slow",
        "reload ended by a drain", "reload refused while too much is open", "reload under load",
        "reload while workers die", "reload answered", "reload answered with problems", "retired provider alive",
        "retired worker dismissed", "dispatched to a retired provider", "invalid_configuration",
        "caller has its connections", "caller has its requests",
        "group_exit asked", "group_exit of a connection that is gone", "group_exit in a drain", "group_exit given up",
        "hook of groups died",
        "group begun", "group ended with requests", "group ended without requests", "group ended by its connection",
        "group ended in a drain", "group_end cancelled", "group_end refused",
        "group_end after the daemon ended the group",
        "group refused: unknown_model", "group refused: too_many_requests", "group refused: overloaded",
        "group refused: shutting_down", "refused for its group: not_found", "refused for its group: invalid_request",
        "finished without a client", "round finished without a client", "embeddings finished without a client",
        "cancelled for want of room to finish", "ended without a client", "drain waits for what nobody reads",
        "models listed", "models refused", "models saved", "models given up", "models that nobody waits for",
        "secrets: answered", "secrets: killed", "secrets: failed to start", "secrets_unavailable", "not_allowed",
        "key use saved",
    ]

    @Test func everyPromiseHoldsAndEveryOutcomeIsReached() throws {
        var events = 0
        var marks: [String: Int] = [:]
        for seed in Self.seeds {
            var simulation = Simulation(seed: seed)
            try simulation.run(events: Self.eventsPerSeed)
            events += simulation.events
            marks.merge(simulation.marks, uniquingKeysWith: +)
        }
        print("simulated \(events) events of \(Self.seeds.count) seeds")
        for (mark, count) in marks.sorted(by: { $0.key < $1.key }) { print("  \(count)  \(mark)") }
        let enough = Self.seeds.count >= 800 ? 20 : 1
        for outcome in Self.outcomes {
            #expect(marks[outcome, default: 0] >= enough, "the simulation no longer reaches: \(outcome)")
        }
        if Self.seeds.count >= 800 { #expect(events >= 1_000_000) }
    }

    /// Each run has dictionaries of its own, whose orders differ: nothing may depend on them.
    @Test(arguments: 40..<50) func aSeedAlwaysGivesTheSameRun(seed: UInt64) throws {
        var first = Simulation(seed: seed, isRecorded: true)
        var second = Simulation(seed: seed, isRecorded: true)
        try first.run(events: 1_000)
        try second.run(events: 1_000)
        let difference = zip(first.transcript, second.transcript).first { $0 != $1 }
        #expect(difference == nil)
        #expect(first.transcript.count == second.transcript.count)
        #expect(first.marks == second.marks)
        #expect(first.events == second.events)
    }
}
