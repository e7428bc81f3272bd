import JSON
import Messages

/// The bulkhead.yaml of what was imported, with a word on each part.
struct ImportedFile: CustomStringConvertible {
    private let settings: ImportedSettings
    private let origin: String

    /// - Parameter origin: The name of the file that it was made of.
    init(_ settings: ImportedSettings, origin: String) {
        self.settings = settings
        self.origin = origin
    }

    var description: String {
        let name = self.origin.split(separator: "/").last.map(String.init) ?? self.origin
        var lines = ["# Made of the settings of datasette-llm in \(PlainText.comment(name))."]
        lines += self.topLines + self.purposeLines + self.providerLines
        return lines.joined(separator: "\n") + "\n"
    }

    private var topLines: [String] {
        let policy = self.settings.policy
        var lines: [String] = []
        if let model = self.settings.defaultModel {
            lines += ["", "# For requests that name no model, and whose purpose has none."]
            lines.append("default_model: \(Self.text(model))")
        }
        if policy.models != nil || !policy.blockedModels.isEmpty || !policy.requiresKeys { lines.append("") }
        if let models = policy.models {
            lines += ["# The only models that may be asked, beside those of a purpose."] + Self.list("models", models)
        }
        if !policy.blockedModels.isEmpty {
            lines += ["# These may not be asked, whatever other lists say."]
            lines += Self.list("blocked_models", policy.blockedModels)
        }
        if !policy.requiresKeys {
            lines += ["# Models without their key are listed too.", "require_keys: false"]
        }
        return lines
    }

    private var purposeLines: [String] {
        let purposes = self.settings.policy.purposes
        if purposes.isEmpty { return [] }
        var lines = ["", "# What requests are for, and what that changes.", "purposes:"]
        for purpose in purposes {
            let fields = Self.fields(of: purpose).map { "    \($0)" }
            lines.append("  \(PlainText.scalar(purpose.name)):\(fields.isEmpty ? " {}" : "")")
            lines += fields
        }
        return lines
    }

    private static func fields(of purpose: PurposeSettings) -> [String] {
        var lines: [String] = []
        if let text = purpose.description { lines.append("description: \(PlainText.scalar(text))") }
        if let model = purpose.model { lines.append("model: \(Self.text(model))") }
        if let models = purpose.models { lines += Self.list("models", models.map(Self.text), isText: true) }
        if !purpose.blockedModels.isEmpty { lines += Self.list("blocked_models", purpose.blockedModels) }
        if let models = purpose.fallbacks { lines += Self.list("fallbacks", models) }
        if purpose.finishes { lines.append("on_disconnect: finish") }
        return lines
    }

    private var providerLines: [String] {
        var lines: [String] = []
        if !self.settings.keys.isEmpty {
            lines += [
                "", "# The keys that are named above are looked up as Datasette's secrets are, among other places:",
                "# " + self.settings.keys.map { "DATASETTE_SECRETS_\($0)" }.joined(separator: ", "),
            ]
        }
        if self.settings.providers.isEmpty { return lines }
        lines += [
            "", "# Who serves the models above. Each has its models, its address and the name of its key.",
            "providers:",
        ]
        for provider in self.settings.providers {
            lines.append("  \(provider.name): {}\(provider.keyName.map { "   # key: \($0)" } ?? "")")
        }
        return lines
    }

    /// `name:` and one line for each; `name: []` where there is none.
    private static func list(_ name: String, _ names: [String], isText: Bool = false) -> [String] {
        if names.isEmpty { return ["\(name): []"] }
        return ["\(name):"] + names.map { "  - \(isText ? $0 : PlainText.scalar($0))" }
    }

    private static func text(_ reference: ModelReference) -> String {
        guard reference.key != nil || reference.options != nil else { return PlainText.scalar(reference.model) }
        var fields = ["model: \(PlainText.scalar(reference.model))"]
        if let key = reference.key { fields.append("key: \(PlainText.scalar(key))") }
        if let options = reference.options.flatMap({ try? JSONValue(parsing: $0) }) {
            fields.append("options: \(PlainText.flow(options))")
        }
        return "{\(fields.joined(separator: ", "))}"
    }
}

/// Values as YAML that reads the same everywhere.
enum PlainText {
    /// Words that some versions of YAML take for something else.
    private static let ambiguous: Set<String> = ["y", "n", "yes", "no", "on", "off", "null", "true", "false"]

    /// A string, in quotes unless it is a word that nothing could misread.
    static func scalar(_ text: String) -> String {
        let isWord = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"): true
            default: false
            }
        }
        let first = text.utf8.first ?? 0
        let beginsWithLetter = (0x41...0x5A).contains(first) || (0x61...0x7A).contains(first)
        if isWord, beginsWithLetter, !Self.ambiguous.contains(text.lowercased()) { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case " "..."~": quoted.unicodeScalars.append(scalar)
            default:
                let code = String(scalar.value, radix: 16, uppercase: true)
                quoted += "\\U" + String(repeating: "0", count: 8 - code.count) + code
            }
        }
        return quoted + "\""
    }

    /// A value in one line: `{temperature: 0, stop: ["."]}`.
    static func flow(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text): Self.scalar(text)
        case .array(let elements): "[\(elements.map(Self.flow).joined(separator: ", "))]"
        case .object(let members):
            "{\(members.map { "\(Self.scalar($0.name)): \(Self.flow($0.value))" }.joined(separator: ", "))}"
        }
    }

    /// What may stand in a comment.
    static func comment(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
    }
}
