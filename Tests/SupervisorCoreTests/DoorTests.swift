import Messages
import Testing

@testable import SupervisorCore

/// Connections: how many, how slow, and what closes them.
@Suite struct DoorTests {
    private static func bounds(connections: Int) -> SupervisorBounds {
        var bounds = SupervisorBounds()
        bounds.connections = connections
        return bounds
    }

    @Test func oneConnectionTooManyIsToldSoAndFarTooManyAreNot() {
        var scenario = Scenario.ready(bounds: Self.bounds(connections: 2))
        #expect(scenario.connect(1) == [])
        #expect(scenario.connect(2) == [])
        for id: UInt64 in 3...4 {
            let actions = scenario.connect(id)
            #expect(actions.count == 2)
            #expect(
                actions[0].hasPrefix(
                    #"client \#(id): {"id":null,"event":"error","error":{"code":"too_many_connections""#))
            #expect(actions[1] == "close client \(id)")
        }
        #expect(scenario.connect(5) == ["drop client 5"])
        for id: UInt64 in 3...5 { scenario.post(.clientClosed(ConnectionID(id))) }
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.connect(6) == [])
        #expect(scenario.client(2, #"{"id":1,"op":"ping"}"#) == [#"client 2: {"id":1,"event":"done"}"#])
    }

    @Test(arguments: [
        ("not json", "invalid_json"), ("[1]", "invalid_json"), (#"{"id":1,"id":2}"#, "invalid_json"),
        ("", "invalid_json"),
        (#"{"op":"ping"}"#, "invalid_request"), (#"{"id":null,"op":"ping"}"#, "invalid_request"),
        (#"{"id":1.5,"op":"ping"}"#, "invalid_request"), (#"{"id":"","op":"ping"}"#, "invalid_request"),
        (#"{"id":"open","op":"ping"}"#, "duplicate_id"), (#"{"id":"open","op":"nonsense"}"#, "duplicate_id"),
    ])
    func aFrameThatCannotBeAnsweredClosesTheConnectionAndCancelsItsRequests(text: String, code: String) {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.connect(2)
        scenario.client(1, #"{"id":"open","op":"prompt"}"#)
        scenario.commit()
        let actions = scenario.client(1, text)
        #expect(actions.count == 3, "\(actions)")
        #expect(actions[0].hasPrefix(#"client 1: {"id":null,"event":"error","error":{"code":"\#(code)""#), "\(actions)")
        #expect(actions[1] == "close client 1")
        #expect(actions[2] == #"slot 1.0: {"op":"cancel","request":"r1"}"#)
        // What it still sends is not read, and what its request still says is not sent.
        #expect(scenario.client(1, #"{"id":9,"op":"ping"}"#) == [])
        #expect(scenario.slot(1, 0, .text("x")) == [])
        #expect(scenario.client(2, #"{"id":9,"op":"ping"}"#) == [#"client 2: {"id":9,"event":"done"}"#])
    }

    @Test(arguments: [
        (#"{"id":1,"op":"pronpt"}"#, "unknown_op"), (#"{"id":1,"op":"usage"}"#, "not_supported"),
        (#"{"id":1,"op":"prompt","purpose":""}"#, "invalid_request"),
        (#"{"id":1,"op":"prompt","promt":"x"}"#, "invalid_request"),
        (#"{"id":1}"#, "invalid_request"), (#"{"id":1,"op":"cancel","target":9}"#, "not_found"),
    ])
    func aRequestThatIsRefusedLeavesTheConnectionOpen(text: String, code: String) {
        var scenario = Scenario.ready()
        scenario.connect(1)
        let actions = scenario.client(1, text)
        #expect(actions.count == 1)
        #expect(actions[0].hasPrefix(#"client 1: {"id":1,"event":"error","error":{"code":"\#(code)""#), "\(actions)")
        #expect(scenario.client(1, #"{"id":1,"op":"ping"}"#) == [#"client 1: {"id":1,"event":"done"}"#])
    }

    @Test func aFrameThatIsTooLongClosesTheConnection() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        let actions = scenario.post(.clientFrameTooLong(ConnectionID(1), length: 1 << 30))
        #expect(
            actions[0].contains(
                #""code":"invalid_frame","message":"a frame of 1073741824 bytes is longer than 16777216""#))
        #expect(actions[1] == "close client 1")
    }

    @Test func aConnectionThatSaysNothingIsClosedAndOneThatHasSpokenMayBeIdle() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.connect(2)
        scenario.client(2, #"{"id":1,"op":"ping"}"#)
        #expect(scenario.pass(.milliseconds(9_999)) == [])
        let actions = scenario.pass(.milliseconds(1))
        #expect(actions.count == 2 && actions[0].contains("connection_timeout") && actions[1] == "close client 1")
        #expect(scenario.pass(.seconds(1)) == [])
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.pass(.seconds(600)) == [])
    }

    @Test func aFirstFrameThatComesInDropsIsLateAllTheSame() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        for second in 1...9 {
            scenario.post(.clientFrameBegun(ConnectionID(1), length: second == 1 ? nil : 100))
            #expect(scenario.pass(.seconds(1)) == [])
        }
        #expect(scenario.pass(.seconds(1)).last == "close client 1")
    }

    @Test func aLaterFrameHasATimeOfItsOwn() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"ping"}"#)
        scenario.pass(.seconds(100))
        scenario.post(.clientFrameBegun(ConnectionID(1), length: nil))
        scenario.pass(.seconds(20))
        scenario.post(.clientFrameBegun(ConnectionID(1), length: 100))
        #expect(scenario.pass(.milliseconds(9_999)) == [])
        #expect(scenario.pass(.milliseconds(1)).last == "close client 1")
    }

    @Test func aClosedConnectionThatDoesNotTakeItsLastFrameIsDropped() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.client(1, "[]")
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 100, tookSome: false))
        #expect(scenario.pass(.milliseconds(1_999)) == [])
        #expect(scenario.pass(.milliseconds(1)) == ["drop client 1"])
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.core.footprint.connections == 0)
        #expect(scenario.pass(.seconds(60)) == [])
    }
}
