import JSON
import Messages

/// The options of echo, read as pydantic reads them for llm-echo.
struct EchoOptions {
    /// Repeated in the answer, where it is given.
    var exampleBool: Bool?
    /// Whether two pieces of reasoning come before the answer.
    var isThinking = false

    private static let names = ["example_bool", "thinking"]

    init(_ options: [JSONValue.Member]) throws(RequestEnd) {
        var problems: [String] = []
        for option in options {
            guard Self.names.contains(option.name) else {
                problems.append("\(option.name): Extra inputs are not permitted")
                continue
            }
            switch Self.bool(option.value) {
            case .success(let value) where option.name == "thinking": self.isThinking = value ?? false
            case .success(let value): self.exampleBool = value
            case .failure(let problem): problems.append("\(option.name): \(problem.description)")
            }
        }
        guard problems.isEmpty else {
            throw .failed(
                .invalidOptions,
                "\(problems.count) validation error\(problems.count == 1 ? "" : "s") for Options: "
                    + problems.prefix(4).joined(separator: "; ") + ". Valid options: "
                    + Self.names.joined(separator: ", "))
        }
    }

    private struct NoBool: Error, CustomStringConvertible {
        var description: String
    }

    private static func bool(_ value: JSONValue) -> Result<Bool?, NoBool> {
        switch value {
        case .null: return .success(nil)
        case .bool(let value): return .success(value)
        case .string(let text):
            switch text.lowercased() {
            case "true", "t", "yes", "y", "on", "1": return .success(true)
            case "false", "f", "no", "n", "off", "0": return .success(false)
            default: break
            }
        case .number("1"), .number("1.0"): return .success(true)
        case .number("0"), .number("0.0"): return .success(false)
        case .number: break
        case .array, .object: return .failure(NoBool(description: "Input should be a valid boolean"))
        }
        return .failure(NoBool(description: "Input should be a valid boolean, unable to interpret input"))
    }
}
