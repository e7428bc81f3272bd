import ArgumentParser
import BulkheadClient

struct RequestsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requests",
        abstract: "List who asked what of whom and how it ended, newest first.",
        discussion: """
            Every request that was admitted is here, with what it used and without what
            was said. You see those of your user id; root and the user that the daemon
            runs as see all. A request is 'open' until it ends: 'done', with an 'error',
            'cancelled', 'crashed' with its worker, or 'lost' with the daemon.

            EXAMPLES
              bulkhead requests
              bulkhead requests --state error -n 0
              bulkhead requests --json | jq 'map(.usage.output) | add'
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(name: [.customShort("n"), .long], help: "How many; 0 means all.")
    var count = 20

    @Option(help: "Only those in this state: open, done, error, cancelled, crashed or lost.")
    var state: String?

    @Option(name: .shortAndLong, help: "Only this model, by its id.")
    var model: String?

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
                    try StandardStream.output.writeSafely(Text.table(titles + rows.map(Self.cells)))
                    titles = []
                }
            }
        }
    }

    private func rows(of client: BulkheadClient, _ body: ([RequestRow]) throws -> Void) async throws {
        var request = RequestsRequest()
        request.model = self.model
        request.state = self.state
        try await RecordPager(count: self.count).run(
            { limit, before in
                request.limit = limit
                request.before = before
                return try await client.requests(request)
            }, body)
    }

    private static let titles = [
        "STARTED", "REQUEST", "STATE", "MODEL", "PROVIDER", "UID", "TOOK", "IN", "OUT", "NOTES",
    ]

    private static func cells(_ row: RequestRow) -> [String] {
        let error = row.error.map { "\($0.code): \($0.message)" }
        let operation = row.operation == "prompt" ? "" : row.operation
        return [
            Text.time(milliseconds: row.startedAtMilliseconds), row.id, row.state, row.model, row.provider,
            Self.number(row.uid), row.durationMilliseconds.map(Text.duration(milliseconds:)) ?? "-",
            Self.number(row.inputTokens), Self.number(row.outputTokens),
            TerminalText.line(error ?? row.finishReason ?? operation, atMost: 60),
        ]
    }

    private static func number(_ number: Int?) -> String { number.map(String.init) ?? "-" }
}
