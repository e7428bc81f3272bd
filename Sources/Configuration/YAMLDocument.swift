import Messages
import Yams

/// The one YAML document of a file.
enum YAMLDocument {
    /// Parses `file`.
    ///
    /// Scalars keep the text and the style they were written with, since the parser gets no rules to guess types by:
    /// ``YAMLValue`` decides what is an integer, and a mode that lost its leading zero could not be told from another.
    ///
    /// - Returns: `nil` for a file without content.
    /// - Throws: The syntax error, or the fields that occur twice in one mapping.
    static func parse(_ file: ConfigurationFile) throws(ConfigurationProblem) -> Node? {
        let text = try YAMLText.check(file)
        do {
            return try Yams.compose(yaml: text, .basic, .default, .utf8)
        } catch let error as YamlError {
            throw Self.problem(error, file: file.name, text: text)
        } catch {
            throw ConfigurationProblem(file: file.name, line: 0, column: 0, message: "not valid YAML")
        }
    }

    /// What the parser said. Its own description would repeat lines of the file, and with them, maybe, a secret.
    private static func problem(_ error: YamlError, file: String, text: String) -> ConfigurationProblem {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let place = context.map { "\($0.text) that began in line \($0.mark.line), " } ?? ""
            let hint = Self.isTab(in: text, at: mark) ? " (indent with spaces: YAML does not allow tabs)" : ""
            return Self.problem(
                file, mark, "not valid YAML: \(context?.mark.line == mark.line ? "" : place)\(problem)\(hint)")
        case .duplicatedKeysInMapping(let names, let context):
            let quoted = names.prefix(8).map(SafeQuotation.quote).joined(separator: ", ")
            let subject = names.count == 1 ? "field \(quoted) is" : "the fields \(quoted) are"
            return Self.problem(file, context.mark, "\(subject) written more than once; here is the first")
        case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem), .representer(let problem):
            return ConfigurationProblem(file: file, line: 0, column: 0, message: "not valid YAML: \(problem)")
        case .no, .memory, .dataCouldNotBeDecoded:
            return ConfigurationProblem(file: file, line: 0, column: 0, message: "not valid YAML, or nested too deep")
        }
    }

    private static func problem(_ file: String, _ mark: Mark, _ message: String) -> ConfigurationProblem {
        ConfigurationProblem(file: file, line: mark.line, column: mark.column, message: message)
    }

    private static func isTab(in text: String, at mark: Mark) -> Bool {
        let lines = text.split(separator: "\n", maxSplits: mark.line, omittingEmptySubsequences: false)
        guard lines.indices.contains(mark.line - 1) else { return false }
        return lines[mark.line - 1].unicodeScalars.dropFirst(mark.column - 1).first == "\t"
    }
}
