import JSON
import Messages
import Testing

@testable import SupervisorCore

/// Answers on their way to the record.
@Suite struct AnswerRecordTests {
    private static func bounds(piece: Int = 100, output: Int = 1 << 20) -> SupervisorBounds {
        var bounds = SupervisorBounds()
        bounds.outputPiece = piece
        bounds.logOutput = output
        bounds.smallFrame = 1_000
        return bounds
    }

    private static let timeouts = ProviderSettings.Timeouts(firstOutput: 2_000, idle: 1_000, total: 60_000, cancel: 500)

    /// Two requests that stream, under relaxed durability.
    private static func streaming(_ bounds: SupervisorBounds) -> Scenario {
        var scenario = Scenario.ready(
            durability: .relaxed, storesPrompts: true, providers: [.echo(slots: 3, timeouts: Self.timeouts)],
            bounds: bounds)
        scenario.connect(1)
        for id in 1...2 { scenario.client(1, #"{"id":\#(id),"op":"prompt"}"#) }
        return scenario
    }

    @Test func anAnswerIsSentInPiecesAndTheRestWithItsEnd() {
        var scenario = Self.streaming(Self.bounds())
        let text = String(repeating: "x", count: 30)
        #expect(scenario.slot(1, 0, .text(text)).count == 1)
        #expect(scenario.slot(1, 0, .text(text)).count == 1)
        #expect(
            scenario.slot(1, 0, .text(text))[1]
                == #"logger: {"op":"output","sequence":3,"request":"r1","output":[{"event":"text","text":"\#(text + text + text)"}]}"#
        )
        scenario.slot(1, 0, .reasoning("hm"))
        let end = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(end[0].contains(#""op":"end","sequence":4"#))
        #expect(end[0].hasSuffix(#""output":[{"event":"reasoning","text":"hm"}]}"#))
        scenario.slot(1, 1, .done(SlotCompletion()))
        #expect(scenario.core.footprint.logOutput > 0)
        scenario.commit()
        #expect(scenario.isClean)
    }

    @Test func wherePromptsAreNotStoredNoContentReachesTheLogger() {
        var scenario = Scenario.ready(durability: .relaxed, bounds: Self.bounds())
        scenario.connect(1)
        var actions = scenario.client(
            1, #"{"id":1,"op":"prompt","prompt":"SECRET","system":"SECRET","options":{"a":"SECRET"}}"#)
        for _ in 0..<10 { actions += scenario.slot(1, 0, .text("SECRET SECRET SECRET")) }
        actions += scenario.slot(1, 0, .done(SlotCompletion()))
        actions += scenario.client(1, #"{"id":2,"op":"prompt","prompt":"SECRET","stream":false}"#)
        actions += scenario.slot(1, 0, .done(SlotCompletion(answer: .init(text: "SECRET"))))
        let records = actions.filter { $0.hasPrefix("logger:") }
        #expect(records.count == 4 && !records.joined().contains("SECRET"))
        #expect(!actions.joined().contains(#""conversation""#))
    }

    @Test func whatWasDeliveredBeforeAnEndThatIsNoneIsOnRecord() {
        var scenario = Self.streaming(Self.bounds())
        scenario.slot(1, 0, .text("ho"))
        scenario.client(1, #"{"id":9,"op":"cancel","target":1}"#)
        scenario.slot(1, 0, .text("too late"))
        let end = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(
            end[0].contains(#""state":"cancelled""#) && end[0].hasSuffix(#""output":[{"event":"text","text":"ho"}]}"#))
        scenario.slot(1, 1, .text("hu"))
        let crash = scenario.post(.workerExited(WorkerID(1), .signalled(11)))
        #expect(
            crash[0].contains(#""state":"crashed""#) && crash[0].hasSuffix(#""output":[{"event":"text","text":"hu"}]}"#)
        )
    }

    @Test(arguments: [(200, false), (5_000, true)])
    func aWholeAnswerIsRecordedWithItsEndAndALargeOneHoldsItsMemory(length: Int, isLarge: Bool) {
        var scenario = Scenario.ready(storesPrompts: true, bounds: Self.bounds())
        scenario.connect(1)
        scenario.promptRuns(1, 1, #","stream":false"#)
        let text = String(repeating: "y", count: length)
        let answer = SlotEvent.done(SlotCompletion(answer: .init(text: text)))
        if isLarge {
            scenario.post(.slotFrameBegun(SlotID(worker: WorkerID(1), index: 0), length: answer.encoded.count))
        }
        let end = scenario.slot(1, 0, answer)
        #expect(end[0].hasSuffix(#""output":[{"event":"text","text":"\#(text)"}]}"#))
        #expect((scenario.core.footprint.logOutput == 0) == isLarge)
        #expect((scenario.core.footprint.memory > 2 * length) == isLarge)
        #expect(scenario.commit().first?.contains(#""text":"\#(text)""#) == true)
        #expect(scenario.isClean)
    }

    @Test func aLargePromptHoldsItsMemoryUntilItIsOnDiskAndWithItsSlot() {
        var scenario = Scenario.ready(durability: .relaxed, storesPrompts: true, bounds: Self.bounds())
        scenario.connect(1)
        let text = #"{"id":1,"op":"prompt","prompt":"\#(String(repeating: "x", count: 5_000))"}"#
        scenario.post(.clientFrameBegun(ConnectionID(1), length: text.utf8.count))
        #expect(scenario.core.footprint.memory == 2 * text.utf8.count)
        scenario.client(1, text)
        #expect(scenario.core.footprint.logBytes == 0)
        #expect(scenario.core.footprint.memory > 10_000)
        scenario.post(.slotWritten(SlotID(worker: WorkerID(1), index: 0)))
        #expect((5_000..<6_000).contains(scenario.core.footprint.memory))
        scenario.commit()
        #expect(scenario.core.footprint.memory == 0)
    }

    // MARK: Too long

    @Test func aStreamThatIsLongerThanIsRecordedIsCutShort() {
        var bounds = Self.bounds()
        bounds.recordedAnswer = 1_000
        var scenario = Self.streaming(bounds)
        var actions: [String] = []
        var pieces = 0
        while !actions.contains(where: { $0.contains(#""op":"cancel""#) }), pieces < 100 {
            actions += scenario.slot(1, 0, .text(String(repeating: "~", count: 90)))
            pieces += 1
        }
        #expect(pieces < 12)
        actions += scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(actions.last?.contains(#""code":"answer_too_large""#) == true)
        // All that was delivered is on record.
        let delivered = actions.count { $0.contains(#""event":"text""#) && $0.hasPrefix("client") }
        let recorded = actions.filter { $0.hasPrefix("logger:") }.joined().count { $0 == "~" }
        #expect(recorded == delivered * 90)
    }

    /// Each call is longer on record than in the answer. One that no longer fits a frame to the logger would come again and again.
    @Test func aWholeAnswerOfManyToolCallsIsRefusedRatherThanTooLongForItsRecord() {
        var bounds = Self.bounds()
        bounds.recordedAnswer = 10_000
        var scenario = Scenario.ready(durability: .relaxed, storesPrompts: true, bounds: bounds)
        scenario.connect(1)
        scenario.promptRuns(1, 1, #","stream":false"#)
        let calls = (0..<200).map { ToolCall(id: "\($0)", name: "n", arguments: Array("{}".utf8)) }
        let answer = SlotEvent.done(
            SlotCompletion(usage: Usage(input: 1, output: 2), answer: .init(text: "", toolCalls: calls)))
        #expect(answer.encoded.count < 10_000)
        let actions = scenario.slot(1, 0, answer)
        #expect(actions[0].contains(#""state":"error""#) && actions[0].contains("answer_too_large"))
        #expect(actions[0].contains(#""usage":{"input":1,"output":2}"#) && !actions[0].contains("tool_call"))
        #expect(actions[1].contains("answer_too_large"))
    }

    // MARK: When the logger is behind

    /// A logger that does not acknowledge, and answers until the slots are no longer read.
    private static func behind() -> Scenario {
        var scenario = Self.streaming(Self.bounds(piece: 100, output: 400))
        var actions: [String] = []
        for _ in 0..<3 { actions += scenario.slot(1, 0, .text(String(repeating: "x", count: 110))) }
        #expect(actions.suffix(2) == ["pause slot 1.0", "pause slot 1.1"], "\(actions)")
        return scenario
    }

    @Test func slotsAreNotReadWhileTheLoggerIsBehindAndThenAreAgain() {
        var scenario = Self.behind()
        // A slot that gets its request now is not read either.
        let late = scenario.client(1, #"{"id":3,"op":"prompt"}"#)
        #expect(late.last == "pause slot 1.2", "\(late)")
        #expect(scenario.post(.loggerReply(LoggerReply.acknowledged(sequence: 3).encoded)) == [])
        let actions = scenario.post(.loggerReply(LoggerReply.acknowledged(sequence: 4).encoded))
        #expect(actions == ["resume slot 1.0", "resume slot 1.1", "resume slot 1.2"])
    }

    @Test func deadlinesOfProgressStandStillMeanwhile() {
        var scenario = Self.behind()
        #expect(scenario.pass(.seconds(30)) == [])
        scenario.commit()
        #expect(scenario.pass(.milliseconds(999)) == [])
        // The first has spoken, the second has not.
        #expect(scenario.pass(.milliseconds(1)) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
        #expect(scenario.pass(.seconds(1)).contains(#"slot 1.1: {"op":"cancel","request":"r2"}"#))
    }

    @Test func theTotalTimeoutAndACancelReadOn() {
        var scenario = Self.behind()
        let actions = scenario.client(1, #"{"id":9,"op":"cancel","target":1}"#)
        #expect(actions.suffix(2) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#, "resume slot 1.0"])
        let end = scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(
            end.count == 1 && end[0].hasPrefix("logger:"),
            "its last frame waits, since the logger is far behind: \(end)")
        let total = scenario.pass(.seconds(60))
        #expect(total.contains("resume slot 1.1"))
        let committed = scenario.commit()
        #expect(!committed.contains { $0.hasPrefix("resume") || $0.hasPrefix("pause") })
        #expect(committed.contains { $0.hasPrefix(#"client 1: {"id":1,"event":"error""#) }, "\(committed)")
    }

    @Test func aSlotThatIsPausedForItsClientTooIsReadWhenBothAreOver() {
        var scenario = Self.behind()
        #expect(scenario.post(.clientBacklog(ConnectionID(1), bytes: 200_000, tookSome: false)) == [])
        #expect(scenario.commit() == [])
        let actions = scenario.post(.clientBacklog(ConnectionID(1), bytes: 0, tookSome: true))
        #expect(actions == ["resume slot 1.0", "resume slot 1.1"])
    }

    @Test func aSlotThatEndsWhileItIsNotReadIsReadForTheNextRequest() {
        var scenario = Self.behind()
        let actions = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(actions.contains("resume slot 1.0"))
        #expect(scenario.client(1, #"{"id":3,"op":"prompt"}"#).last == "pause slot 1.0")
    }
}
