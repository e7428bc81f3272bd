import Crypto
import Foundation
import JSON
import Messages

/// One secret as it lies on disk.
///
/// Encrypted by ChaCha20-Poly1305 under a nonce of its own. Its name and the key's id are authenticated with it, so that a
/// record that is moved to another name, or relabelled, does not decrypt.
struct SecretRecord: Equatable {
    let name: String
    var note: String?
    var createdAtMilliseconds: Int
    var updatedAtMilliseconds: Int
    var keyID: String
    private var nonce: [UInt8]
    private var ciphertext: [UInt8]
    private var tag: [UInt8]

    /// Encrypts `value`.
    ///
    /// - Parameter createdAtMilliseconds: When there first was a secret of this name; `nil`: now.
    init(
        _ name: String, value: String, note: String?, under key: MasterKey, createdAtMilliseconds: Int?,
        updatedAtMilliseconds: Int
    ) throws(FileFault) {
        self.name = name
        self.note = note
        self.createdAtMilliseconds = createdAtMilliseconds ?? updatedAtMilliseconds
        self.updatedAtMilliseconds = updatedAtMilliseconds
        (self.keyID, self.nonce, self.ciphertext, self.tag) = ("", [], [], [])
        try self.seal(value, under: key)
    }

    /// Encrypts the same value under another key.
    mutating func seal(_ value: String, under key: MasterKey) throws(FileFault) {
        let context = Self.context(self.name, key.id)
        guard let box = try? ChaChaPoly.seal(Array(value.utf8), using: key.key, authenticating: context) else {
            throw FileFault("'\(self.name)' cannot be encrypted")
        }
        self.keyID = key.id
        self.nonce = Array(box.nonce)
        self.ciphertext = Array(box.ciphertext)
        self.tag = Array(box.tag)
    }

    /// Decrypts it.
    func open(with ring: KeyRing) -> StoredSecret {
        guard let key = ring[self.keyID] else {
            return .unusable("the master key \(self.keyID), with which it is encrypted, is not there")
        }
        do {
            let box = try ChaChaPoly.SealedBox(
                nonce: ChaChaPoly.Nonce(data: self.nonce), ciphertext: self.ciphertext, tag: self.tag)
            let bytes = try ChaChaPoly.open(box, using: key.key, authenticating: Self.context(self.name, self.keyID))
            guard let value = String(validating: bytes, as: UTF8.self) else {
                return .unusable("what is encrypted is no text")
            }
            return .value(value)
        } catch {
            return .unusable("its record was changed after it was encrypted; set it again")
        }
    }

    private static func context(_ name: String, _ keyID: String) -> [UInt8] {
        Array("bulkhead secret 1\0\(name)\0\(keyID)".utf8)
    }
}

extension SecretRecord {
    /// - Throws: Why it is no record. Its name is known by then.
    init(_ name: String, decoding value: JSONValue) throws(FileFault) {
        func text(_ field: String) throws(FileFault) -> String {
            guard let text = value[field]?.string else { throw FileFault("its record has no '\(field)'") }
            return text
        }
        func bytes(_ field: String) throws(FileFault) -> [UInt8] {
            guard let bytes = Base64.decode(try text(field)) else {
                throw FileFault("'\(field)' of its record is no base64")
            }
            return bytes
        }
        func time(_ field: String) throws(FileFault) -> Int {
            guard let time = value[field]?.integer, time >= 0 else {
                throw FileFault("its record has no '\(field)'")
            }
            return time
        }
        self.name = name
        self.note = value["note"]?.string
        self.createdAtMilliseconds = try time("created_at_ms")
        self.updatedAtMilliseconds = try time("updated_at_ms")
        self.keyID = try text("key_id")
        self.nonce = try bytes("nonce")
        self.ciphertext = try bytes("ciphertext")
        self.tag = try bytes("tag")
    }

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(self.name)),
            .init("key_id", .string(self.keyID)),
            .init("nonce", .string(Base64.encode(self.nonce))),
            .init("ciphertext", .string(Base64.encode(self.ciphertext))),
            .init("tag", .string(Base64.encode(self.tag))),
        ]
        if let note = self.note { members.append(.init("note", .string(note))) }
        members += [
            .init("created_at_ms", .integer(self.createdAtMilliseconds)),
            .init("updated_at_ms", .integer(self.updatedAtMilliseconds)),
        ]
        return .object(members)
    }
}

/// What the store has under a name.
public enum StoredSecret: Sendable, Equatable {
    case absent
    case value(String)
    /// It is there, and cannot be used: why, as a clause.
    case unusable(String)
}
