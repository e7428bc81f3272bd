import ArgumentParser
import BulkheadClient

/// `-o KEY VALUE`: an option of a model.
struct OptionPair {
    var key: String
    var value: JSONValue

    /// A value that is valid JSON is that value, any other a string.
    init(argument: String) throws {
        let pair = try ArgumentPair(argument: argument, usage: "-o KEY VALUE")
        self.key = pair.first
        self.value = (try? JSONValue(parsing: pair.second)) ?? .string(pair.second)
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
