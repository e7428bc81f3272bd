import Messages
import Testing

@testable import SupervisorCore

/// Requests for embeddings, from the door to the last frame.
@Suite struct EmbeddingTests {
    private static let timeouts = ProviderSettings.Timeouts(firstOutput: 2_000, idle: 1_000, total: 10_000, cancel: 500)

    private static func ready(storesPrompts: Bool = true, _ durability: ServiceConfiguration.Durability = .commit)
        -> Scenario
    {
        var scenario = Scenario.ready(
            durability: durability, storesPrompts: storesPrompts, providers: [.echo(slots: 1, timeouts: Self.timeouts)])
        scenario.connect(1)
        return scenario
    }

    private static func done(_ vectors: String) -> [UInt8] {
        EmbeddingEvent.done(
            EmbeddingCompletion(embeddings: Array(vectors.utf8), usage: Usage(input: 3, output: nil))
        ).encoded
    }

    private static let slot = SlotID(worker: WorkerID(1), index: 0)

    @Test func oneIsRecordedThenRunThenRecordedThenAnswered() {
        var scenario = Self.ready()
        #expect(
            scenario.client(1, #"{"id":"e","op":"embed","model":"echo","input":["a","b"],"options":{"dimensions":2}}"#)
                == [
                    #"logger: {"op":"open","sequence":1,"request":"r1","at_ms":1000,"uid":1000,"gid":100,"pid":42,"#
                        + #""provider":"echo","model":"echo","stream":false,"operation":"embed"}"#
                ])
        #expect(
            scenario.commit() == [
                #"slot 1.0: {"op":"embed","request":"r1","model":"echo","input":["a","b"],"options":{"dimensions":2}}"#
            ])
        #expect(scenario.post(.slotEvent(Self.slot, EmbeddingEvent.progress.encoded)) == [])
        #expect(
            scenario.post(.slotEvent(Self.slot, Self.done("[[1.0,-0],[2,3e5]]"))) == [
                #"logger: {"op":"end","sequence":2,"request":"r1","at_ms":1000,"state":"done","duration_ms":0,"#
                    + #""usage":{"input":3}}"#
            ])
        #expect(
            scenario.commit() == [
                #"client 1: {"id":"e","event":"done","usage":{"input":3},"embeddings":[[1.0,-0],[2,3e5]],"#
                    + #""request":"r1","model":"echo","provider":"echo","duration_ms":0}"#
            ])
        #expect(scenario.core.footprint.requests == 0)
        #expect(scenario.core.footprint.memory == 0)
    }

    @Test func withoutAModelTheDefaultForEmbeddingsIsAsked() {
        var scenario = Self.ready()
        #expect(
            scenario.client(1, #"{"id":1,"op":"embed","input":"a"}"#) == [
                #"client 1: {"id":1,"event":"error","error":{"code":"unknown_model","message":"#
                    + #""the request names no model and no default_embedding_model is configured","retryable":false}}"#
            ])
        var configured = Scenario(
            configuration: ServiceConfiguration(
                socketPath: "/s", stateDirectory: "/d", durability: .relaxed, defaultEmbeddingModel: "echo",
                providers: [.echo()]))
        configured.connect(1)
        #expect(configured.client(1, #"{"id":1,"op":"embed","input":"a"}"#).isEmpty)
        #expect(configured.core.counters.admitted == 1)
    }

    @Test func aProviderWithoutEmbeddingsIsNotAsked() {
        let anthropic = ProviderSettings(name: "a", kind: .anthropic, models: [ModelDescription(id: "claude")])
        var scenario = Scenario.ready(providers: [anthropic])
        scenario.connect(1)
        let answer = scenario.client(1, #"{"id":1,"op":"embed","model":"claude","input":["a"]}"#)
        #expect(answer.count == 1)
        #expect(answer.first?.contains(#""code":"model_error","message":"model 'claude' makes no embeddings"#) == true)
        #expect(scenario.core.counters.admitted == 0)
    }

    @Test(arguments: [
        (#"{"id":1,"op":"embed","model":"ecko","input":"a"}"#, "unknown_model"),
        (#"{"id":1,"op":"embed","model":"echo","input":[]}"#, "invalid_request"),
        (#"{"id":1,"op":"embed","model":"echo","input":"a","actor":""}"#, "invalid_request"),
    ])
    func whatIsRefusedAtTheDoorHasNoRow(frame: String, code: String) {
        var scenario = Self.ready()
        let answer = scenario.client(1, frame)
        #expect(answer.count == 1)
        #expect(answer.first?.contains(#""code":"\#(code)""#) == true)
    }

    @Test func itIsCancelledLikeAPrompt() {
        var scenario = Self.ready(.relaxed)
        scenario.client(1, #"{"id":1,"op":"embed","model":"echo","input":"a"}"#)
        #expect(
            scenario.client(1, #"{"id":2,"op":"cancel","target":1}"#) == [
                #"client 1: {"id":2,"event":"done"}"#, #"slot 1.0: {"op":"cancel","request":"r1"}"#,
            ])
        #expect(scenario.post(.slotEvent(Self.slot, EmbeddingEvent.progress.encoded)) == [])
        let end = scenario.post(.slotEvent(Self.slot, Self.done("[[1]]")))
        #expect(end.last?.contains(#""code":"cancelled""#) == true)
        #expect(end.last?.contains(#""usage":{"input":3}"#) == true)
        #expect(scenario.core.counters.cancelled == 1)
    }

    /// The first_output timeout counts for each batch, the total one for all of them.
    @Test func everyBatchHasAsLongAsTheFirst() {
        var scenario = Self.ready(.relaxed)
        scenario.client(1, #"{"id":1,"op":"embed","model":"echo","input":"a"}"#)
        for _ in 0..<4 {
            #expect(scenario.pass(.milliseconds(1_999)) == [])
            scenario.post(.slotEvent(Self.slot, EmbeddingEvent.progress.encoded))
        }
        #expect(scenario.pass(.milliseconds(1_999)) == [])
        #expect(scenario.pass(.milliseconds(1)) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
        let end = scenario.post(
            .slotEvent(Self.slot, SlotEvent.error(Failure(.cancelled, "as told"), usage: nil).encoded))
        #expect(end.last?.contains("the provider's first_output timeout has passed") == true)
    }

    @Test func batchesWithoutEndAreGivenUp() {
        var scenario = Self.ready(.relaxed)
        scenario.client(1, #"{"id":1,"op":"embed","model":"echo","input":"a"}"#)
        for _ in 0..<6 {
            #expect(scenario.pass(.milliseconds(1_600)) == [])
            scenario.post(.slotEvent(Self.slot, EmbeddingEvent.progress.encoded))
        }
        #expect(scenario.pass(.milliseconds(400)) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
    }

    @Test(arguments: [
        #"{"event":"done","embeddings":[[1]]}"#, #"{"event":"done","text":"hi"}"#, #"{"event":"text","text":"hi"}"#,
        #"{"event":"done","embeddings":[[1],["x"]]}"#,
    ])
    func aSlotThatAnswersOtherwiseBreaksItsProtocol(event: String) {
        var scenario = Self.ready(.relaxed)
        scenario.client(1, #"{"id":1,"op":"embed","model":"echo","input":["a","b"]}"#)
        let actions = scenario.post(.slotEvent(Self.slot, Array(event.utf8)))
        #expect(actions.contains("kill worker 1"))
        #expect(actions.contains { $0.contains(#""code":"worker_misbehaved""#) })
    }

    @Test func theProvidersErrorIsTheClients() {
        var scenario = Self.ready(.relaxed)
        scenario.client(1, #"{"id":1,"op":"embed","model":"echo","input":"a"}"#)
        let failure = Failure(.providerRateLimited, "429: slow down", retryAfterMilliseconds: 2000)
        let event = SlotEvent.error(failure, usage: Usage(input: 64, output: nil)).encoded
        let end = scenario.post(.slotEvent(Self.slot, event))
        #expect(end.first?.contains(#""state":"error","duration_ms":0,"usage":{"input":64}"#) == true)
        #expect(end.last?.contains(#""code":"provider_rate_limited""#) == true)
        #expect(end.last?.contains(#""usage":{"input":64}"#) == true)
    }

    private static func fallingBack() -> Scenario {
        var first = ProviderSettings.echo("echo", slots: 1)
        first.retries = 1
        return Scenario(
            configuration: ServiceConfiguration(
                socketPath: "/s", stateDirectory: "/d", durability: .relaxed, providers: [first, .echo("other")],
                fallbacks: ["echo": ["other"]]))
    }

    /// All of it, whatever batches were done; and by the same model only, because vectors of two models mean nothing to each other.
    @Test func itIsTriedAgainByTheSameModelAndByNoOther() {
        var scenario = Self.fallingBack()
        scenario.post(.start)
        scenario.loggerIsReady()
        scenario.workerSaysHello(1, .echo("echo", slots: 1))
        scenario.workerSaysHello(2, .echo("other"))
        scenario.connect(1)
        let frame = #"slot 1.0: {"op":"embed","request":"r1","model":"echo","input":["a"]}"#
        #expect(scenario.client(1, #"{"id":1,"op":"embed","model":"echo","input":["a"]}"#).contains(frame))
        scenario.post(.slotEvent(Self.slot, EmbeddingEvent.progress.encoded))
        let failure = SlotEvent.error(Failure(.providerError, "HTTP 500"), usage: Usage(input: 1, output: nil)).encoded
        #expect(scenario.post(.slotEvent(Self.slot, failure)).allSatisfy { !$0.hasPrefix("client") })
        #expect(scenario.pass(.seconds(1)).contains(frame))
        let end = scenario.post(.slotEvent(Self.slot, failure))
        #expect(end.contains { $0.contains(#""code":"provider_error""#) && $0.contains("2 attempts: 2 of 'echo'") })
        #expect(!end.contains { $0.hasPrefix("slot") })
        #expect(scenario.core.counters.fallbacks == 0)
    }
}
