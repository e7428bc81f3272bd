import ArgumentParser
import BulkheadClient

/// `-o KEY VALUE`, as llm has it: an option of a model.
///
/// ArgumentParser knows options of one value. The two values travel through it as one, with a zero byte between them, which
/// no argument can contain.
struct OptionPair {
    var key: String
    var value: JSONValue

    private static let separator: Character = "\0"

    /// Joins the two values that follow each `-o` and `--option`, up to a `--`.
    static func join(_ arguments: [String]) -> [String] {
        var joined: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                return joined + [argument] + rest
            } else if argument == "-o" || argument == "--option", rest.count >= 2 {
                joined.append("--option=\(rest.removeFirst())\(Self.separator)\(rest.removeFirst())")
            } else {
                joined.append(argument)
            }
        }
        return joined
    }

    /// Reads a joined pair. A value that is valid JSON is that value, any other a string.
    init(argument: String) throws {
        let parts = argument.split(separator: Self.separator, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw ValidationError("-o takes two arguments: -o KEY VALUE")
        }
        self.key = String(parts[0])
        let text = String(parts[1])
        self.value = (try? JSONValue(parsing: text)) ?? .string(text)
    }

    /// The object of all options, `nil` without any. Of two with one name the last counts.
    static func object(_ options: [OptionPair]) -> JSONValue? {
        var members: [JSONValue.Member] = []
        for option in options {
            members.removeAll { $0.name == option.key }
            members.append(JSONValue.Member(option.key, option.value))
        }
        return members.isEmpty ? nil : .object(members)
    }
}
