import ArgumentParser
import BulkheadClient

struct RequestsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requests",
        abstract: "List who asked what of whom and how it ended, newest first.",
        discussion: """
            Every request that was admitted is here, with what it used and without what
            was said. You see those of your user id; root and the user that the daemon
            runs as see all. CALLER is whom the configuration took that user for, ACTOR
            whom the request was for, where the caller named somebody. A request is 'open' until it ends: 'done', with an 'error',
            'cancelled', 'crashed' with its worker, or 'lost' with the daemon. Where one
            attempt was not enough, each is on a line of its own below the request.

            EXAMPLES
              bulkhead requests
              bulkhead requests --state error -n 0
              bulkhead requests --caller datasette --actor ada
              bulkhead requests --json | jq 'map(.usage.output) | add'
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(name: [.customShort("n"), .long], help: "How many; 0 means all.")
    var count = 20

    @Option(help: "Only those in this state: open, done, error, cancelled, crashed or lost.")
    var state: String?

    @Option(name: .shortAndLong, help: "Only this model, by its id.")
    var model: String?

    @OptionGroup var mandate: MandateOptions

    @Flag(help: "Print an array of objects, as proto/client.md has them in RequestsDone.")
    var json = false

    func validate() throws {
        if self.count < 0 { throw ValidationError("-n is 0 or more") }
    }

    func run() async throws {
        try await self.connection.withClient { client in
            if self.json {
                var printer = JSONArrayPrinter()
                try await self.rows(of: client) { try printer.print($0.map(\.json)) }
                try printer.finish()
            } else {
                var titles = [Self.titles]
                try await self.rows(of: client) { rows in
                    try StandardStream.output.writeSafely(Text.table(titles + rows.flatMap(Self.lines)))
                    titles = []
                }
            }
        }
    }

    private func rows(of client: BulkheadClient, _ body: ([RequestRow]) throws -> Void) async throws {
        var request = RequestsRequest()
        request.model = self.model
        request.state = self.state
        request.mandate = self.mandate.filter
        try await RecordPager(count: self.count).run(
            { limit, before in
                request.limit = limit
                request.before = before
                return try await client.requests(request)
            }, body)
    }

    private static let titles = [
        "STARTED", "REQUEST", "STATE", "PURPOSE", "MODEL", "PROVIDER", "UID", "CALLER", "ACTOR", "TOOK", "IN", "OUT",
        "NOTES",
    ]

    /// The request, and its attempts where there are any.
    private static func lines(_ row: RequestRow) -> [[String]] {
        [Self.cells(row)] + row.attempts.map(Self.cells)
    }

    private static func cells(_ attempt: RecordedAttempt) -> [String] {
        [
            "", "  attempt \(attempt.number)", attempt.error == nil ? "done" : "error", "", attempt.model,
            attempt.provider, "", "", "", Text.duration(milliseconds: attempt.durationMilliseconds),
            Self.number(attempt.inputTokens), Self.number(attempt.outputTokens), Self.note(attempt.error) ?? "",
        ]
    }

    private static func note(_ error: RecordedError?) -> String? {
        error.map { TerminalText.line("\($0.code): \($0.message)", atMost: 60) }
    }

    /// What was asked for, where it was no prompt.
    private static func operation(_ row: RequestRow) -> String { row.operation == "prompt" ? "" : row.operation }

    private static func cells(_ row: RequestRow) -> [String] {
        [
            Text.time(milliseconds: row.startedAtMilliseconds), row.id, row.state, Self.name(row.origin.purpose),
            row.model, row.provider, Self.number(row.uid), Self.name(row.origin.caller), Self.name(row.origin.actor),
            row.durationMilliseconds.map(Text.duration(milliseconds:)) ?? "-",
            Self.number(row.inputTokens), Self.number(row.outputTokens),
            Self.note(row.error) ?? TerminalText.line(row.finishReason ?? Self.operation(row), atMost: 60),
        ]
    }

    private static func name(_ name: String?) -> String { name.map { TerminalText.line($0, atMost: 30) } ?? "-" }

    private static func number(_ number: Int?) -> String { number.map(String.init) ?? "-" }
}
