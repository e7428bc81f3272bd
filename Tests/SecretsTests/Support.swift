import Foundation
import Messages
import Secrets
import Testing

/// A directory of a test's own. It goes with the test.
final class Place {
    let path = "/tmp/bh-secrets-\(UUID().uuidString.prefix(8))"

    init() throws { try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    func bytes(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(self.path)/\(name)").map { Array($0) }
    }

    func text(_ name: String) -> String { String(decoding: self.bytes(name) ?? [], as: UTF8.self) }

    func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
        let path = "\(self.path)/\(name)"
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(self.path)/\(name)")[.posixPermissions] as? Int
    }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? []).sorted()
    }

    /// A store here, whose clock stands.
    func store(credentials: String? = nil, calls: any FileCalls = SystemFiles(), at milliseconds: Int = 1_000)
        -> SecretStore
    {
        SecretStore(
            stateDirectory: self.path, credentialsDirectory: credentials, calls: calls,
            millisecondsSince1970: { milliseconds })
    }

    /// Adds secrets one by one.
    func set(_ secrets: [String: String]) throws {
        for (name, value) in secrets.sorted(by: { $0.key < $1.key }) {
            _ = try self.store().perform(.set(name: name, value: value, note: nil))
        }
    }
}

/// The calls of the system, up to the one that is the process's last.
final class MortalFiles: FileCalls {
    private let files = SystemFiles()
    private var left: Int
    private(set) var isDead = false

    struct Killed: Error {}

    /// - Parameter steps: How many calls that change something happen.
    init(steps: Int) { self.left = steps }

    private func step() throws(FileFault) {
        guard self.left > 0 else {
            self.isDead = true
            throw FileFault("killed")
        }
        self.left -= 1
    }

    func read(_ path: String, maximumLength: Int) throws(FileFault) -> FileContent? {
        try self.files.read(path, maximumLength: maximumLength)
    }

    func create(_ path: String, _ bytes: [UInt8]) throws(FileFault) {
        if self.left == 0 {
            // A process may also die with half of a file written.
            try? self.files.create(path, Array(bytes.prefix(bytes.count / 2)))
        }
        try self.step()
        try self.files.create(path, bytes)
    }

    func replace(_ path: String, by other: String) throws(FileFault) {
        try self.step()
        try self.files.replace(path, by: other)
    }

    func link(_ path: String, as name: String) throws(FileFault) -> Bool {
        try self.step()
        return try self.files.link(path, as: name)
    }

    func remove(_ path: String) throws(FileFault) {
        try self.step()
        try self.files.remove(path)
    }

    func syncDirectory(_ path: String) throws(FileFault) {
        try self.step()
        try self.files.syncDirectory(path)
    }
}

/// The failure of an action that is refused.
func refusal(_ store: SecretStore, _ action: SecretsAction) throws -> Failure {
    let answer: SecretsAnswer
    do throws(Failure) { answer = try store.perform(action) } catch { return error }
    Issue.record("it was done: \(answer)")
    throw Unreachable()
}

struct Unreachable: Error {}
