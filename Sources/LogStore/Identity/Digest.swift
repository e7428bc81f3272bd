internal import CSodium

/// The digests that llm names things by, as lowercase hexadecimal digits (libsodium).
enum Digest {
    /// BLAKE2b with a digest of 16 bytes and no key (crypto_generichash).
    static func blake2b16(_ bytes: [UInt8]) -> String {
        precondition(Self.isReady)
        var digest = [UInt8](repeating: 0, count: 16)
        let status = crypto_generichash(&digest, digest.count, bytes, UInt64(bytes.count), nil, 0)
        precondition(status == 0, "the size of a digest is one that libsodium knows")
        return Self.hexadecimal(digest)
    }

    /// SHA-256 (crypto_hash_sha256).
    static func sha256(_ bytes: [UInt8]) -> String {
        precondition(Self.isReady)
        var digest = [UInt8](repeating: 0, count: 32)
        let status = crypto_hash_sha256(&digest, bytes, UInt64(bytes.count))
        precondition(status == 0, "SHA-256 takes any text")
        return Self.hexadecimal(digest)
    }

    /// `sodium_init` chooses the fastest code that the processor runs.
    private static let isReady = sodium_init() >= 0

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            for (index, byte) in bytes.enumerated() {
                buffer[index * 2] = Self.digit(byte >> 4)
                buffer[index * 2 + 1] = Self.digit(byte & 0xF)
            }
            return bytes.count * 2
        }
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }
}
