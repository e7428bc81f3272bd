import Configuration
import Foundation
import Messages
import Testing

/// docs/configuration.md promises what the reader does.
@Suite("The documentation") struct DocumentationTests {
    private let text: String

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        self.text = try String(contentsOf: root.appendingPathComponent("docs/configuration.md"), encoding: .utf8)
    }

    private var examples: [String] {
        self.text.components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }

    private var example: String {
        get throws { try #require(self.examples.first) }
    }

    @Test func hasExamplesOfModelsThatAreAccepted() throws {
        let text = try #require(self.examples.dropFirst().first)
        let providers = try Reading.with(["OPENAI_API_KEY": "k"]).configuration(text).providers
        let known = ModelCatalogue.shipped.models(of: .openAI).map(\.id)
        #expect(Set(providers[0].models.map(\.id)) == Set(known + ["gpt-9"]))
        #expect(providers[1].models.map(\.id) == ["qwen3:8b"])
    }

    /// docs/providers.md is made from the catalogue: bulkhead-config --providers > docs/providers.md
    @Test func ofProvidersIsMadeFromTheCatalogue() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/providers.md"), encoding: .utf8)
        #expect(
            page == ProvidersPage().description,
            "the catalogue has changed: run .build/debug/bulkhead-config --providers > docs/providers.md")
    }

    /// The names in the first column of the table of fields.
    private var documentedFields: Set<String> {
        let fields = self.text.prefix(
            upTo: self.text.range(of: "## Types of providers")?.lowerBound ?? self.text.endIndex)
        let names = fields.split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap { line -> [String] in
            let cell = line.dropFirst().prefix { $0 != "|" }
            let words = cell.split(separator: "`").enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
            let first = words[0].replacing("*.", with: "").replacing("[]", with: "")
            // `.other` stands for the same place with another name.
            let place = first.prefix(upTo: first.lastIndex(of: ".") ?? first.startIndex)
            return [first] + words.dropFirst().map { place + $0 }
        }
        return Set(names)
    }

    @Test func hasAnExampleThatIsAccepted() throws {
        var reading = Reading.with(["OPENAI_API_KEY": "k", "GEMINI_API_KEY": "k"])
        reading.keyFiles["/etc/bulkhead/keys.json"] = .content(Array("{}".utf8))
        let configuration = try reading.configuration(self.example)
        #expect(configuration.warnings == [])
        #expect(configuration.providers.map(\.name) == ["openai", "gemini", "local", "echo"])
        #expect(configuration.defaultModel == "gpt-4o-mini")
        #expect(configuration.policy.purposes.map(\.name) == ["enrichments", "sql-assistant"])
        #expect(configuration.policy.callers.map(\.name) == ["web", "operators", "everyone"])
        #expect(configuration.hooks.map(\.name) == ["personal-data"])
    }

    @Test func hasExamplesThatAreAccepted() throws {
        var reading = Reading.with(["OPENAI_API_KEY": "k", "ENRICHMENTS_KEY": "e", "GEMINI_API_KEY": "k"])
        reading.keyFiles["/etc/bulkhead/keys.json"] = .content(Array("{}".utf8))
        #expect(self.examples.count == 5)
        for example in self.examples { #expect(try reading.configuration(example).warnings == []) }
    }

    /// Each field of the example, misspelled beyond guessing, is answered with all fields of its place: the table has them all.
    @Test func hasEveryFieldInItsTable() throws {
        let places = [
            ("", "x_x_x: 1"), ("socket.", "socket: {x_x_x: 1}"), ("log.", "log: {x_x_x: 1}"),
            ("purposes.", "purposes: {chat: {x_x_x: 1}}"),
            ("purposes.models.", "purposes: {chat: {models: [{model: echo, x_x_x: 1}]}}"),
            ("hooks.", "hooks: [{name: a, command: [/usr/x], events: [group_exit], x_x_x: 1}]"),
            ("callers.", "callers: {all: {default: true, x_x_x: 1}}"), ("secrets.", "secrets: {x_x_x: 1}"),
            ("providers.", "providers: {echo: {x_x_x: 1}}"),
            ("providers.timeouts.", "providers: {echo: {timeouts: {x_x_x: 1}}}"),
            ("providers.models.", "providers: {openai: {type: openai-compatible, models: [{id: a, x_x_x: 1}]}}"),
            (
                "providers.models.options.",
                "providers: {openai: {models: [{id: a, options: {a: {type: string, x_x_x: 1}}}]}}"
            ),
        ]
        var fields: Set<String> = []
        for (prefix, yaml) in places {
            let line = try #require(Reading.with(["OPENAI_API_KEY": "k"]).problems(yaml).first)
            let list = try #require(line.range(of: "the fields here are ")).upperBound
            fields.formUnion(line[list...].split(separator: ", ").map { prefix + $0 })
        }
        let containers: Set<String> = ["log", "providers.timeouts", "secrets"]
        #expect(fields.subtracting(containers) == self.documentedFields)
    }

    @Test func showsTheErrorsThatAFileGets() throws {
        let yaml = "sokcet: /x\ndrain_timeout: 30\nlimits: {}\nproviders:\n  local:\n    slots: 0\n    type: echo\n"
        let lines = Reading().problems(yaml).map { $0.replacing("b.yaml", with: "    bulkhead.yaml") }
        let shown = self.text.split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        for line in lines { #expect(shown.contains(line)) }
    }

    @Test func showsTheDefaultDurations() throws {
        let provider = try Reading().configuration(nil).providers[0]
        let defaults = [
            ("connect", provider.connectTimeoutMilliseconds), ("first_output", provider.timeouts.firstOutput),
            ("idle", provider.timeouts.idle), ("total", provider.timeouts.total), ("cancel", provider.timeouts.cancel),
        ]
        for (name, milliseconds) in defaults {
            #expect(
                self.text.contains(
                    "| `providers.*.timeouts.\(name)` | duration, up to `24h` | `\(milliseconds / 1000)s` |"))
        }
    }
}
