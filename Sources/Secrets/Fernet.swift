import Crypto
import CryptoExtras
import Foundation
import Messages

/// Reads Fernet tokens, as datasette-secrets stores them.
///
///     0x80 | time, 8 bytes | initialisation vector, 16 | AES-128-CBC with PKCS #7 | HMAC-SHA256, 32
///
/// All of it as base64 in its alphabet for URLs. The time is not looked at: what is stored does not expire.
public struct Fernet {
    public enum Fault: Error, Equatable, CustomStringConvertible {
        case noKey
        case noToken
        case wrongKey

        public var description: String {
            switch self {
            case .noKey: "the Fernet key is not the base64 text of 32 bytes"
            case .noToken: "it is no Fernet token"
            case .wrongKey: "it was encrypted with another key, or was changed since"
            }
        }
    }

    private static let version: UInt8 = 0x80
    private static let headLength = 9
    private static let vectorLength = 16
    private static let blockLength = 16
    private static let codeLength = 32

    private let signingKey: SymmetricKey
    private let encryptionKey: SymmetricKey

    /// - Parameter text: As `datasette secrets generate-encryption-key` prints it.
    public init(key text: some StringProtocol) throws(Fault) {
        guard let bytes = Self.decode(text), bytes.count == 32 else { throw .noKey }
        self.signingKey = SymmetricKey(data: bytes[..<16])
        self.encryptionKey = SymmetricKey(data: bytes[16...])
    }

    public func decrypt(_ token: some StringProtocol) throws(Fault) -> [UInt8] {
        let overhead = Self.headLength + Self.vectorLength + Self.codeLength
        guard let bytes = Self.decode(token), bytes.first == Self.version, bytes.count > overhead,
            (bytes.count - overhead).isMultiple(of: Self.blockLength)
        else { throw .noToken }
        let signed = bytes.dropLast(Self.codeLength)
        guard
            HMAC<SHA256>.isValidAuthenticationCode(
                bytes.suffix(Self.codeLength), authenticating: signed, using: self.signingKey)
        else { throw .wrongKey }
        let body = signed.dropFirst(Self.headLength)
        do {
            let vector = try AES._CBC.IV(ivBytes: body.prefix(Self.vectorLength))
            return Array(
                try AES._CBC.decrypt(body.dropFirst(Self.vectorLength), using: self.encryptionKey, iv: vector))
        } catch {
            throw .noToken
        }
    }

    private static func decode(_ text: some StringProtocol) -> [UInt8]? {
        Base64.decode(
            String(
                decoding: text.utf8.map { byte -> UInt8 in
                    switch byte {
                    case UInt8(ascii: "-"): UInt8(ascii: "+")
                    case UInt8(ascii: "_"): UInt8(ascii: "/")
                    default: byte
                    }
                }, as: UTF8.self))
    }
}
