import Messages
import Testing

@testable import SupervisorCore

/// The hooks of a group's exit: asked once, however the group ends, and waited for.
@Suite struct GroupExitTests {
    /// A client with the id 1 begins a group under the id 1 and prompts in it under the id 2.
    private static func begun(hooks: [HookSettings] = [.test("h", [.groupExit])]) -> (Scenario, group: String) {
        var scenario = Scenario.ready(hooks: hooks)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"group_begin","purpose":"work","actor":"ada"}"#)
        let group = scenario.core.groups.keys.first!.description
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        return (scenario, group)
    }

    private static func end(_ id: Int, _ group: String) -> String {
        #"{"id":\#(id),"op":"group_end","group":"\#(group)"}"#
    }

    private static func questions(_ texts: [String]) -> [String] { texts.filter { $0.hasPrefix("hook ") } }

    @Test func theEndOfAGroupWaitsForItsHooks() {
        var (scenario, group) = Self.begun()
        scenario.client(1, Self.end(3, group))
        scenario.slot(1, 0, .done(SlotCompletion()))
        let actions = scenario.commit()
        #expect(actions.count == 2 && actions[0].contains(#""id":2,"event":"done""#), "\(actions)")
        let question = actions.last ?? ""
        #expect(question.hasPrefix(#"hook h: {"id":1,"event":"group_exit""#), "\(question)")
        for member in [#""actor":"ada""#, #""purpose":"work""#, #""group":"r1""#, #""requests":1"#] {
            #expect(question.contains(member), "\(question)")
        }
        #expect(scenario.hook("h", #"{"id":1}"#) == [#"client 1: {"id":3,"event":"done","group":"r1","requests":1}"#])
        #expect(scenario.core.footprint.groups == 0)
    }

    @Test func aHookThatDoesNotAnswerIsWaitedForNoLongerThanItsTimeout() {
        var (scenario, group) = Self.begun(hooks: [.test("h", [.groupExit], timeout: 500, closed: true)])
        scenario.client(1, Self.end(3, group))
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.commit()
        #expect(!scenario.pass(.milliseconds(499)).contains { $0.hasPrefix("client 1:") })
        let actions = scenario.pass(.milliseconds(1))
        #expect(actions.contains(#"client 1: {"id":3,"event":"done","group":"r1","requests":1}"#), "\(actions)")
    }

    @Test func aHookThatIsGoneIsNotWaitedFor() {
        var (scenario, group) = Self.begun()
        scenario.client(1, Self.end(3, group))
        scenario.hookExits("h")
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.commit().last == #"client 1: {"id":3,"event":"done","group":"r1","requests":1}"#)
    }

    @Test func aConnectionThatDiesHasItsHooksAskedOnceWhenTheLastRequestHasEnded() {
        var (scenario, group) = Self.begun()
        scenario.client(1, Self.end(3, group))
        #expect(Self.questions(scenario.post(.clientClosed(ConnectionID(1)))) == [])
        let actions = scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(Self.questions(actions).count == 1, "\(actions)")
        #expect(Self.questions(scenario.commit()) == [])
        #expect(scenario.hook("h", #"{"id":1}"#) == [])
        #expect(scenario.core.footprint.groups == 0)
    }

    @Test func theHooksOfAGroupWhoseEndWasCancelledAreAskedOnce() {
        var (scenario, group) = Self.begun()
        scenario.client(1, Self.end(3, group))
        scenario.client(1, #"{"id":4,"op":"cancel","target":3}"#)
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(Self.questions(scenario.commit()).count == 1)
        // Nobody waits for the group, and its connection may die before the hook has answered.
        #expect(Self.questions(scenario.post(.clientClosed(ConnectionID(1)))) == [])
        scenario.hook("h", #"{"id":1}"#)
        #expect(scenario.core.footprint.groups == 0)
    }

    @Test func aDrainAsksThemOnceThoughTheLastFrameWaitsForItsRow() {
        var (scenario, _) = Self.begun()
        #expect(Self.questions(scenario.post(.drain)) == [])
        #expect(Self.questions(scenario.slot(1, 0, .done(SlotCompletion()))) == [])
        let actions = scenario.commit()
        #expect(Self.questions(actions).count == 1, "\(actions)")
        #expect(!actions.contains("close hook h"))
        #expect(scenario.hook("h", #"{"id":1}"#).contains("close hook h"))
        #expect(scenario.core.footprint.groups == 0)
    }

    @Test func everyHookIsAskedAndAllAreWaitedFor() {
        var (scenario, group) = Self.begun(hooks: [.test("a", [.groupExit]), .test("b", [.groupExit])])
        scenario.client(1, Self.end(3, group))
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(Self.questions(scenario.commit()).count == 2)
        #expect(scenario.hook("b", #"{"id":1}"#) == [])
        #expect(scenario.hook("a", #"{"id":1}"#).count == 1)
    }
}
