import Messages
import Policy
import Testing

/// Whom a peer is taken for, and what it may say.
struct CallerTests {
    private let registry = Registry()

    private func policy(_ callers: [CallerSettings]) -> Policy {
        self.registry.policy(PolicySettings(callers: callers))
    }

    private func peer(_ uid: Int, _ gid: Int = 100, _ groups: [Int] = []) -> PeerCredentials {
        PeerCredentials(uid: uid, gid: gid, pid: 1, groups: groups)
    }

    @Test func withoutEntriesEverybodyMayDoAllButAdminister() throws {
        let policy = self.policy([])
        let caller = try #require(policy.caller(of: self.peer(1000)))
        #expect(caller.name == nil && caller.mayNameActor)
        try caller.checkPurpose("p")
        #expect(!policy.isAdministrator(self.peer(1000)) && policy.isAdministrator(self.peer(0)))
    }

    @Test func aUsersOwnEntryCountsBeforeThoseOfGroupsAndTheDefaultLast() {
        let policy = self.policy([
            CallerSettings(name: "everyone", isDefault: true), CallerSettings(name: "staff", groups: [50, 51]),
            CallerSettings(name: "web", groups: [52]), CallerSettings(name: "ada", users: [1000]),
        ])
        func name(_ peer: PeerCredentials) -> String? { policy.caller(of: peer)?.name }
        #expect(name(self.peer(1000, 50)) == "ada")
        #expect(name(self.peer(1001, 51)) == "staff")
        #expect(name(self.peer(1001, 52, [51])) == "staff")
        #expect(name(self.peer(1001, 100, [52])) == "web")
        #expect(name(self.peer(1001)) == "everyone")
        #expect(name(self.peer(0)) == nil && policy.caller(of: self.peer(0)) != nil)
    }

    @Test func whomNoEntryKnowsIsNobody() {
        let policy = self.policy([CallerSettings(name: "ada", users: [1000], isAdministrator: true)])
        #expect(policy.caller(of: self.peer(1001)) == nil)
        #expect(policy.isAdministrator(self.peer(1000)) && !policy.isAdministrator(self.peer(1001)))
    }

    @Test func aCallerWithPurposesMustNameOneOfThem() throws {
        let caller = try #require(
            self.policy([CallerSettings(name: "web", users: [1000], purposes: ["chat", "extract"])])
                .caller(of: self.peer(1000)))
        try caller.checkPurpose("chat")
        let other = #expect(throws: Failure.self) { try caller.checkPurpose("sql") }
        #expect(
            other?.message == "the caller 'web' may not use the purpose 'sql'; its purposes: chat, extract"
                && other?.code == .notAllowed)
        let none = #expect(throws: Failure.self) { try caller.checkPurpose(nil) }
        #expect(none?.message == "the caller 'web' may not ask without a purpose; its purposes: chat, extract")
    }

    @Test func whoMayNotNameAnActorIsItsOwn() throws {
        let policy = self.policy([
            CallerSettings(name: "web", users: [1], mayNameActor: true), CallerSettings(name: "other", isDefault: true),
        ])
        let (web, other) = try (
            #require(policy.caller(of: self.peer(1))), #require(policy.caller(of: self.peer(2)))
        )
        #expect(try web.actor(named: "ada", uid: 1) == "ada")
        #expect(try web.actor(named: nil, uid: 1) == "uid:1")
        #expect(try other.actor(named: nil, uid: 2) == "uid:2")
        #expect(try other.actor(named: "uid:2", uid: 2) == "uid:2")
        #expect(throws: Failure.self) { try other.actor(named: "ada", uid: 2) }
        let taken = #expect(throws: Failure.self) { try web.actor(named: "uid:2", uid: 1) }
        #expect(taken?.code == .invalidRequest)
    }
}
