import Messages
import Testing

@testable import SupervisorCore

/// How many connections and open requests a caller may have.
struct CallerLimitTests {
    private static func ready(connections: Int? = nil, requests: Int? = nil, storesPrompts: Bool = false) -> Scenario {
        Scenario.ready(
            storesPrompts: storesPrompts,
            policy: PolicySettings(callers: [
                CallerSettings(
                    name: "web", users: [1000, 1001], groups: [77], maximumConnections: connections,
                    maximumRequests: requests),
                CallerSettings(name: "everyone", isDefault: true),
            ]))
    }

    // MARK: Connections

    @Test func aConnectionBeyondTheCallersIsToldSoAndClosed() {
        var scenario = Self.ready(connections: 2)
        #expect(scenario.connect(1).isEmpty)
        // Another user of the same caller, and a member of its group.
        #expect(scenario.connect(2, uid: 1001).isEmpty)
        let refused = scenario.connect(3, uid: 5000, groups: [5, 77])
        #expect(
            refused == [
                """
                client 3: {"id":null,"event":"error","error":{"code":"too_many_connections","message":"the caller 'web' has 2 \
                connections, as many as it may ('max_connections'); close one of them, or try again later","retryable":true}}
                """, "close client 3",
            ])
        #expect(scenario.connect(4, uid: 5000).isEmpty, "another caller may")
        #expect(scenario.core.callerConnections.counts == ["web": 2, "everyone": 1])
        scenario.post(.clientClosed(ConnectionID(3)))
        #expect(scenario.core.callerConnections["web"] == 2, "one that was refused did not count")
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.connect(5).isEmpty)
    }

    @Test func aConnectionCountsUntilItIsClosed() {
        var scenario = Self.ready(connections: 1)
        scenario.connect(1)
        scenario.client(1, "[1]")
        #expect(!scenario.connect(2).isEmpty, "it lingers, and holds a descriptor")
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.core.callerConnections.counts.isEmpty)
        #expect(scenario.connect(3).isEmpty)
    }

    @Test func noneAtAllMayBeConfigured() {
        var scenario = Self.ready(connections: 0)
        #expect(scenario.connect(1).last == "close client 1")
        #expect(scenario.connect(2, uid: 0).isEmpty, "root is no user of this caller")
    }

    // MARK: Requests

    private static func isRefused(_ actions: [String]) -> Bool {
        actions.count == 1 && actions[0].contains(#""code":"too_many_requests""#)
            && actions[0].contains("the caller 'web' has 2 requests open, as many as it may ('max_requests')")
    }

    @Test func aRequestBeyondTheCallersIsRefusedAndTheConnectionLives() {
        var scenario = Self.ready(requests: 2)
        scenario.connect(1)
        scenario.connect(2, uid: 1001)
        scenario.connect(3, uid: 5000)
        scenario.promptRuns(1, 1)
        scenario.client(2, #"{"id":1,"op":"prompt","prompt":"a"}"#)
        #expect(Self.isRefused(scenario.client(1, #"{"id":2,"op":"prompt","prompt":"a"}"#)))
        #expect(Self.isRefused(scenario.client(2, #"{"id":2,"op":"chain","prompt":"a"}"#)))
        #expect(Self.isRefused(scenario.client(2, #"{"id":3,"op":"embed","input":"a","model":"echo"}"#)))
        #expect(scenario.client(1, #"{"id":3,"op":"ping"}"#) == [#"client 1: {"id":3,"event":"done"}"#])
        #expect(scenario.core.callerRequests.counts == ["web": 2])
        scenario.client(3, #"{"id":1,"op":"prompt","prompt":"a"}"#)
        #expect(scenario.core.callerRequests.counts == ["web": 2, "everyone": 1], "another caller may")
    }

    @Test func whatIsRefusedForAnotherReasonDoesNotCount() {
        var scenario = Self.ready(requests: 1)
        scenario.connect(1)
        for frame in [
            #"{"id":1,"op":"prompt","model":"none"}"#, #"{"id":1,"op":"prompt","actor":"uid:7"}"#,
            #"{"id":1,"op":"embed","input":"a","model":"none"}"#,
            #"{"id":1,"op":"chain","messages":[{"role":"tool","parts":[]}],"model":"none"}"#,
            #"{"id":1,"op":"prompt","conversation":"c"}"#,
        ] {
            #expect(scenario.client(1, frame).last?.contains(#""event":"error""#) == true, "\(frame)")
            #expect(scenario.core.callerRequests.counts.isEmpty, "\(frame)")
        }
        scenario.promptRuns(1, 1)
    }

    @Test func aRequestCountsUntilItsEndIsOnRecordAndItsClientMayBeGone() {
        var scenario = Self.ready(requests: 2)
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.core.callerRequests["web"] == 1, "its slot has not let go of it")
        scenario.slot(1, 0, SlotEvent.error(Failure(.cancelled, "cancelled"), usage: nil))
        scenario.commit()
        #expect(scenario.core.callerRequests.counts.isEmpty)
    }

    @Test func aPromptThatWaitsForItsConversationCounts() {
        var scenario = Self.ready(requests: 2, storesPrompts: true)
        scenario.connect(1)
        for id in 1...2 { scenario.client(1, #"{"id":\#(id),"op":"prompt","prompt":"a","conversation":"c"}"#) }
        #expect(Self.isRefused(scenario.client(1, #"{"id":3,"op":"prompt","prompt":"a"}"#)))
        scenario.client(1, #"{"id":4,"op":"cancel","target":2}"#)
        #expect(scenario.core.callerRequests["web"] == 1)
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.core.callerRequests.counts.isEmpty)
    }

    // MARK: The tally

    @Test func toTakeOrReleaseTwiceChangesNothing() {
        var tally = CallerTally<Int>()
        tally.take(1, by: "a")
        tally.take(1, by: "a")
        tally.take(2, by: nil)
        #expect(tally.counts == ["a": 1])
        tally.move(1, to: "b")
        tally.move(2, to: "b")
        tally.move(3, to: "b")
        #expect(tally.counts == ["b": 2])
        tally.move(2, to: nil)
        tally.release(1)
        tally.release(1)
        #expect(tally.counts.isEmpty && tally["b"] == 0)
    }
}
