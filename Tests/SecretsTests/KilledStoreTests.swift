import Foundation
import Messages
import Secrets
import Testing

/// A process that is killed between any two steps of what it does leaves a store in which everything is readable.
struct KilledStoreTests {
    /// Runs `action` with one more step at a time, on a fresh store each time, until it is done.
    private func killEverywhere(
        _ secrets: [String: String], _ action: SecretsAction, check: (Place, _ isDone: Bool) throws -> Void
    ) throws -> Int {
        for steps in 0..<100 {
            let place = try Place()
            try place.set(secrets)
            let files = MortalFiles(steps: steps)
            _ = try? place.store(calls: files).perform(action)
            try check(place, !files.isDead)
            if !files.isDead { return steps }
        }
        throw Unreachable()
    }

    @Test func aRotationKilledAnywhereLosesNothing() throws {
        let secrets = ["A": "one", "B": "two", "C": "three"]
        let steps = try self.killEverywhere(secrets, .rotate) { place, isDone in
            for (name, value) in secrets { #expect(place.store().load()[name] == .value(value)) }
            #expect(place.text("master.key").split(separator: "\n").count <= (isDone ? 1 : 2))
            // The next one completes it.
            _ = try place.store().perform(.rotate)
            for (name, value) in secrets { #expect(place.store().load()[name] == .value(value)) }
            #expect(place.text("master.key").split(separator: "\n").count == 1)
            #expect(place.names == ["master.key", "secrets.json"])
            let keys = Set(try #require(try place.store().perform(.list).secrets).map(\.keyID))
            #expect(keys.count == 1)
        }
        // Three files, each made, renamed and its directory synced.
        #expect(steps == 9)
    }

    @Test func aFirstSecretKilledAnywhereIsThereOrNot() throws {
        let steps = try self.killEverywhere([:], .set(name: "A", value: "one", note: nil)) { place, isDone in
            #expect(place.store().load()["A"] == .value("one") || !isDone)
            _ = try place.store().perform(.set(name: "A", value: "two", note: nil))
            #expect(place.store().load()["A"] == .value("two"))
            // A second name of the key may be left; no old key outlives a rotation.
            _ = try place.store().perform(.rotate)
            #expect(place.names == ["master.key", "secrets.json"])
        }
        #expect(steps == 7)
    }

    @Test func aSecretThatIsReplacedIsTheOldOneOrTheNewOne() throws {
        _ = try self.killEverywhere(["A": "one", "B": "two"], .set(name: "A", value: "new", note: nil)) {
            place, isDone in
            #expect([.value("one"), .value("new")].contains(place.store().load()["A"]))
            #expect(place.store().load()["A"] == .value("new") || !isDone)
            #expect(place.store().load()["B"] == .value("two"))
        }
    }

    @Test func anImportIsWholeOrNotAtAll() throws {
        let entries = ["X", "Y", "Z"].map { SecretsAction.Entry(name: $0, value: "v") }
        _ = try self.killEverywhere(["A": "one"], .importValues(entries)) { place, isDone in
            let there = entries.map { place.store().load()[$0.name] == .value("v") }
            #expect(Set(there).count == 1)
            #expect(there[0] || !isDone)
            #expect(place.store().load()["A"] == .value("one"))
        }
    }

    @Test func aRemovalIsDoneOrNot() throws {
        _ = try self.killEverywhere(["A": "one", "B": "two"], .remove(name: "A")) { place, isDone in
            #expect(place.store().load()["A"] == .absent || !isDone)
            #expect(place.store().load()["B"] == .value("two"))
        }
    }

    @Test func aRotationKeepsTheKeyOfARecordThatCannotBeRead() throws {
        let place = try Place()
        try place.set(["A": "one", "B": "two"])
        let old = place.text("master.key")
        // B is changed on disk: its tag is that of A.
        var lines = place.text("secrets.json").components(separatedBy: "\n")
        let tags = lines.indices.filter { lines[$0].contains("\"tag\"") }
        lines[tags[1]] = lines[tags[0]]
        try place.write("secrets.json", lines.joined(separator: "\n"))
        let answer = try place.store().perform(.rotate)
        #expect(answer.changed == ["A"])
        #expect(answer.skipped.map(\.name) == ["B"])
        #expect(place.text("master.key").contains(old))
        _ = try place.store().perform(.remove(name: "B"))
        _ = try place.store().perform(.rotate)
        #expect(!place.text("master.key").contains(old))
        #expect(place.store().load()["A"] == .value("one"))
    }
}
