import Messages
import Testing

@testable import SupervisorCore

/// The life of the reader process.
@Suite struct ReaderTests {
    private static func asking(_ scenario: Scenario) -> Scenario {
        var scenario = scenario
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"logs"}"#)
        return scenario
    }

    private static func unavailable(_ id: Int, in actions: [String]) -> Bool {
        actions.contains { $0.hasPrefix(#"client 1: {"id":\#(id),"event":"error","error":{"code":"log_unavailable""#) }
    }

    @Test func theFirstQuestionStartsItAndItIsAskedWhenItIsReady() {
        var scenario = Scenario.ready(storesPrompts: true)
        #expect(scenario.pass(.seconds(100)) == [])
        scenario.connect(1)
        #expect(scenario.client(1, #"{"id":1,"op":"logs","limit":3}"#) == ["start reader"])
        #expect(scenario.client(1, #"{"id":2,"op":"requests"}"#) == [])
        #expect(scenario.readerIsReady() == [#"reader: {"op":"logs","limit":3,"query":2,"uid":1000}"#])
        #expect(
            scenario.answersPage(#"[{"id":"a"}]"#, next: "a") == [
                #"client 1: {"id":1,"event":"done","logs":[{"id":"a"}],"next":"a"}"#,
                #"reader: {"op":"requests","limit":20,"query":3,"uid":1000}"#,
            ])
        #expect(scenario.answersPage() == [#"client 1: {"id":2,"event":"done","requests":[]}"#])
        #expect(scenario.isClean)
    }

    @Test func itIsNotStartedBeforeTheLoggerHasOpenedTheFile() {
        var scenario = Scenario(storesPrompts: true)
        scenario.post(.start)
        scenario.connect(1)
        #expect(scenario.client(1, #"{"id":1,"op":"logs"}"#) == [])
        scenario.post(.loggerStarted(pid: 1))
        let actions = scenario.post(
            .loggerReply(LoggerReply.ready(protocolVersion: 1, version: "1", acknowledged: 0).encoded))
        #expect(actions == ["start reader"])
    }

    @Test func itIsEndedWhenNobodyAsksAndStartedAgainByTheNextQuestion() {
        var scenario = Scenario.remembering()
        #expect(scenario.pass(.milliseconds(59_999)) == [])
        #expect(scenario.pass(.milliseconds(1)) == ["close reader"])
        #expect(scenario.client(1, #"{"id":1,"op":"logs"}"#) == [])
        #expect(scenario.post(.readerExited(.exited(code: 0))) == ["start reader"])
        #expect(scenario.readerIsReady().count == 1)
    }

    @Test func oneThatDoesNotEndIsKilled() {
        var scenario = Scenario.remembering()
        scenario.pass(.seconds(60))
        #expect(scenario.pass(.milliseconds(4_999)) == [])
        #expect(scenario.pass(.milliseconds(1)) == ["kill reader"])
        #expect(scenario.readerDies() == [])
        #expect(scenario.core.reader.state == .off)
    }

    @Test func aQuestionIsAskedAgainWhenItsProcessDied() {
        var scenario = Self.asking(Scenario.ready(storesPrompts: true))
        scenario.readerIsReady()
        #expect(scenario.readerDies() == [])
        #expect(scenario.pass(.milliseconds(99)) == [])
        #expect(scenario.pass(.milliseconds(1)) == ["start reader"])
        #expect(scenario.readerIsReady().count == 1)
        #expect(scenario.answersPage().first?.contains(#""event":"done""#) == true)
    }

    @Test func aQuestionOverWhichTwoProcessesDiedIsGivenUpAndTheNextIsAsked() {
        var scenario = Self.asking(Scenario.ready(storesPrompts: true))
        scenario.client(1, #"{"id":2,"op":"logs"}"#)
        scenario.readerIsReady()
        scenario.readerDies()
        scenario.pass(.milliseconds(100))
        scenario.readerIsReady()
        let actions = scenario.readerDies()
        #expect(actions.count == 1 && Self.unavailable(1, in: actions))
        scenario.pass(.milliseconds(200))
        #expect(scenario.readerIsReady().count == 1)
        #expect(scenario.answersPage().first?.hasPrefix(#"client 1: {"id":2,"event":"done""#) == true)
    }

    /// Each death belongs to the question that was asked.
    @Test func aQuestionDoesNotPayForTheDeathOfAnother() {
        var scenario = Self.asking(Scenario.ready(storesPrompts: true))
        scenario.readerIsReady()
        scenario.readerDies()
        // A history comes before the page that was asked for.
        scenario.continues(1, 2)
        scenario.pass(.milliseconds(100))
        #expect(scenario.readerIsReady().first?.contains("history") == true)
        #expect(scenario.readerDies() == [])
        scenario.pass(.milliseconds(200))
        scenario.readerIsReady()
        #expect(Self.unavailable(2, in: scenario.readerDies()))
        scenario.pass(.milliseconds(400))
        scenario.readerIsReady()
        #expect(scenario.answersPage().first?.hasPrefix(#"client 1: {"id":1,"event":"done""#) == true)
    }

    /// Two questions that kill it, one after the other, and an innocent one.
    @Test func innocentQuestionsOutliveManyDeathsOverOthers() {
        var scenario = Scenario.ready(storesPrompts: true)
        scenario.connect(1)
        for id in 1...4 { scenario.client(1, #"{"id":\#(id),"op":"logs"}"#) }
        var actions: [String] = []
        for death in 0..<6 {
            scenario.readerIsReady()
            actions += scenario.readerDies()
            scenario.pass(.milliseconds(100 << death))
        }
        #expect((1...3).allSatisfy { Self.unavailable($0, in: actions) } && actions.count == 3, "\(actions)")
        scenario.readerIsReady()
        #expect(scenario.answersPage().first?.hasPrefix(#"client 1: {"id":4,"event":"done""#) == true)
    }

    @Test func oneThatCannotBeStartedKeepsNobodyWaiting() {
        var scenario = Self.asking(Scenario.ready(storesPrompts: true))
        scenario.continues(1, 2)
        #expect(scenario.post(.readerFailedToStart(reason: "no memory")) == [])
        #expect(scenario.pass(.milliseconds(100)) == ["start reader"])
        #expect(scenario.post(.readerExited(.exited(code: 78))) == [])
        #expect(scenario.pass(.milliseconds(200)) == ["start reader"])
        let actions = scenario.pass(.seconds(15))
        #expect(actions == ["kill reader"])
        let ends = scenario.readerDies()
        #expect(Self.unavailable(1, in: ends) && Self.unavailable(2, in: ends) && ends.count == 2, "\(ends)")
        #expect(scenario.isClean)
        #expect(scenario.pass(.seconds(60)) == [])
        #expect(scenario.core.reader.state == .off)
    }

    @Test func deathsComeLessAndLessOftenUntilOneIsAnswered() {
        var scenario = Scenario.remembering()
        var delays: [Int] = []
        for _ in 0..<8 {
            scenario.client(1, #"{"id":1,"op":"logs"}"#)
            scenario.readerDies()
            var milliseconds = 0
            while !scenario.pass(.milliseconds(50)).contains("start reader") { milliseconds += 50 }
            delays.append(milliseconds + 50)
            scenario.readerIsReady()
            scenario.client(1, #"{"id":9,"op":"cancel","target":1}"#)
        }
        #expect(delays == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
    }

    @Test func oneThatDoesNotAnswerIsKilledAndItsQuestionGivenUp() {
        var scenario = Self.asking(Scenario.ready(storesPrompts: true))
        scenario.readerIsReady()
        #expect(scenario.pass(.milliseconds(14_999)) == [])
        let actions = scenario.pass(.milliseconds(1))
        #expect(actions.first == "kill reader" && Self.unavailable(1, in: actions) && actions.count == 2)
        // What it had said before is not heard any more, and it is asked nothing.
        #expect(scenario.client(1, #"{"id":2,"op":"logs"}"#) == [])
        #expect(scenario.answersPage() == [])
        #expect(scenario.core.footprint.memory == 0)
        #expect(scenario.readerDies() == [])
        #expect(scenario.pass(.milliseconds(100)) == ["start reader"])
    }

    @Test(arguments: [
        #"{"event":"history","query":2,"messages":[]}"#, #"{"event":"page","query":77,"rows":[]}"#, "not json",
        #"{"event":"ready","protocol":1,"version":"1"}"#, #"{"event":"page","query":2,"rows":{}}"#,
        #"{"event":"error","query":2,"error":{"code":"duplicate_id","message":"x","retryable":false}}"#,
    ])
    func oneThatBreaksItsProtocolIsKilledAndAskedNothingMore(frame: String) {
        var scenario = Self.asking(Scenario.ready(storesPrompts: true))
        scenario.readerIsReady()
        #expect(scenario.question == 2)
        #expect(scenario.post(.readerReply(Array(frame.utf8))) == ["kill reader"])
        #expect(scenario.core.footprint.memory == 0)
        #expect(scenario.answersPage() == [])
        #expect(scenario.post(.readerBrokeProtocol(reason: "a frame of 99 GiB")) == [])
        #expect(scenario.continues(1, 2) == [])
        scenario.readerDies()
        #expect(scenario.pass(.milliseconds(100)) == ["start reader"])
        #expect(scenario.readerIsReady().count == 1)
    }

    @Test func aPageIsNoAnswerToAHistory() {
        var scenario = Scenario.remembering()
        scenario.continues(1, 1)
        #expect(scenario.answersPage() == ["kill reader"])
    }

    @Test(arguments: [#"{"event":"ready","protocol":2,"version":"9"}"#, #"{"event":"page","query":2,"rows":[]}"#])
    func oneThatDoesNotBeginWithItsReadyIsKilled(frame: String) {
        var scenario = Self.asking(Scenario.ready(storesPrompts: true))
        #expect(scenario.post(.readerReply(Array(frame.utf8))) == ["kill reader"])
        #expect(scenario.post(.readerReply(Array(frame.utf8))) == [])
    }

    // MARK: The stop

    @Test func itIsEndedWithTheWorkersAndTheDaemonWaitsForIt() {
        var scenario = Scenario.remembering()
        #expect(scenario.post(.drain).suffix(2) == ["close reader", "close worker 1"])
        scenario.post(.workerExited(WorkerID(1), .exited(code: 0)))
        #expect(scenario.post(.loggerExited(.exited(code: 0))) == [])
        #expect(scenario.post(.readerExited(.exited(code: 0))) == ["close client 1"])
        #expect(scenario.post(.clientClosed(ConnectionID(1))) == ["exit 0"])
    }

    @Test func oneThatIsBeingKilledWhenTheDaemonStopsIsWaitedForToo() {
        var scenario = Scenario.remembering()
        scenario.post(.readerBrokeProtocol(reason: "x"))
        #expect(!scenario.post(.drain).contains("close reader"))
        scenario.post(.workerExited(WorkerID(1), .exited(code: 0)))
        #expect(scenario.post(.loggerExited(.exited(code: 0))) == [])
        #expect(scenario.readerDies() == ["close client 1"])
    }

    @Test func questionsAreAnsweredInADrainWhileAPromptIsOpen() {
        var scenario = Scenario.remembering(durability: .relaxed)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.post(.drain)
        #expect(scenario.client(1, #"{"id":2,"op":"logs"}"#).count == 1)
        #expect(scenario.answersPage().count == 1)
        scenario.client(1, #"{"id":3,"op":"logs"}"#)
        let actions = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(
            actions.contains { $0.hasPrefix(#"client 1: {"id":3,"event":"error","error":{"code":"shutting_down""#) })
        #expect(actions.contains("close reader"))
        #expect(scenario.client(1, #"{"id":4,"op":"logs"}"#)[0].contains("shutting_down"))
    }

    // MARK: Memory

    @Test func aHistoryWaitsForRoomOfItsOwnAndGivesItBack() {
        var bounds = SupervisorBounds()
        bounds.history = 10_000
        bounds.historyMemory = 12_000
        bounds.smallFrame = 1_000
        var scenario = Scenario.remembering(providers: [.echo(slots: 1)], bounds: bounds)
        scenario.promptRuns(1, 1)
        let messages = #"["\#(String(repeating: "x", count: 5_000))"]"#
        scenario.continues(1, 2, "a")
        #expect(scenario.core.footprint.memory > 10_000)
        scenario.remembers(messages)
        scenario.commit()
        #expect(scenario.core.footprint.memory > 5_000)
        // The next history waits until a slot has taken that request.
        #expect(scenario.continues(1, 3, "b") == [])
        #expect(scenario.pass(.seconds(70)) == [])
        #expect(scenario.slot(1, 0, .done(SlotCompletion())).contains { $0.hasPrefix("slot 1.0:") })
        #expect(
            scenario.post(.slotWritten(SlotID(worker: WorkerID(1), index: 0)))
                == [#"reader: {"op":"history","conversation":"b","query":5,"uid":1000}"#])
        scenario.refuses(.notFound)
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.commit()
        #expect(scenario.isClean)
    }

    /// A frame that waits for the room of a prompt that waits for its history must not keep that history out.
    @Test func aLargePromptIsRememberedThoughOthersWaitForRoom() {
        var bounds = SupervisorBounds()
        bounds.memory = 80_000
        bounds.smallFrame = 1_000
        var scenario = Scenario.remembering(bounds: bounds)
        let text = #"{"id":1,"op":"prompt","conversation":"c","prompt":"\#(String(repeating: "x", count: 20_000))"}"#
        scenario.connect(2)
        scenario.post(.clientFrameBegun(ConnectionID(1), length: text.utf8.count))
        #expect(scenario.post(.clientFrameBegun(ConnectionID(2), length: 20_000)) == ["pause client 2"])
        #expect(scenario.client(1, text).first?.contains(#""op":"history""#) == true)
        let actions = scenario.remembers()
        #expect(actions.contains { $0.contains(#""op":"open""#) })
        scenario.commit()
        scenario.post(.slotWritten(SlotID(worker: WorkerID(1), index: 0)))
        scenario.post(.clientClosed(ConnectionID(2)))
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.commit()
        #expect(scenario.isClean)
    }

    /// Nothing else happens that could let it go on.
    @Test func roomThatAQuestionGivesBackIsGivenToWhoWaitsForItAtOnce() {
        var bounds = SupervisorBounds()
        bounds.memory = 40_000
        bounds.page = 9_000
        bounds.smallFrame = 1_000
        var scenario = Scenario.remembering(durability: .relaxed, bounds: bounds)
        scenario.client(1, #"{"id":1,"op":"prompt","stream":false}"#)
        scenario.client(1, #"{"id":2,"op":"logs"}"#)
        let slot = SlotID(worker: WorkerID(1), index: 0)
        #expect(scenario.post(.slotFrameBegun(slot, length: 4_000)) == ["pause slot 1.0"])
        #expect(scenario.answersPage().last == "resume slot 1.0")
    }
}
