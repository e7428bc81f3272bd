import BulkheadClient

/// Secrets, written for people: everything but their values.
enum SecretsText {
    static func table(_ secrets: [DescribedSecret]) -> String {
        guard !secrets.isEmpty else { return "There are no secrets; 'bulkhead secrets set NAME' sets one.\n" }
        let rows = secrets.map { secret in
            [
                secret.name, Text.time(milliseconds: secret.createdAtMilliseconds),
                Text.time(milliseconds: secret.updatedAtMilliseconds),
                secret.lastUsedAtMilliseconds.map(Text.time) ?? "never", secret.keyID,
                secret.problem.map { "UNUSABLE: \($0)" } ?? secret.note ?? "",
            ]
        }
        return Text.table([["NAME", "CREATED", "UPDATED", "USED", "KEY", "NOTE"]] + rows)
    }

    /// Says what has become of an action: what was done on standard output, the rest on standard error.
    static func report(_ answer: SecretsAnswer, done: String) throws(OutputClosed) {
        for name in answer.changed { try StandardStream.output.writeSafely("\(done): \(name)\n") }
        if answer.changed.isEmpty { try StandardStream.output.writeSafely("Nothing was changed.\n") }
        for secret in answer.skipped {
            try? StandardStream.error.writeSafely("bulkhead: skipped '\(secret.name)': \(secret.reason)\n")
        }
        for sentence in answer.advice { try? StandardStream.error.writeSafely("\(sentence)\n") }
    }
}
