import Foundation
import JSON
import Messages
import Secrets
import Testing

struct SecretStoreTests {
    private let place: Place

    init() throws { self.place = try Place() }

    @Test func whatIsSetIsThereAndEncrypted() throws {
        let answer = try self.place.store(at: 5).perform(.set(name: "A_KEY", value: "sk-planted", note: "mine"))
        #expect(answer.changed == ["A_KEY"])
        #expect(answer.advice.first?.contains("master.key") == true)
        #expect(self.place.store().load()["A_KEY"] == .value("sk-planted"))
        #expect(self.place.store().load()["B_KEY"] == .absent)
        #expect(self.place.names == ["master.key", "secrets.json"])
        #expect(try self.place.mode("master.key") == 0o600)
        #expect(try self.place.mode("secrets.json") == 0o600)
        #expect(!self.place.text("secrets.json").contains("planted"))
        let listed = try #require(try self.place.store().perform(.list).secrets?.first)
        #expect(listed.note == "mine")
        #expect((listed.createdAtMilliseconds, listed.updatedAtMilliseconds) == (5, 5))
        #expect(listed.keyID.count == 16)
        #expect(listed.problem == nil)
    }

    @Test func settingAgainKeepsTheNoteAndTheTimeOfTheFirst() throws {
        _ = try self.place.store(at: 5).perform(.set(name: "A", value: "one", note: "mine"))
        let answer = try self.place.store(at: 9).perform(.set(name: "A", value: "two", note: nil))
        #expect(answer.advice == [])
        let listed = try #require(try self.place.store().perform(.list).secrets?.first)
        #expect((listed.note, listed.createdAtMilliseconds, listed.updatedAtMilliseconds) == ("mine", 5, 9))
        #expect(self.place.store().load()["A"] == .value("two"))
    }

    @Test func aRemovedSecretIsGoneFromTheFile() throws {
        try self.place.set(["A": "one", "B": "two"])
        #expect(try self.place.store().perform(.remove(name: "A")).changed == ["A"])
        #expect(self.place.store().load()["A"] == .absent)
        #expect(self.place.store().load()["B"] == .value("two"))
        #expect(!self.place.text("secrets.json").contains("\"A\""))
        let failure = try refusal(self.place.store(), .remove(name: "A"))
        #expect(failure.code == .notFound)
    }

    @Test func theSameValueIsEncryptedDifferentlyEachTime() throws {
        try self.place.set(["A": "same", "B": "same"])
        let root = try JSONValue(parsing: try #require(self.place.bytes("secrets.json")))
        let secrets = try #require(root["secrets"]?.array)
        #expect(secrets[0]["ciphertext"] != secrets[1]["ciphertext"])
        #expect(secrets[0]["nonce"] != secrets[1]["nonce"])
    }

    // MARK: What is broken

    @Test func recordsThatChangedPlacesDoNotDecryptAndCostNobodyElse() throws {
        try self.place.set(["A": "one", "B": "two", "C": "three"])
        let text = self.place.text("secrets.json").replacingOccurrences(of: "\"A\"", with: "\"X\"")
            .replacingOccurrences(of: "\"B\"", with: "\"A\"").replacingOccurrences(of: "\"X\"", with: "\"B\"")
        try self.place.write("secrets.json", text)
        let secrets = self.place.store().load()
        guard case .unusable(let reason) = secrets["A"] else { throw Unreachable() }
        #expect(reason.contains("changed"))
        #expect(secrets["C"] == .value("three"))
        let listed = try #require(try self.place.store().perform(.list).secrets)
        #expect(listed.map { $0.problem == nil } == [false, false, true])
    }

    @Test func aRecordThatIsNoneStaysAsItIsAndCostsNobodyElse() throws {
        try self.place.set(["A": "one", "B": "two"])
        var root = try JSONValue(parsing: try #require(self.place.bytes("secrets.json")))
        let odd = JSONValue.object([.init("name", .string("ODD")), .init("from", .string("the future"))])
        root = .object([
            .init("format", .integer(1)), .init("secrets", .array([odd] + (root["secrets"]?.array ?? []))),
        ])
        try self.place.write("secrets.json", root.text())
        #expect(self.place.store().load()["A"] == .value("one"))
        guard case .unusable = self.place.store().load()["ODD"] else { throw Unreachable() }
        _ = try self.place.store().perform(.set(name: "C", value: "three", note: nil))
        _ = try self.place.store().perform(.rotate)
        #expect(self.place.text("secrets.json").contains("the future"))
        #expect(self.place.store().load()["B"] == .value("two"))
        #expect(try self.place.store().perform(.remove(name: "ODD")).changed == ["ODD"])
    }

    @Test(arguments: [
        "", "{", "[]", "{\"format\":2,\"secrets\":[]}", "{\"format\":1}", "{\"format\":1,\"secrets\":[{}]}",
    ])
    func aFileThatIsBrokenIsAProblemAndNeverWrittenOver(_ content: String) throws {
        try self.place.set(["A": "one"])
        try self.place.write("secrets.json", content)
        guard case .unusable(let reason) = self.place.store().load()["A"] else { throw Unreachable() }
        #expect(reason.contains("secrets.json"))
        #expect(self.place.store().load().problem == reason)
        for action in [
            SecretsAction.set(name: "B", value: "v", note: nil), .list, .remove(name: "A"), .rotate,
            .importValues([.init(name: "B", value: "v")]),
        ] {
            let failure = try refusal(self.place.store(), action)
            #expect(failure.code == .secretsUnavailable)
            #expect(failure.message.contains("secrets.json"))
        }
        #expect(self.place.text("secrets.json") == content)
    }

    @Test(arguments: ["secrets.json", "master.key"]) func aFileThatOthersMayReadIsRefused(_ name: String) throws {
        try self.place.set(["A": "one"])
        try self.place.write(name, self.place.text(name), mode: 0o640)
        guard case .unusable(let reason) = self.place.store().load()["A"] else { throw Unreachable() }
        #expect(reason.contains("chmod 600"))
        let failure = try refusal(self.place.store(), .set(name: "B", value: "v", note: nil))
        #expect(failure.message.contains("chmod 600"))
    }

    @Test func withoutItsMasterKeyASecretIsUnusableAndNoNewKeyIsMade() throws {
        try self.place.set(["A": "one"])
        try FileManager.default.removeItem(atPath: "\(self.place.path)/master.key")
        guard case .unusable(let reason) = self.place.store().load()["A"] else { throw Unreachable() }
        #expect(reason.contains("is not there"))
        let failure = try refusal(self.place.store(), .set(name: "B", value: "v", note: nil))
        #expect(failure.message.contains("missing"))
        #expect(self.place.names == ["secrets.json"])
        // What cannot be read can be removed, and then all begins anew.
        _ = try self.place.store().perform(.remove(name: "A"))
        _ = try self.place.store().perform(.set(name: "B", value: "v", note: nil))
        #expect(self.place.store().load()["B"] == .value("v"))
    }

    @Test func aKeyFileThatIsNoneIsRefusedWithoutRepeatingIt() throws {
        try self.place.write("master.key", "c2VjcmV0\n")
        let failure = try refusal(self.place.store(), .set(name: "A", value: "v", note: nil))
        #expect(failure.message.contains("line 1"))
        #expect(!failure.message.contains("c2VjcmV0"))
        #expect(!self.place.names.contains("secrets.json"))
    }

    @Test func aDirectoryThatIsNotThereHoldsNothing() throws {
        let store = SecretStore(stateDirectory: "\(self.place.path)/none")
        #expect(store.load()["A"] == .absent)
        #expect(try refusal(store, .list).message.contains("does not exist"))
    }

    // MARK: Bounds

    @Test func moreSecretsThanTheBoundAreRefused() throws {
        let entries = (0..<SecretBounds.count).map { SecretsAction.Entry(name: "K\($0)", value: "v\($0)") }
        #expect(try self.place.store().perform(.importValues(entries)).changed.count == SecretBounds.count)
        #expect(self.place.store().load()["K999"] == .value("v999"))
        let failure = try refusal(self.place.store(), .set(name: "ONE_MORE", value: "v", note: nil))
        #expect(failure.message.contains("1000 secrets"))
        // One that is there may be set again.
        #expect(try self.place.store().perform(.set(name: "K0", value: "w", note: nil)).changed == ["K0"])
    }

    @Test func theLongestValuesFit() throws {
        let value = String(repeating: "é", count: SecretBounds.valueLength / 2)
        let entries = (0..<100).map { SecretsAction.Entry(name: "K\($0)", value: value) }
        _ = try self.place.store().perform(.importValues(entries))
        #expect(self.place.store().load()["K99"] == .value(value))
        let failure = try refusal(self.place.store(), .set(name: "L", value: value + "x", note: nil))
        #expect(failure.code == .invalidRequest)
    }

    // MARK: Imports

    @Test func anImportTakesWhatItCan() throws {
        try self.place.set(["openai": "old"])
        let answer = try self.place.store().perform(
            .importValues([
                .init(name: "openai", value: "new"), .init(name: "// Note", value: "do not share"),
                .init(name: "empty", value: ""), .init(name: "openai", value: "again"),
                .init(name: "two-lines", value: "a\nb"), .init(name: "gemini", value: "g"),
            ]))
        #expect(answer.changed == ["openai", "gemini"])
        #expect(answer.skipped.map(\.name) == ["// Note", "empty", "openai", "two-lines"])
        #expect(self.place.store().load()["openai"] == .value("new"))
    }

    @Test func tokensAreImportedWithTheirKey() throws {
        let answer = try self.place.store().perform(
            .importTokens(
                [
                    .init(name: "GOOD", value: FernetTests.vectors[0].token, note: "n"),
                    .init(name: "BAD", value: "gAAAAA"), .init(name: "EMPTY", value: FernetTests.vectors[1].token),
                ], fernetKey: FernetTests.key))
        #expect(answer.changed == ["GOOD"])
        #expect(answer.skipped.map(\.name) == ["BAD", "EMPTY"])
        #expect(self.place.store().load()["GOOD"] == .value(FernetTests.vectors[0].plaintext))
        let failure = try refusal(self.place.store(), .importTokens([], fernetKey: "short"))
        #expect(failure.code == .invalidRequest)
    }

    // MARK: Credentials

    @Test func aCredentialIsTheMasterKey() throws {
        let credentials = try Place()
        try credentials.write("bulkhead-master-key", Self.line(1), mode: 0o440)
        let store = self.place.store(credentials: credentials.path)
        _ = try store.perform(.set(name: "A", value: "one", note: nil))
        #expect(self.place.names == ["secrets.json"])
        #expect(store.load()["A"] == .value("one"))
        guard case .unusable = self.place.store().load()["A"] else { throw Unreachable() }

        #expect(try store.perform(.rotate).advice.first?.contains("put a new key on its first line") == true)
        try credentials.write("bulkhead-master-key", Self.line(2) + Self.line(1))
        let answer = try store.perform(.rotate)
        #expect(answer.changed == ["A"])
        #expect(answer.advice.first?.contains("needed no more") == true)
        try credentials.write("bulkhead-master-key", Self.line(2))
        #expect(store.load()["A"] == .value("one"))
    }

    @Test func aCredentialTakesOverFromAFile() throws {
        try self.place.set(["A": "one"])
        let credentials = try Place()
        try credentials.write("bulkhead-master-key", Self.line(1))
        let store = self.place.store(credentials: credentials.path)
        #expect(store.load()["A"] == .value("one"))
        #expect(try store.perform(.rotate).changed == ["A"])
        try FileManager.default.removeItem(atPath: "\(self.place.path)/master.key")
        #expect(store.load()["A"] == .value("one"))
    }

    @Test func aKeyFileElsewhereIsUsed() throws {
        let elsewhere = try Place()
        let store = SecretStore(
            stateDirectory: self.place.path, masterKeyFile: "\(elsewhere.path)/k", credentialsDirectory: "/nowhere")
        _ = try store.perform(.set(name: "A", value: "one", note: nil))
        #expect(elsewhere.names == ["k"])
        #expect(self.place.names == ["secrets.json"])
        #expect(store.load()["A"] == .value("one"))
    }

    static func line(_ number: UInt8) -> String { Base64.encode([UInt8](repeating: number, count: 32)) + "\n" }
}
