import Messages
import Testing

@testable import SupervisorCore

/// Groups of requests, from group_begin to the end of the last of them.
@Suite struct GroupTests {
    /// A client with the id 1 begins a group under the id 1, which is named `r1`.
    private static func begun(
        _ members: String = "", bounds: SupervisorBounds = SupervisorBounds(), storesPrompts: Bool = false
    ) -> (Scenario, group: String) {
        var scenario = Scenario.ready(storesPrompts: storesPrompts, bounds: bounds)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"group_begin"\#(members)}"#)
        let group = scenario.core.groups.keys.first!.description
        return (scenario, group)
    }

    private static func end(_ id: Int, _ group: String) -> String {
        #"{"id":\#(id),"op":"group_end","group":"\#(group)"}"#
    }

    private static func done(_ id: Int, _ requests: Int) -> String {
        #"client 1: {"id":\#(id),"event":"done","group":"r1","requests":\#(requests)}"#
    }

    // MARK: The end

    @Test func aGroupWithoutRequestsEndsAtOnce() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        #expect(
            scenario.client(1, #"{"id":1,"op":"group_begin"}"#)
                == [#"client 1: {"id":1,"event":"done","group":"r1"}"#])
        let group = scenario.core.groups.keys.first!.description
        #expect(scenario.client(1, Self.end(2, group)) == [Self.done(2, 0)])
        let footprint = scenario.core.footprint
        #expect(footprint.groups == 0 && footprint.groupMembers == 0)
        #expect(scenario.client(1, Self.end(3, group))[0].contains("not_found"))
    }

    @Test func theEndOfAGroupIsAnsweredAfterTheLastFrameOfItsLastRequest() {
        var (scenario, group) = Self.begun()
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        scenario.client(1, #"{"id":3,"op":"embed","input":"a","model":"echo","group":"\#(group)"}"#)
        scenario.commit()
        #expect(scenario.client(1, Self.end(4, group)) == [])
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.commit().count == 1)
        scenario.slot(1, 1, .error(Failure(.modelError, "no"), usage: nil))
        let actions = scenario.commit()
        #expect(actions.count == 2 && actions[0].contains(#""id":3,"event":"error""#), "\(actions)")
        #expect(actions.last == Self.done(4, 2))
    }

    @Test func aGroupThatEndsTakesNoMoreRequestsAndItsEndIsAskedForOnce() {
        var (scenario, group) = Self.begun()
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        scenario.client(1, Self.end(3, group))
        for request in [
            #"{"id":4,"op":"prompt","group":"\#(group)"}"#, #"{"id":4,"op":"chain","group":"\#(group)"}"#,
            #"{"id":4,"op":"embed","input":"a","group":"\#(group)"}"#, Self.end(4, group),
        ] {
            let actions = scenario.client(1, request)
            #expect(actions.count == 1 && actions[0].contains(#""code":"not_found""#), "\(actions)")
        }
    }

    @Test func theEndOfAGroupCanBeCancelledAndTheGroupEndsAllTheSame() {
        var (scenario, group) = Self.begun()
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        scenario.client(1, Self.end(3, group))
        let actions = scenario.client(1, #"{"id":4,"op":"cancel","target":3}"#)
        #expect(actions.count == 2 && actions[1].contains(#""id":3,"event":"error","error":{"code":"cancelled""#))
        #expect(scenario.core.footprint.groups == 1)
        #expect(scenario.client(1, Self.end(5, group))[0].contains("not_found"))
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.commit().count == 1)
        #expect(scenario.core.footprint.groups == 0 && scenario.core.footprint.groupMembers == 0)
    }

    @Test func anotherRequestUnderTheIdOfAnOpenGroupEndIsADuplicate() {
        var (scenario, group) = Self.begun()
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        scenario.client(1, Self.end(3, group))
        #expect(scenario.client(1, #"{"id":3,"op":"ping"}"#)[0].contains("duplicate_id"))
    }

    @Test func aGroupThatTakesRequestsIsNotRefusedItsEndAtTheBoundOfOpenRequests() {
        var bounds = SupervisorBounds()
        bounds.requestsPerConnection = 1
        var (scenario, group) = Self.begun(bounds: bounds)
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        #expect(scenario.client(1, Self.end(3, group)) == [])
    }

    // MARK: Chains and conversations

    @Test func aChainIsOneMemberAndEachOfItsRoundsOneRequest() {
        var (scenario, group) = Self.begun()
        scenario.client(
            1, #"{"id":2,"op":"chain","prompt":"hi","group":"\#(group)","tools":[{"name":"t","input_schema":{}}]}"#)
        scenario.commit()
        scenario.client(1, Self.end(3, group))
        scenario.slot(1, 0, .toolCall(ToolCall(id: "c", name: "t", arguments: Array("{}".utf8))))
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.commit().count == 1)
        #expect(scenario.core.footprint.groups == 1)
        let round = scenario.client(
            1, #"{"id":4,"op":"tool_result","target":2,"tool_results":[{"name":"t","output":"o"}]}"#)
        #expect(round.last?.contains(#""group":"r1""#) == true, "\(round)")
        scenario.commit()
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.commit().last == Self.done(3, 2))
    }

    @Test func aChainThatEndsBetweenItsRoundsLeavesItsGroup() {
        var (scenario, group) = Self.begun()
        scenario.client(
            1, #"{"id":2,"op":"chain","prompt":"hi","group":"\#(group)","tools":[{"name":"t","input_schema":{}}]}"#)
        scenario.commit()
        scenario.slot(1, 0, .toolCall(ToolCall(id: "c", name: "t", arguments: Array("{}".utf8))))
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.commit()
        scenario.client(1, Self.end(3, group))
        #expect(scenario.client(1, #"{"id":4,"op":"cancel","target":2}"#).last == Self.done(3, 1))
    }

    @Test func aPromptThatWaitsForItsConversationKeepsItsGroup() {
        var (scenario, group) = Self.begun(storesPrompts: true)
        scenario.client(1, #"{"id":2,"op":"prompt","conversation":"c","group":"\#(group)"}"#)
        #expect(scenario.client(1, Self.end(3, group)) == [])
        #expect(scenario.client(1, #"{"id":4,"op":"cancel","target":2}"#).last == Self.done(3, 0))
    }

    // MARK: Connections

    @Test func aConnectionThatDiesEndsItsGroupsWhenTheirRequestsHaveEnded() {
        var (scenario, group) = Self.begun()
        scenario.client(1, #"{"id":9,"op":"group_begin"}"#)
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        scenario.client(1, Self.end(3, group))
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.core.footprint.groups == 1)
        scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(scenario.core.footprint.groups == 0 && scenario.core.footprint.groupMembers == 0)
        #expect(scenario.commit() == [])
    }

    @Test func aGroupIsToNobodyElseThere() {
        var (scenario, group) = Self.begun()
        scenario.connect(2)
        #expect(scenario.client(2, #"{"id":1,"op":"prompt","group":"\#(group)"}"#)[0].contains("not_found"))
        #expect(scenario.client(2, Self.end(2, group))[0].contains("not_found"))
        #expect(scenario.core.footprint.groups == 1)
    }

    // MARK: Bounds

    @Test func aConnectionHasNoMoreGroupsThanItMay() {
        var bounds = SupervisorBounds()
        bounds.groupsPerConnection = 2
        var (scenario, group) = Self.begun(bounds: bounds)
        scenario.client(1, #"{"id":2,"op":"group_begin"}"#)
        #expect(scenario.client(1, #"{"id":3,"op":"group_begin"}"#)[0].contains("too_many_requests"))
        scenario.client(1, Self.end(4, group))
        #expect(scenario.client(1, #"{"id":5,"op":"group_begin"}"#)[0].contains(#""event":"done""#))
    }

    @Test func aUserHasNoMoreThanHalfOfAllGroups() {
        var bounds = SupervisorBounds()
        bounds.groups = 4
        var (scenario, _) = Self.begun(bounds: bounds)
        scenario.connect(2)
        scenario.connect(3, uid: 1001)
        scenario.connect(4, uid: 1002)
        #expect(scenario.client(2, #"{"id":1,"op":"group_begin"}"#)[0].contains(#""event":"done""#))
        #expect(scenario.client(2, #"{"id":2,"op":"group_begin"}"#)[0].contains("overloaded"))
        for id in 1...2 {
            #expect(scenario.client(3, #"{"id":\#(id),"op":"group_begin"}"#)[0].contains(#""event":"done""#))
        }
        #expect(scenario.client(4, #"{"id":1,"op":"group_begin"}"#)[0].contains("overloaded"))
    }

    // MARK: What a group is for

    @Test func aMemberHasWhatItsGroupHas() {
        var (scenario, group) = Self.begun(#","purpose":"p","actor":"a","model":"echo""#)
        let opening = scenario.client(1, #"{"id":2,"op":"prompt","group":"\#(group)"}"#)
        #expect(opening[0].contains(#""purpose":"p","actor":"a","group":"r1""#), "\(opening)")
        for member in [#""purpose":"q""#, #""actor":"b""#, #""model":"ecko""#] {
            let actions = scenario.client(1, #"{"id":3,"op":"prompt","group":"\#(group)",\#(member)}"#)
            #expect(actions.count == 1 && actions[0].contains("invalid_request"), "\(actions)")
        }
    }

    @Test func aGroupForAModelThatNobodyServesIsRefused() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        let actions = scenario.client(1, #"{"id":1,"op":"group_begin","model":"ecko"}"#)
        #expect(actions.count == 1 && actions[0].contains("unknown_model"), "\(actions)")
        #expect(scenario.core.footprint.groups == 0)
    }

    @Test func aGroupForWhatItsCallerMayNotAskIsRefused() {
        let policy = PolicySettings(
            purposes: [PurposeSettings(name: "p", models: [ModelReference("other")])],
            callers: [CallerSettings(name: "web", users: [1000], purposes: ["p"], mayNameActor: false)])
        var scenario = Scenario.ready(providers: [.echo(), .echo("other")], policy: policy)
        scenario.connect(1)
        for members in [#""purpose":"q""#, #""purpose":"p","model":"echo""#, #""purpose":"p","actor":"ada""#] {
            let actions = scenario.client(1, #"{"id":1,"op":"group_begin",\#(members)}"#)
            #expect(actions.count == 1 && actions[0].contains("not_allowed"), "\(actions)")
        }
        scenario.client(1, #"{"id":1,"op":"group_begin","purpose":"p","model":"other"}"#)
        let group = scenario.core.groups.keys.first!.description
        let opening = scenario.client(1, #"{"id":2,"op":"prompt","group":"\#(group)"}"#)
        #expect(
            opening[0].contains(#""model":"other","stream":true,"purpose":"p","group":"r1","caller":"web""#),
            "\(opening)")
    }

    @Test func aGroupHasTheOptionsAndTheKeyOfItsPurpose() {
        let locked = ProviderSettings(
            name: "far", kind: .echo, slots: 2, models: [ModelDescription(id: "large", needsKey: true)])
        let reference = ModelReference("large", key: "TEAM", options: Array(#"{"t":0}"#.utf8))
        let policy = PolicySettings(
            purposes: [PurposeSettings(name: "p", model: reference)], keys: [NamedKey(name: "TEAM", value: "team-key")])
        var scenario = Scenario.ready(providers: [locked], policy: policy)
        scenario.connect(1)
        #expect(scenario.client(1, #"{"id":1,"op":"group_begin","model":"large"}"#)[0].contains("no_key"))
        scenario.client(1, #"{"id":1,"op":"group_begin","model":"large","purpose":"p"}"#)
        let group = scenario.core.groups.keys.first!.description
        let actions = scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        #expect(actions.contains { $0.contains(#""options":{"t":0},"key":"team-key""#) }, "\(actions)")
    }

    // MARK: The drain

    @Test func aDrainEndsEveryGroupWhenNothingIsOpenAnyMore() {
        var (scenario, group) = Self.begun()
        scenario.client(1, #"{"id":9,"op":"group_begin"}"#)
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        scenario.post(.drain)
        #expect(scenario.core.footprint.groups == 2)
        #expect(scenario.client(1, #"{"id":3,"op":"group_begin"}"#)[0].contains("shutting_down"))
        scenario.client(1, Self.end(4, group))
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.core.footprint.groups == 1)
        #expect(scenario.commit().contains(Self.done(4, 1)))
        #expect(scenario.client(1, Self.end(5, group))[0].contains("shutting_down"))
        #expect(scenario.core.footprint.groups == 0)
    }

    @Test func aGroupThatADrainIsEndingCanStillBeWaitedFor() {
        var (scenario, group) = Self.begun()
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        scenario.post(.drain)
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.core.footprint.groups == 1)
        #expect(scenario.client(1, #"{"id":3,"op":"prompt","group":"\#(group)"}"#)[0].contains("shutting_down"))
        scenario.client(1, Self.end(4, group))
        #expect(scenario.commit().contains(Self.done(4, 1)))
    }

    @Test func aDrainKeepsTheHooksWhileALastFrameWaitsForItsRowButNotForEver() {
        var scenario = Scenario.ready(hooks: [.test("h", [.groupExit])])
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"group_begin"}"#)
        let group = scenario.core.groups.keys.first!.description
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        scenario.post(.drain)
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.core.hooks.contains { $0.isAsked })
        scenario.pass(SupervisorBounds().loggerStopTimeout)
        #expect(!scenario.core.hooks.contains { $0.isAsked })
    }
}
