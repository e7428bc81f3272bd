import Messages
import Testing

@testable import SupervisorCore

@Suite struct PromptGroupTests {
    private static func group(_ mandate: Mandate = Mandate(), model: String? = nil) -> PromptGroup {
        PromptGroup(
            mandate, model: model, of: ConnectionID(1), peer: PeerCredentials(uid: 1, gid: 2, pid: 3))
    }

    private static func member(_ number: UInt64) -> RequestNumber { RequestNumber(rawValue: number) }

    @Test func aGroupIsOverWhenItEndsAndItsLastMemberIsGone() {
        var group = Self.group()
        group.join(Self.member(1))
        group.join(Self.member(2))
        group.leave(Self.member(1))
        #expect(!group.isOver)
        group.end(for: Self.member(3), .number(7))
        #expect(group.state == .ending && !group.isOver)
        group.leave(Self.member(2))
        #expect(group.isOver)
        group.exit()
        #expect(group.state == .exiting && !group.isOver)
        #expect(group.asker?.id == .number(7))
    }

    @Test func aGroupWithoutMembersIsOverOnlyOnceItEnds() {
        var group = Self.group()
        #expect(!group.isOver)
        group.join(Self.member(1))
        group.leave(Self.member(1))
        #expect(!group.isOver)
        group.end()
        #expect(group.isOver)
    }

    @Test func aMemberMayComeToTheDoorAgainWhileItsGroupEnds() {
        var group = Self.group()
        group.join(Self.member(1))
        group.end()
        group.join(Self.member(1))
        group.leave(Self.member(1))
        #expect(group.isOver)
    }

    @Test func whoWaitedForItsEndMayLeaveAndItsEndWasAskedForAllTheSame() {
        var group = Self.group()
        group.join(Self.member(1))
        group.end(for: Self.member(2), .number(7))
        group.askerLeft()
        #expect(group.asker == nil && group.wasEnded && group.state == .ending)
    }

    @Test func aGroupThatTheDaemonEndsCanStillBeWaitedFor() {
        var group = Self.group()
        group.end()
        #expect(!group.wasEnded)
        group.exit()
        group.end(for: Self.member(2), .number(7))
        #expect(group.state == .exiting && group.asker?.number == Self.member(2))
    }

    @Test func everyRoundOfAChainIsCounted() {
        var group = Self.group()
        group.join(Self.member(1))
        group.count()
        group.count()
        #expect(group.requestCount == 2)
    }

    @Test func aMemberHasThePurposeAndTheActorOfItsGroup() throws {
        let name = ULID("01k9x3g6ncw7jv0q8r6m2t5y4b")!
        let expected = Mandate(purpose: "p", actor: "a", group: name)
        let group = Self.group(Mandate(purpose: "p", actor: "a"))
        #expect(try group.mandate(of: Mandate(group: name)) == expected)
        #expect(try group.mandate(of: Mandate(purpose: "p", actor: "a", group: name)) == expected)
        #expect(try Self.group().mandate(of: Mandate(group: name)) == Mandate(group: name))
    }

    @Test(arguments: [
        (Mandate(purpose: "p"), Mandate(purpose: "q"), "the group has the purpose 'p' and the request names 'q'"),
        (Mandate(), Mandate(purpose: "q"), "the group has no purpose and the request names 'q'"),
        (Mandate(actor: "a"), Mandate(actor: "b"), "the group has the actor 'a' and the request names 'b'"),
        (Mandate(purpose: "p"), Mandate(purpose: "p", actor: "b"), "the group has no actor and the request names 'b'"),
    ])
    func aMemberThatSaysSomethingElseIsRefusedAndBothAreNamed(own: Mandate, other: Mandate, message: String) {
        #expect {
            try Self.group(own).mandate(of: other)
        } throws: {
            guard let failure = $0 as? Failure else { return false }
            return failure.code == .invalidRequest && failure.message.hasPrefix(message)
        }
    }

    @Test func aMemberAsksTheModelOfItsGroupUnderAnyOfItsNames() throws {
        let ids = ["m": "m", "alias": "m", "n": "n"]
        let group = Self.group(model: "m")
        for name in [nil, "", "m", "alias"] as [String?] {
            #expect(try group.model(named: name) { ids[$0] } == "m", "\(name ?? "none")")
        }
        for name in ["n", "unknown"] {
            #expect {
                try group.model(named: name) { ids[$0] }
            } throws: {
                ($0 as? Failure)?.message
                    .hasPrefix("the group is for the model 'm' and the request names '\(name)'") == true
            }
        }
        #expect(try Self.group().model(named: "n") { ids[$0] } == "n")
        #expect(try Self.group().model(named: "") { ids[$0] } == nil)
    }
}
