import Configuration
import Messages
import Testing

@Suite("Hostile input") struct HostileInputTests {
    private static let sample = """
        socket: {path: /run/b.sock, mode: "0600", group: bulkhead}
        state_directory: /srv/bulkhead
        log: {durability: relaxed}
        default_model: small
        drain_timeout: 2m
        models: [small, echo]
        purposes: {chat: {model: {model: tiny, key: LOCAL_KEY, options: {a: [1, {b: 2.5}]}}, blocked_models: [echo]}}
        callers: {web: {user: www-data, group: [5, bulkhead], purposes: [chat]}, all: {default: true}}
        hooks: [{name: a, command: [/usr/a], events: [group_exit], timeout: 1s}]
        plugins: {datasette-llm: {blocked_models: [qwen3]}}
        providers:
          local:
            type: openai-compatible
            key: LOCAL_KEY
            base_url: http://127.0.0.1:11434/v1/
            models: &models [qwen3, {id: llama4, aliases: [small, 'tiny']}]
            slots: 8
            timeouts: {connect: 250ms, first_output: 2m, idle: 30s}
          echo: {type: echo, slots: 2}
        # é "\\u00e9" ? | > *models
        testing: true
        """

    /// SplitMix64, so that a failure can be repeated.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var z = self.state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// Reads `bytes`, and the reply again, as the supervisor will.
    private func read(_ bytes: [UInt8]) throws -> ConfigurationReply {
        let reply = Reading().reply(toFile: ConfigurationFile(name: "b.yaml", bytes: bytes))
        #expect(try ConfigurationReply(decoding: reply.encoded) == reply)
        if case .refused(let problems) = reply { #expect(!problems.isEmpty) }
        return reply
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func randomBytesAreRefusedOrReadButNeverFatal(seed: UInt64) throws {
        var generator = Generator(state: seed)
        for _ in 0..<300 {
            let length = Int.random(in: 0...200, using: &generator)
            _ = try self.read((0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
        let alphabet = Array("{}[]:,-?*&!|>'\"#%@` \n\tab01~<\\".utf8)
        for _ in 0..<1000 {
            let length = Int.random(in: 0...60, using: &generator)
            _ = try self.read((0..<length).map { _ in alphabet.randomElement(using: &generator)! })
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func aFileWithDamageIsRefusedOrReadButNeverFatal(seed: UInt64) throws {
        var generator = Generator(state: seed &+ 100)
        let original = Array(Self.sample.utf8)
        var (accepted, refused) = (0, 0)
        for _ in 0..<500 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(original.randomElement(using: &generator)!, at: index)
                default: bytes.swapAt(index, Int.random(in: 0..<bytes.count, using: &generator))
                }
            }
            switch try self.read(bytes) {
            case .configuration: accepted += 1
            case .refused: refused += 1
            }
        }
        #expect(accepted > 0 && refused > 0)
    }

    @Test func everyCutOfAFileIsReadWithoutAccident() throws {
        let bytes = Array(Self.sample.utf8)
        for length in 0...bytes.count { _ = try self.read(Array(bytes[..<length])) }
    }

    @Test func everyScalarInEveryPlaceIsReadWithoutAccident() throws {
        let values = [
            "", "~", "true", "-1", "0x1F", "1e999", "''", "[]", "{}", "[[]]", "{a: {b: c}}", "!!int x", "!x {}",
            "\"\\0\"", "é", "*a",
        ]
        let places = [
            "socket: ?", "socket: {path: ?}", "socket: {mode: ?}", "socket: {group: ?}", "state_directory: ?", "log: ?",
            "log: {durability: ?}", "default_model: ?", "drain_timeout: ?", "testing: ?", "providers: ?",
            "providers: {x: ?}",
            "providers: {?: {type: echo}}", "providers: {x: {type: ?}}", "providers: {echo: {slots: ?}}",
            "providers: {echo: {key: ?}}",
            "providers: {echo: {timeouts: ?}}", "providers: {echo: {timeouts: {idle: ?}}}",
            "providers: {openai-compatible: {models: ?}}",
            "providers: {openai-compatible: {models: [?]}}",
            "providers: {openai-compatible: {models: [{id: ?, aliases: ?}]}}",
            "providers: {openai-compatible: {models: [m], base_url: ?}}", "? : ?", "?",
            "models: ?", "models: [?]", "require_keys: ?", "purposes: ?", "purposes: {?: {}}", "purposes: {p: ?}",
            "purposes: {p: {model: ?, models: ?}}", "purposes: {p: {models: [?]}}", "purposes: {p: {fallbacks: [?]}}",
            "default_model: {model: ?, key: ?, options: ?}", "default_model: {model: echo, options: {?: ?}}",
            "callers: ?", "callers: {?: ?}", "callers: {a: {user: ?, group: ?, default: ?}}",
            "callers: {a: {user: [?]}}",
            "callers: {a: {user: 1, purposes: ?, models: ?, max_requests: ?}}", "hooks: ?", "hooks: [?]",
            "hooks: [{name: ?, command: ?, events: ?}]", "hooks: [{name: a, command: [?], events: [?], timeout: ?}]",
            "plugins: ?", "plugins: {datasette-llm: ?}", "plugins: {?: ?}", "secrets: ?", "secrets: {llm_keys: ?}",
        ]
        for place in places {
            for value in values {
                let text = "a: &a 1\n" + place.replacing("?", with: value)
                _ = try self.read(Array(text.utf8))
                _ = DatasetteImport.convert(ConfigurationFile(name: "b.yaml", text: text))
            }
        }
    }

    @Test func aliasesThatMultiplyAreNotExpanded() {
        var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            yaml += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(Reading().problems(yaml).count == 21)
        #expect(
            Reading().problems(yaml.replacing("a20: ", with: "socket: ")).last
                == "b.yaml:21:9: field 'socket': expected a path or {path, mode, group}, found a list")
    }

    @Test func deepNestingIsRefused() {
        for yaml in [String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 100_000)] {
            #expect(Reading().problems(yaml).count == 1)
        }
        let nested = "socket: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(
            Reading().problems(nested) == [
                "b.yaml:1:9: field 'socket': expected a path or {path, mode, group}, found a list"
            ])
    }

    @Test func aFileOfMoreThanAMebibyteIsRefused() {
        let bytes = [UInt8](repeating: UInt8(ascii: "#"), count: 1 << 20)
        #expect(throws: Never.self) { try Reading().configuration(String(decoding: bytes, as: UTF8.self)) }
        #expect(
            Reading().problems(String(decoding: bytes, as: UTF8.self) + "#") == [
                "b.yaml: the file is longer than 1048576 bytes"
            ])
    }
}
