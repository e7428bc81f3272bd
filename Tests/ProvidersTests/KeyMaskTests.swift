import Foundation
import JSON
import Messages
import Testing
import Transport

@testable import Providers

/// What a provider writes about an error may hold the key that it was asked with, in any form: nothing of it leaves the worker.
struct KeyMaskTests {
    private static let key = "sk-planted/0123+456789é"

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private static func escaped(_ text: String, _ form: (UInt8) -> String) -> String {
        text.utf8.map(form).joined()
    }

    private static func hexadecimal(_ byte: UInt8) -> String { String(format: "%02x", byte) }

    /// The key, as servers repeat it.
    static let forms: [String] = [
        key,
        "Bearer \(key)",
        escaped(key) { "%" + hexadecimal($0) },
        escaped(key) { "%" + hexadecimal($0).uppercased() },
        key.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!,
        escaped("sk-planted/0123+456789") { "\\u00" + hexadecimal($0) },
        escaped("sk-planted/0123+456789") { "\\x" + hexadecimal($0) },
        key.replacingOccurrences(of: "/", with: "\\/"),
        base64(key), base64("a\(key)"), base64("ab\(key)"), base64("Bearer \(key)"), base64("user:\(key)@host"),
        base64(":\(key)").replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_"),
        base64("Bearer \(key)").addingPercentEncoding(withAllowedCharacters: .alphanumerics)!,
        escaped(key, hexadecimal), escaped(key, hexadecimal).uppercased(),
        "\(key)\(key)",
    ]

    /// Whether a reader could put the key, or most of it, together from a text.
    static func isIn(_ text: String, key: String = key) -> Bool {
        let middle = String(key.dropFirst(5).prefix(8))
        let base64 = (0...2).map { offset in
            let whole = Data(repeating: 0, count: offset) + Data(middle.utf8)
            return String(whole.base64EncodedString().dropFirst(offset == 0 ? 0 : offset + 1).prefix(8))
        }
        let texts = [text, text.removingPercentEncoding ?? text, text.replacingOccurrences(of: "-", with: "+")].map {
            $0.lowercased()
        }
        return ([middle, escaped(middle, hexadecimal)] + base64).contains { form in
            texts.contains { $0.contains(form.lowercased()) }
        }
    }

    @Test(arguments: forms) func everyFormIsHidden(_ form: String) {
        #expect(Self.isIn(form) || form.contains("\\"))
        for text in [form, "before \(form) after", "key=\(form)&x=1", "\"\(form)\"", "é\(form)é"] {
            let hidden = text.withoutKey(Self.key)
            #expect(hidden.contains("[key]"))
            #expect(!Self.isIn(hidden), "\(hidden)")
        }
        #expect("before \(form) after".withoutKey(Self.key).hasPrefix("before "))
        #expect("before \(form) after".withoutKey(Self.key).hasSuffix(" after"))
    }

    @Test(arguments: forms) func aFormThatIsCutShortIsHidden(_ form: String) {
        for length in 12...form.count {
            let hidden = "the key: \(form.prefix(length))".withoutKey(Self.key)
            #expect(!Self.isIn(hidden), "\(hidden)")
        }
    }

    @Test func mostOfAKeyInTheMiddleIsHidden() {
        #expect("key sk-planted/0123+4… is wrong".withoutKey(Self.key) == "key [key]… is wrong")
        #expect("key sk-p…89é is wrong".withoutKey(Self.key) == "key sk-p…89é is wrong")
    }

    @Test func whatIsNoKeyStaysAsItIs() {
        for text in [
            "", "100% of \\u00zz and %zz and a \\", "sk-", "skip the plan", "a%2", "\\u00",
            String(repeating: "s", count: 999),
        ] {
            #expect(text.withoutKey(Self.key) == text)
        }
        #expect("a key k".withoutKey(nil) == "a key k")
        #expect("a key k".withoutKey("") == "a key k")
    }

    // MARK: Providers

    struct API: Sendable, CustomTestStringConvertible {
        let kind: ProviderSettings.Kind
        /// A stream that ends with an error of this message.
        let stream: @Sendable (String) -> [String]

        var testDescription: String { self.kind.rawValue }

        var settings: ProviderSettings {
            ProviderSettings(
                name: "p", kind: self.kind, models: [ModelDescription(id: "m")], baseURL: "http://upstream")
        }
    }

    static let apis: [API] = [
        API(kind: .openAICompatible) {
            [#"{"choices":[{"delta":{"content":"one"}}]}"#, #"{"error":{"message":"\#($0)","code":401}}"#]
        },
        API(kind: .openAI) {
            [
                #"{"type":"response.created","response":{"model":"m"}}"#,
                #"{"type":"response.failed","response":{"status":"failed","error":{"code":"invalid_api_key","message":"\#($0)"}}}"#,
            ]
        },
        API(kind: .anthropic) {
            [
                #"{"type":"message_start","message":{"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}"#,
                #"{"type":"error","error":{"type":"authentication_error","message":"\#($0)"}}"#,
            ]
        },
        API(kind: .gemini) {
            [
                #"{"candidates":[{"content":{"parts":[{"text":"one "}],"role":"model"}}]}"#,
                #"{"candidates":[{"finishReason":"SAFETY","finishMessage":"\#($0)"}]}"#,
            ]
        },
    ]

    private static let plainKey = "sk-planted-0123456789"

    private static func request(stream: Bool) throws -> ModelRequest {
        try ProvidersTests.request("hi", model: "m", stream: stream, key: plainKey)
    }

    private func expectHidden(_ outcome: Outcome) throws {
        let failure = try #require(outcome.failure)
        let text = String(decoding: failure.encoded, as: UTF8.self)
        #expect(!Self.isIn(text, key: Self.plainKey), "\(text)")
        #expect(text.contains("[key]"))
    }

    /// What servers make of the request, in the message of an error: whole, and cut at each place where ours is.
    private static let echoes = [
        plainKey, "Bearer \(plainKey)", base64("Bearer \(plainKey)"), escaped(plainKey) { "%" + hexadecimal($0) },
    ]
    .flatMap { form in
        [0, 150, 175, 190, 900, 960, 985, 995, 1000, 1010].map { String(repeating: "x", count: $0) + " \(form)" }
    }

    @Test(arguments: apis) func anErrorOfTheStatusHidesTheKey(_ api: API) throws {
        for echo in Self.echoes {
            for body in [#"{"error":{"message":"\#(echo)"}}"#, echo, #"{"detail":["\#(echo)"]}"#] {
                for stream in [false, true] {
                    let transport = FakeTransport(
                        status: 401, headers: [HTTPHeader("x-request-id", "\(echo)")], pieces: [Array(body.utf8)])
                    let ended = try outcome(of: Self.request(stream: stream), api.settings, over: transport)
                    let failure = try #require(ended.failure)
                    #expect(failure.code == .providerAuthentication)
                    let text = String(decoding: failure.encoded, as: UTF8.self)
                    #expect(!Self.isIn(text, key: Self.plainKey), "\(text)")
                }
            }
        }
    }

    @Test(arguments: apis) func anErrorInAStreamHidesTheKey(_ api: API) throws {
        for echo in Self.echoes {
            let events = api.stream(echo).map { "data: \($0)\n\n" }.joined()
            let transport = FakeTransport(contentType: "text/event-stream", pieces: [Array(events.utf8)])
            let ended = try outcome(of: Self.request(stream: true), api.settings, over: transport)
            let text = String(decoding: try #require(ended.failure).encoded, as: UTF8.self)
            #expect(!Self.isIn(text, key: Self.plainKey), "\(text)")
        }
    }

    @Test(arguments: apis) func whatIsNoAnswerHidesTheKey(_ api: API) throws {
        for body in ["<html>\(Self.plainKey)", "{\"x\":\"\(Self.plainKey)\"}", "{\"error\":\"\(Self.plainKey)\"}"] {
            for type in ["application/json", "text/event-stream"] {
                let bytes = type == "application/json" ? body : "data: \(body)\n\n"
                let transport = FakeTransport(contentType: type, pieces: [Array(bytes.utf8)])
                let ended = try outcome(of: Self.request(stream: true), api.settings, over: transport)
                let text = String(decoding: try #require(ended.failure).encoded, as: UTF8.self)
                #expect(!Self.isIn(text, key: Self.plainKey), "\(text)")
            }
        }
    }

    @Test(arguments: apis) func aConnectionThatFailsHidesTheKey(_ api: API) throws {
        for kind in [TransportError.Kind.broken, .unresolved, .insecure, .malformed, .unusable] {
            let failure = TransportError(kind, "the header 'authorization: Bearer \(Self.plainKey)' was refused")
            let transport = FakeTransport(pieces: [], failure: failure)
            try self.expectHidden(try outcome(of: Self.request(stream: true), api.settings, over: transport))
        }
    }

    @Test(arguments: apis) func aListOfModelsThatFailsHidesTheKey(_ api: API) throws {
        let transport = FakeTransport(status: 403, pieces: [Array(#"{"error":"\#(Self.plainKey)"}"#.utf8)])
        let channel = RecordingChannel()
        let environment = ProviderEnvironment(transport: transport, channel: channel) {
            ULID("01arz3ndektsv4rrffq69g5fav")!
        }
        var runner = RequestRunner(try ProviderRegistry.makeProvider(api.settings, in: environment), channel: channel)
        let request = ULID("01arz3ndektsv4rrffq69g5fav")!
        let isOpen = runner.list(ModelListing(request: request, key: Self.plainKey))
        #expect(isOpen)
        let text = channel.frames.map { String(decoding: $0, as: UTF8.self) }.joined()
        #expect(text.contains("[key]") && !Self.isIn(text, key: Self.plainKey))
    }
}
