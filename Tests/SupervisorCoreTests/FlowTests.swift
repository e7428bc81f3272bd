import Messages
import Testing

@testable import SupervisorCore

/// Slow clients: whose output waits, who is not read because of it, and whose time stands still.
@Suite struct FlowTests {
    private static let timeouts = ProviderSettings.Timeouts(firstOutput: 2_000, idle: 1_000, total: 60_000, cancel: 500)

    private static func streaming() -> Scenario {
        var scenario = Scenario.ready(providers: [.echo(slots: 4, timeouts: Self.timeouts)])
        scenario.connect(1)
        scenario.connect(2)
        scenario.promptRuns(1, 1)
        scenario.promptRuns(1, 2)
        scenario.promptRuns(2, 1)
        return scenario
    }

    @Test func aSlowClientHoldsUpExactlyItsOwnSlots() {
        var scenario = Self.streaming()
        #expect(
            scenario.post(.clientBacklog(ConnectionID(1), bytes: 200_000, tookSome: false))
                == ["pause slot 1.0", "pause slot 1.1"])
        #expect(
            scenario.post(.clientBacklog(ConnectionID(1), bytes: 600_000, tookSome: false)) == ["pause client 1"])
        #expect(scenario.slot(1, 2, .text("on")) == [#"client 2: {"id":1,"event":"text","text":"on"}"#])
        #expect(scenario.post(.clientBacklog(ConnectionID(1), bytes: 60_000, tookSome: true)) == [])
        #expect(
            scenario.post(.clientBacklog(ConnectionID(1), bytes: 30_000, tookSome: true))
                == ["resume slot 1.0", "resume slot 1.1", "resume client 1"])
    }

    @Test func aClientThatIsSlowMayCancelWhatItCannotTake() {
        var scenario = Self.streaming()
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 200_000, tookSome: false))
        #expect(
            scenario.client(1, #"{"id":9,"op":"cancel","target":2}"#) == [
                #"client 1: {"id":9,"event":"done"}"#, #"slot 1.1: {"op":"cancel","request":"r2"}"#, "resume slot 1.1",
            ])
        // What it does not take stays unread, but for the slot that is to let go.
        #expect(scenario.slot(1, 1, .text("too late")) == [])
        #expect(scenario.post(.clientBacklog(ConnectionID(1), bytes: 0, tookSome: true)) == ["resume slot 1.0"])
    }

    @Test func aRequestThatIsDispatchedForASlowClientIsNotRead() {
        var scenario = Self.streaming()
        scenario.client(1, #"{"id":3,"op":"prompt","prompt":"hi"}"#)
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 200_000, tookSome: false))
        #expect(scenario.commit().last == "pause slot 1.3")
    }

    @Test func aPausedSlotIsNotBlamedForItsSilence() {
        var scenario = Self.streaming()
        scenario.slot(1, 2, .text("bystander"))
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 200_000, tookSome: false))
        scenario.post(.clientBacklog(ConnectionID(2), bytes: 200_000, tookSome: false))
        #expect(scenario.pass(.seconds(10)) == [])
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 0, tookSome: true))
        #expect(scenario.pass(.milliseconds(1_999)) == [])
        let late = scenario.pass(.milliseconds(1))
        #expect(late.count == 2 && late.allSatisfy { $0.contains(#""op":"cancel""#) }, "\(late)")
    }

    @Test func outputOfAPausedSlotThatWasOnItsWayCounts() {
        var scenario = Self.streaming()
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 200_000, tookSome: false))
        scenario.slot(1, 0, .text("on its way"))
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 0, tookSome: true))
        scenario.pass(.milliseconds(1_000))
        let actions = scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(actions.first?.contains("the model fell silent") == true, "\(actions)")
    }

    @Test func aClientThatTakesLessThanItsSlotsMakeIsNotStalled() {
        var scenario = Self.streaming()
        for second in 1...100 {
            scenario.post(.clientBacklog(ConnectionID(1), bytes: 1_000 * second, tookSome: second > 1))
            for slot in 0...2 { scenario.slot(1, slot, .text("on")) }
            #expect(scenario.pass(.milliseconds(500)) == [])
        }
    }

    @Test func aClientThatTakesNothingIsDroppedThoughItsOutputGrows() {
        var scenario = Self.streaming()
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 10, tookSome: false))
        var actions: [String] = []
        for turn in 1...80 where actions.isEmpty {
            actions = scenario.pass(.milliseconds(400))
            for slot in 0...2 { scenario.slot(1, slot, .text("on")) }
            scenario.post(.clientBacklog(ConnectionID(1), bytes: 10 + 10 * turn, tookSome: false))
        }
        #expect(actions.first == "drop client 1")
        #expect(actions.dropFirst().allSatisfy { $0.contains(#""op":"cancel""#) } && actions.count == 3, "\(actions)")
    }

    @Test func aFrameIsNotLateWhileItsClientIsNotRead() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"ping"}"#)
        scenario.post(.clientFrameBegun(ConnectionID(1), length: 100))
        scenario.pass(.seconds(10))
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 600_000, tookSome: false))
        scenario.pass(.seconds(25))
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 599_000, tookSome: true))
        #expect(scenario.pass(.seconds(25)) == [])
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 0, tookSome: true))
        #expect(scenario.pass(.milliseconds(19_999)) == [])
        #expect(scenario.pass(.milliseconds(1)).last == "close client 1")
    }

    @Test func aFrameIsNotLateWhileItWaitsForMemory() {
        var bounds = SupervisorBounds()
        bounds.memory = 400_000
        var scenario = Scenario.ready(bounds: bounds)
        scenario.connect(1)
        scenario.connect(2)
        for client: UInt64 in 1...2 { scenario.client(client, #"{"id":1,"op":"ping"}"#) }
        scenario.post(.clientFrameBegun(ConnectionID(1), length: 290_000))
        scenario.pass(.seconds(20))
        #expect(scenario.post(.clientFrameBegun(ConnectionID(2), length: 290_000)) == ["pause client 2"])
        let actions = scenario.pass(.seconds(10))
        #expect(actions.suffix(2) == ["close client 1", "resume client 2"], "\(actions)")
        #expect(!scenario.pass(.milliseconds(29_999)).contains("close client 2"))
        #expect(scenario.pass(.milliseconds(1)).last == "close client 2")
    }

    @Test func theSlotsOfASlowClientArePausedInAFixedOrder() {
        var scenario = Scenario.ready(providers: [.echo(slots: 64)])
        scenario.connect(1)
        for id in 1...64 { scenario.promptRuns(1, id) }
        let actions = scenario.post(.clientBacklog(ConnectionID(1), bytes: 200_000, tookSome: false))
        #expect(actions == (0..<64).map { "pause slot 1.\($0)" } )
    }
}
