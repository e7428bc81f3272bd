import Configuration
import Messages
import Testing

@Suite("A configuration that is refused") struct RefusedConfigurationTests {
    /// A text and the lines that a person sees.
    struct Case: CustomTestStringConvertible {
        var yaml: String
        var lines: [String]

        init(_ yaml: String, _ lines: String...) {
            self.yaml = yaml
            self.lines = lines
        }

        var testDescription: String { self.yaml.debugDescription }
    }

    private static let duration = "write an integer and a unit, such as 250ms, 5s, 10m, 24h or 30d"
    private static let topFields =
        "socket, state_directory, log, default_model, default_embedding_model, models, blocked_models, require_keys, "
        + "fallbacks, purposes, plugins, callers, hooks, secrets, drain_timeout, providers, testing"

    private static let fields = [
        Case("sokcet: /x", "b.yaml:1:1: unknown field 'sokcet'; did you mean 'socket'?"),
        Case("colour: red", "b.yaml:1:1: unknown field 'colour'; the fields here are \(Self.topFields)"),
        Case("log: {durabilty: commit}", "b.yaml:1:7: unknown field 'durabilty'; did you mean 'durability'?"),
        Case(
            "providers:\n  echo:\n    type: echo\n    slot: 3",
            "b.yaml:4:5: unknown field 'slot'; did you mean 'slots'?"),
        Case(
            "limits: 3\npurposes: {chat: {limits: 1, retention: 2}}\ncallers: {all: {default: true, limits: 1}}",
            "b.yaml:1:1: this version does not support the field 'limits' yet; remove it",
            "b.yaml:2:19: this version does not support the field 'limits' yet; remove it",
            "b.yaml:2:30: this version does not support the field 'retention' yet; remove it",
            "b.yaml:3:32: this version does not support the field 'limits' yet; remove it"),
        Case(
            "log: {retention: 400d}",
            "b.yaml:1:7: this version does not support the field 'retention' yet; remove it"),
        Case(
            "providers: {echo: {processes: {min: 1}, plugin: x, python: /p, hooks: []}}",
            "b.yaml:1:20: this version does not support the field 'processes' yet; remove it",
            "b.yaml:1:41: this version does not support the field 'plugin' yet; remove it",
            "b.yaml:1:52: this version does not support the field 'python' yet; remove it",
            "b.yaml:1:64: this version does not support the field 'hooks' yet; remove it"),
        Case("1: x", "b.yaml:1:1: unknown field '1'; the fields here are \(Self.topFields)"),
        Case("? [a]\n: x", "b.yaml:1:3: expected the name of a field, found a list"),
        Case(
            "providers: {echo: {<<: {slots: 1}}}",
            "b.yaml:1:20: merging with '<<' is not supported; use an alias for a whole value, or repeat the fields"),
        Case("[socket]", "b.yaml:1:1: expected fields such as 'providers:', found a list"),
        Case("hello", "b.yaml:1:1: expected fields such as 'providers:', found a string"),
    ]

    private static let types = [
        Case("testing: yes", "b.yaml:1:10: field 'testing': expected true or false, found a string"),
        Case("testing: 1", "b.yaml:1:10: field 'testing': expected true or false, found an integer"),
        Case("log: commit", "b.yaml:1:6: field 'log': expected a mapping such as {durability: commit}, found a string"),
        Case(
            "log: {durability: comit}",
            "b.yaml:1:19: field 'log.durability': 'comit' is not one of commit, relaxed; did you mean 'commit'?"),
        Case(
            "log: {durability: true}",
            "b.yaml:1:19: field 'log.durability': expected one of commit, relaxed, found true or false; quote it to make it a string"
        ),
        Case(
            "providers: [echo]",
            "b.yaml:1:12: field 'providers': expected a mapping of names and providers, found a list"),
        Case(
            "providers: {}",
            "b.yaml:1:12: field 'providers': name at least one provider, or remove the field for the default ones"),
        Case("providers: {echo: 3}", "b.yaml:1:19: field 'providers.echo': expected a mapping, found an integer"),
        Case(
            "default_model: 4",
            "b.yaml:1:16: field 'default_model': expected the id or alias of a model, or {model, key, options}, found an integer; quote it to make it a string"
        ),
        Case(
            "state_directory: var", "b.yaml:1:18: field 'state_directory': the path must be absolute: begin it with '/'"
        ),
        Case("socket: run/x", "b.yaml:1:9: field 'socket': the path must be absolute: begin it with '/'"),
        Case("socket: /run/", "b.yaml:1:9: field 'socket': the path must name a file, not a directory"),
        Case("socket: 3", "b.yaml:1:9: field 'socket': expected a path or {path, mode, group}, found an integer"),
        Case(#"socket: "/run\0/x""#, "b.yaml:1:9: field 'socket': the path contains a control character"),
        Case("drain_timeout: 30", "b.yaml:1:16: field 'drain_timeout': a duration needs a unit: \(Self.duration)"),
        Case("drain_timeout: 1.5s", "b.yaml:1:16: field 'drain_timeout': '1.5s' is not a duration: \(Self.duration)"),
        Case("drain_timeout: 5 s", "b.yaml:1:16: field 'drain_timeout': '5 s' is not a duration: \(Self.duration)"),
        Case("drain_timeout: -5s", "b.yaml:1:16: field 'drain_timeout': '-5s' is not a duration: \(Self.duration)"),
        Case(
            "drain_timeout: 999999999999999999d",
            "b.yaml:1:16: field 'drain_timeout': '999999999999999999d' is not a duration: \(Self.duration)"),
        Case("drain_timeout: 25h", "b.yaml:1:16: field 'drain_timeout': must be from 0s to 1d"),
        Case(
            "drain_timeout: [1]",
            "b.yaml:1:16: field 'drain_timeout': expected a duration (an integer and a unit, such as 250ms, 5s, 10m, 24h or 30d), found a list"
        ),
        Case(
            "testing: !secret x",
            "b.yaml:1:10: field 'testing': expected true or false, found a value with a tag, which is not supported"),
    ]

    private static let sockets = [
        Case(
            "socket: {mode: 0660}",
            #"b.yaml:1:16: field 'socket.mode': write the mode in quotes, such as "0660": without them YAML leaves open whether it is octal"#
        ),
        Case(
            "socket: {mode: 660}",
            #"b.yaml:1:16: field 'socket.mode': write the mode in quotes, such as "0660": without them YAML leaves open whether it is octal"#
        ),
        Case(
            "socket: {mode: rw-rw----}",
            #"b.yaml:1:16: field 'socket.mode': 'rw-rw----' is no file mode: write octal digits in quotes, such as "0660""#
        ),
        Case(#"socket: {mode: "1777"}"#, #"b.yaml:1:16: field 'socket.mode': must be from "0000" to "0777""#),
        Case(
            #"socket: {mode: "0680"}"#,
            #"b.yaml:1:16: field 'socket.mode': '0680' is no file mode: write octal digits in quotes, such as "0660""#),
        Case(
            "socket: {mode: true}",
            #"b.yaml:1:16: field 'socket.mode': expected octal digits in quotes, such as "0660", found true or false"#),
        Case(
            "socket: {group: bulkhed}",
            "b.yaml:1:17: field 'socket.group': there is no user group 'bulkhed' on this machine; create it (groupadd) or name another"
        ),
        Case("socket: {group: 4294967295}", "b.yaml:1:17: field 'socket.group': must be from 0 to 4294967294"),
    ]

    @Test(arguments: Self.fields + Self.types + Self.sockets)
    func isToldWhereAndWhat(of wrong: Case) {
        #expect(Reading().problems(wrong.yaml) == wrong.lines)
    }

    @Test(arguments: [
        Case(
            "a: [1, 2\nb: c",
            "b.yaml:2:2: not valid YAML: while parsing a flow sequence that began in line 1, did not find expected ',' or ']'"
        ),
        Case(
            "log:\n\tdurability: commit",
            "b.yaml:2:1: not valid YAML: found character that cannot start any token (indent with spaces: YAML does not allow tabs)"
        ),
        Case("socket: *nowhere", "b.yaml:1:9: not valid YAML: found undefined alias"),
        Case(
            "testing: true\ntesting: false", "b.yaml:1:1: field 'testing' is written more than once; here is the first"),
        Case(
            "providers:\n  a: {slots: 1, slots: 2}",
            "b.yaml:2:7: field 'slots' is written more than once; here is the first"),
        Case("testing: true\nlog: \u{7}", "b.yaml:2:6: the character U+0007 may not stand in YAML"),
        Case("a: 1\r\nb: \u{0}", "b.yaml:2:4: the character U+0000 may not stand in YAML"),
        Case(
            "---\ntesting: true\n---\ntesting: true",
            "b.yaml:3:1: not valid YAML: expected a single document in the stream that began in line 1, but found another document"
        ),
    ])
    func syntaxErrorsHaveLineAndColumn(of wrong: Case) {
        #expect(Reading().problems(wrong.yaml) == wrong.lines)
    }

    @Test func bytesThatAreNotUTF8HaveLineAndColumn() {
        let file = ConfigurationFile(name: "b.yaml", bytes: Array("testing: true\n# é ".utf8) + [0xFF, 0x0A])
        let problem = ConfigurationProblem(file: "b.yaml", line: 2, column: 5, message: "this is not UTF-8")
        #expect(Reading().reply(toFile: file) == .refused([problem]))
    }

    @Test func allProblemsOfAFileAreReportedInItsOrder() {
        let yaml = """
            testing: maybe
            providers:
              local: {type: openai-compatible, base_url: ftp://x, models: [], slots: 0}
            socket: relative
            drain: 3s
            """
        #expect(
            Reading().problems(yaml) == [
                "b.yaml:1:10: field 'testing': expected true or false, found a string",
                "b.yaml:3:46: field 'providers.local.base_url': the address must begin with https:// or http://",
                "b.yaml:3:63: field 'providers.local.models': name at least one model",
                "b.yaml:3:74: field 'providers.local.slots': must be from 1 to 256",
                "b.yaml:4:9: field 'socket': the path must be absolute: begin it with '/'",
                "b.yaml:5:1: unknown field 'drain'; the fields here are \(Self.topFields)",
            ])
    }

    @Test func moreThanAHundredProblemsAreCounted() {
        let lines = Reading().problems((1...150).map { "unknown\($0): 1" }.joined(separator: "\n"))
        #expect(lines.count == 101)
        #expect(lines.last == "b.yaml: 50 more problems are not shown")
    }

    @Test func whatAFileSaysCannotForgeLines() {
        let lines = Reading().problems(#""a\nb.yaml: ok\e[2J\u202e": 1"#)
        #expect(lines.count == 1)
        #expect(lines[0].unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{1B}" && $0 != "\u{202E}" })
    }
}
