import BulkheadClient
import Glibc

/// The encrypted secrets of a Datasette, as bulkhead-logger reads them: this program knows no SQLite.
enum DatasetteTokens {
    private static let program = "bulkhead-logger"
    private static let timeoutMilliseconds = 60_000

    static func read(_ database: String) throws(InputError) -> [SecretsAction.Entry] {
        guard let path = SiblingProgram.find(Self.program) else {
            throw InputError("\(Self.program) is missing: \(SiblingProgram.places(of: Self.program))")
        }
        let end = CommandRun(
            [path, "--datasette-secrets", database], input: [], environment: [:],
            timeoutMilliseconds: Self.timeoutMilliseconds
        ).run()
        guard case .exited(0) = end.cause else {
            throw InputError(
                end.diagnostics.isEmpty ? "\(Self.program) failed: \(end.cause)" : String(end.diagnostics.trimmed))
        }
        var entries: [SecretsAction.Entry] = []
        for line in end.output.split(separator: "\n") {
            guard let value = try? JSONValue(parsing: String(line)), let name = value["name"]?.string,
                let token = value["token"]?.string
            else { throw InputError("\(Self.program) printed a line that is no secret") }
            entries.append(SecretsAction.Entry(name: name, value: token, note: value["note"]?.string))
        }
        guard !entries.isEmpty else { throw InputError("'\(TerminalText.escaped(database))' holds no secret") }
        return entries
    }
}

extension String {
    fileprivate var trimmed: Substring {
        var text = self[...]
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return text
    }
}
