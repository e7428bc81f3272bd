import JSON
import Messages
import Testing

@testable import SupervisorCore

/// `op: models` with `refresh`, and models that are named with their provider.
@Suite struct RefreshTests {
    private static func provider(
        _ name: String, models: [ModelDescription] = [], slots: Int = 1, key: String? = nil, keyName: String? = nil,
        listed: [ModelDescription] = []
    ) -> ProviderSettings {
        ProviderSettings(
            name: name, kind: .openAICompatible, slots: slots, models: models, listedModels: listed,
            baseURL: "http://\(name)", key: key, keyName: keyName)
    }

    private static let local = Self.provider("local", models: [ModelDescription(id: "a", aliases: ["x"])])

    private static func ready(_ providers: ProviderSettings...) -> Scenario {
        var scenario = Scenario.ready(providers: providers)
        scenario.connect(1, uid: 0)
        return scenario
    }

    private static func models(_ ids: String...) -> String {
        String(decoding: SlotEvent.models(ids.map { ModelDescription(id: $0) }).encoded, as: UTF8.self)
    }

    private static func refreshed(_ lines: [String]) throws -> JSONValue {
        let line = try #require(lines.first { $0.contains("\"refreshed\"") })
        let json = line.drop { $0 != "{" }
        return try #require(try JSONValue(parsing: String(json))["refreshed"])
    }

    @Test func aSlotIsAskedAndItsListIsKnownFromThenOn() throws {
        var scenario = Self.ready(Self.local)
        let asked = scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)
        #expect(asked.count == 1 && asked[0].contains(#"{"op":"list_models","request":""#))
        let done = scenario.slot(Self.models("a", "b", "x", "b/c"))
        #expect(try Self.refreshed(done).text() == #"[{"provider":"local","listed":4,"added":2}]"#)
        #expect(
            done.contains { $0.hasPrefix("save models: ") && $0.contains(#""id":"b/c""#) && !$0.contains(#""id":"a""#) }
        )
        #expect(
            scenario.client(1, #"{"id":2,"op":"models"}"#)[0].contains(
                #"{"id":"b","aliases":[],"needs_key":false,"provider":"local""#))
        #expect(scenario.client(1, #"{"id":3,"op":"prompt","model":"b"}"#).contains { $0.contains("logger") })
        scenario.commit()
    }

    /// What a provider has no more is forgotten, and what it has again is not new.
    @Test func aListTakesThePlaceOfTheOneBefore() throws {
        var scenario = Self.ready(
            Self.provider("local", listed: [ModelDescription(id: "old"), ModelDescription(id: "kept")]))
        _ = scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)
        let done = scenario.slot(Self.models("kept", "new"))
        #expect(try Self.refreshed(done).text() == #"[{"provider":"local","listed":2,"added":1}]"#)
        #expect(scenario.core.findModel("old") == nil)
        #expect(scenario.core.findModel("kept") != nil && scenario.core.findModel("new") != nil)
    }

    @Test func itWaitsForASlotAndGoesBeforeRequestsThatWait() throws {
        var scenario = Self.ready(Self.local)
        _ = scenario.client(1, #"{"id":1,"op":"prompt","model":"a"}"#)
        scenario.commit()
        _ = scenario.client(1, #"{"id":2,"op":"prompt","model":"a"}"#)
        scenario.commit()
        #expect(scenario.client(1, #"{"id":3,"op":"models","refresh":true}"#) == [])
        let freed = scenario.slot(#"{"event":"done"}"#)
        #expect(freed.contains { $0.contains("list_models") })
        #expect(!freed.contains { $0.contains(#""op":"prompt""#) })
        #expect(scenario.slot(Self.models("b")).contains { $0.contains(#""op":"prompt""#) })
    }

    @Test func whoIsNoAdministratorIsToldSo() {
        var scenario = Scenario.ready(providers: [Self.local])
        scenario.connect(2, uid: 1000)
        let lines = scenario.client(2, #"{"id":1,"op":"models","refresh":true}"#)
        #expect(lines.count == 1 && lines[0].contains("not_allowed") && lines[0].contains("only an administrator"))
        #expect(scenario.client(2, #"{"id":2,"op":"models"}"#)[0].contains(#""event":"done""#))
    }

    @Test(arguments: [
        ("nowhere", "not_found"), ("locul", "did you mean 'local'?"), ("echo", "its models are fixed"),
    ])
    func aProviderThatCannotBeAskedIsAnError(name: String, message: String) {
        var scenario = Self.ready(Self.local, .echo())
        let lines = scenario.client(1, #"{"id":1,"op":"models","refresh":true,"provider":"\#(name)"}"#)
        #expect(lines.count == 1 && lines[0].contains(message))
    }

    @Test func eachProviderHasItsOwnOutcome() throws {
        var scenario = Self.ready(
            Self.provider("first", key: "k1", keyName: "K1"), Self.provider("second", keyName: "K2"), .echo(),
            Self.provider("third"))
        let asked = scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)
        #expect(asked.count == 2 && asked[0].contains(#""key":"k1""#) && !asked[1].contains("key"))
        #expect(scenario.client(1, #"{"id":2,"op":"models","refresh":true}"#)[0].contains("too_many_requests"))
        let slots = asked.map { $0.prefix { $0 != ":" } }
        #expect(slots[0] != slots[1])
        _ = scenario.slot(Self.models("m"), of: String(slots[0]))
        let failure = #"{"event":"error","error":{"code":"provider_error","message":"HTTP 500","retryable":true}}"#
        let outcomes = try Self.refreshed(scenario.slot(failure, of: String(slots[1])))
        #expect(outcomes[0]?.text() == #"{"provider":"first","listed":1,"added":1}"#)
        #expect(outcomes[1]?["error"]?["code"]?.string == "no_key")
        #expect(outcomes[1]?["error"]?["message"]?.string?.contains("K2") == true)
        #expect(outcomes[2]?["provider"]?.string == "third")
        #expect(outcomes[2]?["error"]?["code"]?.string == "provider_error")
        #expect(scenario.core.findModel("m")?.model.needsKey == true)
    }

    @Test func oneThatTakesTooLongIsGivenUpAndItsSlotComesBack() throws {
        var scenario = Self.ready(Self.local)
        _ = scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)
        let late = scenario.pass(.seconds(30))
        #expect(late.contains { $0.contains(#""op":"cancel""#) })
        #expect(try Self.refreshed(late)[0]?["error"]?["code"]?.string == "timeout")
        _ = scenario.slot(Self.models("b"))
        #expect(scenario.core.findModel("b") == nil)
        _ = scenario.client(1, #"{"id":2,"op":"prompt","model":"a"}"#)
        #expect(scenario.commit().contains { $0.contains(#""op":"prompt""#) })
    }

    @Test func aSlotThatIgnoresThatIsReplacedWithItsWorker() {
        var scenario = Self.ready(Self.local)
        _ = scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)
        _ = scenario.pass(.seconds(30))
        let lines = scenario.pass(.seconds(5))
        #expect(lines.contains { $0.hasPrefix("kill worker") })
        #expect(lines.contains { $0.hasPrefix("start worker") })
    }

    @Test func aCancelEndsIt() {
        var scenario = Self.ready(Self.local)
        _ = scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)
        let lines = scenario.client(1, #"{"id":2,"op":"cancel","target":1}"#)
        #expect(lines.contains { $0.contains(#""id":1,"event":"error""#) && $0.contains("cancelled") })
        #expect(lines.contains { $0.contains(#"{"op":"cancel""#) })
        _ = scenario.slot(#"{"event":"error","error":{"code":"cancelled","message":"","retryable":false}}"#)
        #expect(scenario.core.listings.isEmpty && scenario.core.refresh == nil)
    }

    @Test func aClientThatLeavesTakesItsWishAlong() {
        var scenario = Self.ready(Self.local)
        _ = scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.core.refresh == nil)
        _ = scenario.slot(Self.models("b"))
        #expect(scenario.core.listings.isEmpty)
    }

    @Test func aWorkerThatDiesOverItIsToldAndReplaced() throws {
        var scenario = Self.ready(Self.local)
        let slot = scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)[0].dropFirst(5).prefix { $0 != "." }
        let worker = WorkerID(UInt64(slot)!)
        let lines = scenario.post(.workerExited(worker, .signalled(11)))
        #expect(try Self.refreshed(lines)[0]?["error"]?["code"]?.string == "worker_crashed")
    }

    @Test(arguments: [
        #"{"event":"text","text":"a"}"#, #"{"event":"done"}"#, #"{"event":"models","models":[{"id":"a b"}]}"#,
        #"{"event":"models"}"#,
    ])
    func aSlotThatSaysSomethingElseBreaksTheProtocol(event: String) throws {
        var scenario = Self.ready(Self.local)
        _ = scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)
        let lines = scenario.slot(event)
        #expect(lines.contains { $0.hasPrefix("kill worker") })
        #expect(try Self.refreshed(lines)[0]?["error"] != nil)
    }

    @Test func aPromptIsNotAnsweredWithModels() {
        var scenario = Self.ready(Self.local)
        _ = scenario.client(1, #"{"id":1,"op":"prompt","model":"a"}"#)
        scenario.commit()
        let lines = scenario.slot(Self.models("b"))
        #expect(lines.contains { $0.hasPrefix("kill worker") })
        #expect(scenario.core.findModel("b") == nil)
    }

    @Test func aDrainEndsIt() {
        var scenario = Self.ready(Self.local)
        _ = scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)
        #expect(scenario.post(.drain).contains { $0.contains("shutting_down") })
    }

    @Test func listsAreBounded() {
        var bounds = SupervisorBounds()
        bounds.listedModels = 3
        let models = (0..<9).map { ModelDescription(id: "m\($0)") }
        let core = SupervisorCore(
            configuration: ServiceConfiguration(
                socketPath: "/s", stateDirectory: "/d",
                providers: [
                    Self.provider("p", listed: Array(models[..<2])), Self.provider("q", listed: Array(models[2...])),
                ]),
            bounds: bounds, seed: 1)
        #expect(core.providers.map { $0.listedModels.count } == [2, 1])
    }

    // MARK: provider/model

    @Test func aProviderIsAskedForWhateverItIsAskedFor() throws {
        var scenario = Self.ready(Self.local, Self.provider("paid", key: "k", keyName: "K"))
        _ = scenario.client(1, #"{"id":1,"op":"prompt","model":"paid/gpt-9:x/y"}"#)
        let lines = scenario.commit()
        #expect(
            lines.contains {
                $0.contains(#""model":"gpt-9:x/y""#) && $0.contains(#""key":"k""#) && $0.hasPrefix("slot")
            })
        #expect(lines.contains { $0.contains(#""event":"start""#) && $0.contains(#""model":"paid/gpt-9:x/y""#) })
    }

    @Test func aKnownModelIsItselfUnderTheLongName() throws {
        let core = Self.ready(Self.local).core
        #expect(core.findModel("local/a")?.model.id == "a")
        #expect(core.findModel("local/x")?.model.id == "a")
        #expect(core.findModel("local/z")?.model.id == "local/z")
        #expect(core.providersName(of: "local/z", 0) == "z")
        #expect(core.providersName(of: "a", 0) == "a")
    }

    @Test func anIdWithASlashIsAnIdFirst() throws {
        let other = Self.provider("other", models: [ModelDescription(id: "local/z")])
        let core = Self.ready(Self.local, other).core
        let found = try #require(core.findModel("local/z"))
        #expect(found.provider == 1)
        #expect(core.providersName(of: "local/z", 1) == "local/z")
    }

    @Test(arguments: ["echo/new", "nobody/new", "local/", "local/a b", "local/../../v2", "/a", "local"])
    func whatNobodyCanBeAskedForIsUnknown(name: String) {
        var scenario = Self.ready(Self.local, .echo())
        let lines = scenario.client(1, #"{"id":1,"op":"prompt","model":"\#(name)"}"#)
        #expect(lines.count == 1 && lines[0].contains("unknown_model"), "\(lines)")
    }

    @Test func aProviderWithoutItsKeyRefusesThem() {
        var scenario = Self.ready(Self.provider("paid", keyName: "K"))
        #expect(scenario.client(1, #"{"id":1,"op":"prompt","model":"paid/m"}"#)[0].contains("no_key"))
    }
}

extension Scenario {
    /// The slot of this name ("slot 1.0": the first of the first worker) says something, as the text of a frame.
    fileprivate mutating func slot(_ text: String, of name: String = "slot 1.0") -> [String] {
        let numbers = name.dropFirst("slot ".count).split(separator: ".")
        let slot = SlotID(worker: WorkerID(UInt64(numbers[0])!), index: Int(numbers[1])!)
        return self.post(.slotEvent(slot, Array(text.utf8)))
    }
}
