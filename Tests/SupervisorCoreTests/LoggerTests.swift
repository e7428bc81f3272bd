import Messages
import Testing

@testable import SupervisorCore

/// The logger: what it is sent, what waits for it, and what happens when it dies.
@Suite struct LoggerTests {
    private static func acknowledge(_ scenario: inout Scenario, _ sequence: Int) -> [String] {
        scenario.post(.loggerReply(LoggerReply.acknowledged(sequence: sequence).encoded))
    }

    @Test func theLoggerStartsFirstAndIsToldItsSession() {
        var scenario = Scenario()
        let actions = scenario.post(.start)
        #expect(
            actions.prefix(2) == ["start logger, commit", #"logger: {"op":"begin","session":"session","at_ms":1000}"#])
    }

    @Test func aRestartedLoggerIsSentWhatItHasNot() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        for id in 1...3 { scenario.client(1, #"{"id":\#(id),"op":"prompt"}"#) }
        #expect(Self.acknowledge(&scenario, 1).count == 2)
        #expect(scenario.post(.loggerExited(.signalled(9))) == [])
        // Nothing is sent to the dead, and nothing is lost.
        #expect(scenario.client(1, #"{"id":4,"op":"prompt"}"#) == [])
        let start = scenario.pass(.milliseconds(100))
        #expect(start == ["start logger, commit", #"logger: {"op":"begin","session":"session","at_ms":1100}"#])
        // It committed the second before it died, and could not say so.
        let ready = LoggerReply.ready(protocolVersion: ProtocolVersion.current, version: "1", acknowledged: 2)
        let actions = scenario.post(.loggerReply(ready.encoded))
        #expect(actions.count == 4, "\(actions)")
        #expect(actions[0].hasPrefix(#"logger: {"op":"open","sequence":3,"#))
        #expect(actions[1].hasPrefix(#"logger: {"op":"open","sequence":4,"#))
        #expect(actions[2].hasPrefix("slot 1.1:"))
    }

    @Test func aLoggerThatDiesAgainAndAgainIsStartedLessAndLessOften() {
        var scenario = Scenario.ready()
        var delays: [Int] = []
        for _ in 0..<9 {
            scenario.post(.loggerExited(.signalled(9)))
            var milliseconds = 0
            while !scenario.pass(.milliseconds(50)).contains("start logger, commit") { milliseconds += 50 }
            delays.append(milliseconds + 50)
        }
        #expect(delays == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
    }

    @Test func aLoggerThatAcknowledgesNothingIsKilled() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt","timeout_ms":86400000}"#)
        #expect(!scenario.pass(.milliseconds(59_999)).contains("kill logger"))
        #expect(scenario.pass(.milliseconds(1)).contains("kill logger"))
    }

    @Test func aLoggerWithNothingToDoIsLeftInPeace() {
        var scenario = Scenario.ready()
        #expect(scenario.pass(.seconds(600)) == [])
    }

    @Test func aLoggerThatIsNotReadyInTimeIsKilled() {
        var scenario = Scenario(providers: [])
        scenario.post(.start)
        #expect(scenario.pass(.milliseconds(14_999)) == [])
        #expect(scenario.pass(.milliseconds(1)) == ["kill logger"])
    }

    @Test(arguments: [
        #"{"event":"acknowledged","sequence":99}"#, #"{"event":"ready","protocol":1,"version":"1","acknowledged":0}"#,
        #"{"event":"shout"}"#, "not json",
    ])
    func aLoggerThatBreaksItsProtocolIsKilled(frame: String) {
        var scenario = Scenario.ready()
        #expect(scenario.post(.loggerReply(Array(frame.utf8))) == ["kill logger"])
    }

    @Test func aLoggerOfAnotherProtocolIsNotUsed() {
        var scenario = Scenario(providers: [])
        scenario.post(.start)
        let ready = LoggerReply.ready(protocolVersion: 2, version: "9", acknowledged: 0)
        #expect(scenario.post(.loggerReply(ready.encoded)) == ["kill logger"])
        #expect(scenario.entries.contains { $0.message == "logger broke the protocol: killed" })
    }

    @Test(arguments: [75, 78]) func aLoggerThatCannotHaveItsFileAtFirstEndsTheDaemon(code: Int) {
        var scenario = Scenario()
        scenario.post(.start)
        #expect(scenario.post(.loggerExited(.exited(code: code))) == ["exit 1"])
    }

    @Test(arguments: [75, 78]) func aLoggerThatHadItsFileOnceIsStartedAgain(code: Int) {
        var scenario = Scenario.ready()
        #expect(scenario.post(.loggerExited(.exited(code: code))) == [])
        #expect(scenario.pass(.milliseconds(100)).first == "start logger, commit")
    }

    @Test func underRelaxedDurabilityALastFrameWaitsForItsRowWhenTheLoggerIsFarBehind() {
        var bounds = SupervisorBounds()
        (bounds.logBacklog, bounds.endRecord) = (8_000, 1_000)
        var scenario = Scenario.ready(durability: .relaxed, bounds: bounds)
        scenario.connect(1)
        var answered = 0
        for id in 1...100 {
            scenario.client(1, #"{"id":\#(id),"op":"prompt","prompt":"hi"}"#)
            let actions = scenario.slot(1, 0, .done(SlotCompletion()))
            guard actions.contains(where: { $0.contains(#""event":"done""#) }) else { break }
            answered += 1
        }
        #expect((5..<50).contains(answered), "\(answered)")
        #expect(scenario.core.requests.count == 1, "the last one was admitted, and waits")
        #expect(scenario.commit().contains { $0.contains(#""event":"done""#) })
        #expect(scenario.core.requests.isEmpty)
    }

    @Test func whenTheBacklogIsFullNothingIsAdmittedAndWhatIsOpenStillEnds() {
        var bounds = SupervisorBounds()
        bounds.logBacklog = 25_500
        var scenario = Scenario.ready(durability: .relaxed, bounds: bounds)
        scenario.connect(1)
        scenario.post(.loggerExited(.signalled(9)))
        for id in 1...2 { scenario.client(1, #"{"id":\#(id),"op":"prompt"}"#) }
        let refusal = scenario.client(1, #"{"id":3,"op":"prompt"}"#)
        #expect(refusal[0].contains(#"{"id":3,"event":"error","error":{"code":"log_unavailable""#), "\(refusal)")
        #expect(scenario.slot(1, 0, .done(SlotCompletion())).first?.contains(#""event":"done""#) == true)
        #expect(scenario.core.footprint.logBytes <= 25_500)

        // With a logger that answers it is the daemon that is busy.
        scenario.pass(.milliseconds(100))
        scenario.loggerIsReady()
        scenario.client(1, #"{"id":4,"op":"prompt"}"#)
        let busy = scenario.client(1, #"{"id":5,"op":"prompt"}"#)
        #expect(busy[0].contains(#""code":"overloaded""#), "\(busy)")
        scenario.commit()
        #expect(!scenario.client(1, #"{"id":6,"op":"prompt"}"#)[0].contains("error"))
    }
}
