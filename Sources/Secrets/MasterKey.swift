import Crypto
import Foundation
import Messages

/// A key that secrets are encrypted with, and the name by which their records know it.
struct MasterKey: Equatable {
    static let byteCount = 32

    /// The first 8 bytes of the key's SHA-256, in hexadecimal.
    let id: String
    let key: SymmetricKey

    init(_ key: SymmetricKey) {
        self.key = key
        let digest = key.withUnsafeBytes { SHA256.hash(data: $0) }
        self.id = digest.prefix(8).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0\(digits)" : digits
        }.joined()
    }

    static func random() -> MasterKey { MasterKey(SymmetricKey(size: .bits256)) }

    /// The line of a key file.
    var line: String { Base64.encode(self.key.withUnsafeBytes { Array($0) }) }

    init?(line: some StringProtocol) {
        guard let bytes = Base64.decode(line), bytes.count == Self.byteCount else { return nil }
        self.init(SymmetricKey(data: bytes))
    }
}

/// Master keys in the order of a key file: the first encrypts, all decrypt.
struct KeyRing: Equatable {
    /// Keys of a file, at most. Each is a rotation that did not come to its end.
    static let maximumCount = 64
    static let maximumLength = 16 << 10

    var keys: [MasterKey]

    init(_ keys: [MasterKey] = []) { self.keys = keys }

    var current: MasterKey? { self.keys.first }

    subscript(id: String) -> MasterKey? { self.keys.first { $0.id == id } }

    /// Reads a file of one base64 text of 32 bytes a line.
    ///
    /// - Throws: What is wrong with it; no message repeats any of it.
    init(parsing bytes: [UInt8], of path: String) throws(FileFault) {
        self.keys = []
        let text = String(decoding: bytes, as: UTF8.self)
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty { continue }
            guard let key = MasterKey(line: line) else {
                throw FileFault(
                    "\(path): line \(index + 1) is no master key; each line is the base64 text of 32 bytes "
                        + "(head -c 32 /dev/urandom | base64)")
            }
            if self[key.id] == nil { self.keys.append(key) }
        }
        guard !self.keys.isEmpty else { throw FileFault("\(path) holds no master key") }
        guard self.keys.count <= Self.maximumCount else {
            throw FileFault("\(path) holds more than \(Self.maximumCount) master keys")
        }
    }

    var encoded: [UInt8] { Array(self.keys.map { "\($0.line)\n" }.joined().utf8) }
}
