import Foundation
import JSON
import Secrets
import Testing

struct FernetTests {
    /// Made with another implementation: AES by openssl, HMAC by Python.
    static let key = "-gEIDxYdJCsyOUBHTlVcY2pxeH-GjZSboqmwt77FzNM="
    static let vectors: [(plaintext: String, token: String)] = [
        (
            "sk-planted-0123456789",
            "gAAAAABlU_EAZGVmZ2hpamtsbW5vcHFyczQYjiJswOOXF1hU7U3crigt0w_9_4tPtxGScfGGdkhmFPCerEwbLqgxw0jhqL1uL2fiLmXtIo1QtyTfWvlaZig="
        ),
        ("", "gAAAAABlU_EAZGVmZ2hpamtsbW5vcHFyc8Y2dZzwUpWveYtx5zY8O37tlQP3iXVNcYOE_4QVytWQWbHXn7JE4tXphDem5FLt7A=="),
        (
            "sixteen bytes ok",
            "gAAAAABlU_EAZGVmZ2hpamtsbW5vcHFyczwdLtJhbppSuUi38OT0VBXVGyWYgb3HXJ_fVP875S2NVcg9TWNoOOaR7DDWA9iQz5S1KXkYKmMg-uS-vHs1t1c="
        ),
        (
            "schlüssel 🔑",
            "gAAAAABlU_EAZGVmZ2hpamtsbW5vcHFycxBu5yAzdAtn4DL32w4cjLEO7giwWOjTMrRnpirql5nt1kEiXjM05sZqRq11LURkHA=="
        ),
        (
            String(repeating: "x", count: 40),
            "gAAAAABlU_EAZGVmZ2hpamtsbW5vcHFyc0hX4T6oo5cJCTUiNURyG2pm1waIeMxgMbR77so5JgranPqRYuyJVE46u3gzlJEgkZlGotS76-qFvWAeOco_AEiEu_OQlMybMqxlTVySzOI-"
        ),
    ]

    @Test(arguments: FernetTests.vectors) func aTokenOfAnotherImplementationIsRead(_ plaintext: String, _ token: String)
        throws
    {
        let fernet = try Fernet(key: Self.key)
        #expect(String(decoding: try fernet.decrypt(token), as: UTF8.self) == plaintext)
    }

    @Test func theVectorOfTheSpecificationIsRead() throws {
        let fernet = try Fernet(key: "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")
        let token =
            "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
        #expect(String(decoding: try fernet.decrypt(token), as: UTF8.self) == "hello")
    }

    @Test func everyChangedByteIsNoticed() throws {
        let fernet = try Fernet(key: Self.key)
        let token = Self.vectors[0].token
        for index in token.indices where token[index] != "=" {
            var changed = token
            changed.replaceSubrange(index...index, with: token[index] == "A" ? "B" : "A")
            // The last character before the padding holds bits that are not used.
            guard (try? fernet.decrypt(changed)).map({ String(decoding: $0, as: UTF8.self) }) != nil else { continue }
            #expect(token.index(after: index) == token.firstIndex(of: "="))
        }
        #expect(throws: Fernet.Fault.wrongKey) {
            try Fernet(key: "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").decrypt(token)
        }
    }

    @Test(arguments: ["", "gAAAAA", "gAAAAABlU_EA", "no token", String(repeating: "A", count: 200)])
    func whatIsNoTokenIsRefused(_ text: String) throws {
        let fernet = try Fernet(key: Self.key)
        #expect(throws: Fernet.Fault.noToken) { try fernet.decrypt(text) }
    }

    @Test(arguments: ["", "AAAA", "not base64!", String(repeating: "A", count: 64)])
    func whatIsNoKeyIsRefused(_ text: String) {
        #expect(throws: Fernet.Fault.noKey) { try Fernet(key: text) }
    }

    @Test(.enabled(if: Self.sharedVectors != nil)) func theSharedVectorsAreRead() throws {
        let file = try #require(Self.sharedVectors)
        let vectors = try #require(try JSONValue(parsing: Array(file)).array)
        #expect(!vectors.isEmpty)
        for vector in vectors {
            let fernet = try Fernet(key: try #require(vector["key"]?.string))
            let plaintext = try fernet.decrypt(try #require(vector["token"]?.string))
            #expect(String(decoding: plaintext, as: UTF8.self) == vector["plaintext"]?.string)
        }
    }

    private static let sharedVectors = ProcessInfo.processInfo.environment["BULKHEAD_SHARED"].flatMap {
        FileManager.default.contents(atPath: "\($0)/reference/vectors/fernet.json")
    }
}
