import Messages
import Testing

@testable import SupervisorCore

/// Questions about the record: who may see what, and their bounds.
@Suite struct LookupTests {
    @Test(arguments: [(0, false), (500, false), (1000, true)])
    func onlyAdministratorsSeeEverybodysRows(uid: Int, isNamed: Bool) {
        var scenario = Scenario.ready(storesPrompts: true)
        scenario.core = SupervisorCore(
            configuration: scenario.core.configuration, seed: 7, processID: 1, userID: 500)
        scenario.post(.start)
        scenario.loggerIsReady()
        scenario.connect(1, uid: uid)
        scenario.client(1, #"{"id":1,"op":"requests"}"#)
        let question = scenario.readerIsReady().first ?? ""
        #expect(question.contains(#""uid":\#(uid)"#) == isNamed, "\(question)")
        #expect(question.contains("uid") == isNamed)
        scenario.answersPage()
        let history = scenario.continues(1, 2).first ?? ""
        #expect(history.contains("uid") == isNamed, "\(history)")
    }

    @Test func rootIsAnAdministratorOfEveryDaemon() {
        let core = SupervisorCore(configuration: Scenario().core.configuration, seed: 7, userID: 500)
        #expect(core.administrators == [0, 500])
    }

    @Test func questionsAreBoundedOnAConnectionAndInAll() {
        var bounds = SupervisorBounds()
        bounds.questionsPerConnection = 2
        bounds.questions = 3
        var scenario = Scenario.ready(storesPrompts: true, bounds: bounds)
        scenario.connect(1)
        scenario.connect(2)
        for id in 1...2 { scenario.client(1, #"{"id":\#(id),"op":"logs"}"#) }
        #expect(scenario.client(1, #"{"id":3,"op":"logs"}"#)[0].contains("too_many_requests"))
        #expect(scenario.client(2, #"{"id":1,"op":"logs"}"#) == [])
        #expect(scenario.client(2, #"{"id":2,"op":"logs"}"#)[0].contains("overloaded"))
        #expect(scenario.core.footprint.questions == 3)
        scenario.client(1, #"{"id":9,"op":"cancel","target":1}"#)
        #expect(scenario.client(2, #"{"id":2,"op":"logs"}"#) == [])
    }

    @Test func questionsCountWithTheRequestsOfTheirConnection() {
        var bounds = SupervisorBounds()
        bounds.requestsPerConnection = 2
        var scenario = Scenario.ready(bounds: bounds)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"logs"}"#)
        scenario.promptRuns(1, 2)
        #expect(scenario.client(1, #"{"id":3,"op":"logs"}"#)[0].contains("too_many_requests"))
        #expect(scenario.client(1, #"{"id":4,"op":"prompt"}"#)[0].contains("too_many_requests"))
    }

    @Test func anIdThatIsOpenMayNotBeUsedAgain() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"logs"}"#)
        let actions = scenario.client(1, #"{"id":1,"op":"logs"}"#)
        #expect(actions.first?.contains("duplicate_id") == true && actions.last == "close client 1")
        #expect(scenario.isClean)
    }

    @Test func aQuestionIsCancelledWhetherItIsAskedOrWaits() {
        var scenario = Scenario.remembering()
        scenario.client(1, #"{"id":1,"op":"logs"}"#)
        scenario.client(1, #"{"id":2,"op":"logs"}"#)
        for id in 1...2 {
            #expect(
                scenario.client(1, #"{"id":9,"op":"cancel","target":\#(id)}"#) == [
                    #"client 1: {"id":9,"event":"done"}"#,
                    #"client 1: {"id":\#(id),"event":"error","error":{"code":"cancelled","message":"the client cancelled the request","retryable":false}}"#,
                ])
        }
        #expect(scenario.core.footprint.questions == 0)
        // The process still works on the first. Nobody needs what it says.
        #expect(scenario.client(1, #"{"id":1,"op":"logs"}"#) == [])
        #expect(scenario.answersPage().first?.hasPrefix("reader:") == true)
        #expect(scenario.answersPage().count == 1)
        #expect(scenario.isClean)
    }

    @Test func aQuestionThatIsNotAnsweredInTimeEnds() {
        var scenario = Scenario(storesPrompts: true)
        scenario.post(.start)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"logs"}"#)
        let early = scenario.pass(.milliseconds(29_999))
        #expect(!early.contains { $0.contains("log_unavailable") })
        #expect(scenario.pass(.milliseconds(1)).contains { $0.contains("log_unavailable") })
        #expect(scenario.core.footprint.questions == 0)
    }

    @Test func whatTheReaderRefusesIsTheClients() {
        var scenario = Scenario.remembering()
        scenario.client(1, #"{"id":1,"op":"logs","search":"\""}"#)
        let actions = scenario.refuses(.invalidRequest)
        #expect(
            actions == [
                #"client 1: {"id":1,"event":"error","error":{"code":"invalid_request","message":"no","retryable":false}}"#
            ])
        #expect(scenario.isClean)
    }

    @Test func aClientThatTakesNoOutputIsNotAskedForAndTheNextIs() {
        var scenario = Scenario.ready(storesPrompts: true)
        scenario.connect(1)
        scenario.connect(2)
        scenario.client(1, #"{"id":1,"op":"logs"}"#)
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 200_000, tookSome: false))
        #expect(scenario.readerIsReady() == [])
        #expect(scenario.client(2, #"{"id":1,"op":"logs"}"#).count == 1)
        scenario.answersPage()
        #expect(scenario.client(1, #"{"id":2,"op":"ping"}"#).count == 1)
        #expect(scenario.post(.clientBacklog(ConnectionID(1), bytes: 0, tookSome: true)).count == 1)
        #expect(scenario.answersPage().first?.hasPrefix(#"client 1: {"id":1,"event":"done""#) == true)
        #expect(scenario.isClean)
    }

    @Test func theReaderIsNotStartedForAClientThatTakesNoOutput() {
        var scenario = Scenario.ready(storesPrompts: true)
        scenario.connect(1)
        scenario.client(1, #"{"id":0,"op":"ping"}"#)
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 200_000, tookSome: false))
        #expect(scenario.client(1, #"{"id":1,"op":"logs"}"#) == [])
        #expect(scenario.post(.clientBacklog(ConnectionID(1), bytes: 0, tookSome: true)) == ["start reader"])
    }

    @Test func questionsAreAskedWherePromptsAreNotStored() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        #expect(scenario.client(1, #"{"id":1,"op":"requests"}"#) == ["start reader"])
    }
}
