import ArgumentParser
import BulkheadClient

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what was asked and answered, newest first.",
        discussion: """
            You see what was asked under your user id; root and the user that the daemon
            runs as see everything, and what llm wrote into the same file. Where the
            configuration says 'log: {prompts: false}' there is nothing to show; 'bulkhead
            requests' lists who asked, and how it ended, all the same.

            -q takes words that must all occur, in any order, "words in double quotes"
            that follow each other, OR, NOT, and the beginning of a word with a star:
            the syntax of SQLite's FTS5. It finds what has been answered, not what is
            still open.

            On a terminal, control characters of prompts and answers are shown as
            escapes such as \\x1B.

            EXAMPLES
              bulkhead logs
              bulkhead logs -n 20 -s
              bulkhead logs --purpose enrichments --actor ada
              bulkhead logs -q 'pelican OR "brown bird"' --model gpt-4o-mini
              bulkhead logs --cid 01k9x3g6ncw7jv0q8r6m2t5y4b
              bulkhead logs -r > answer.txt
              bulkhead logs -n 0 --json | jq -r '.[].prompt'
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(
        name: [.customShort("n"), .long],
        help: "How many; 0 means all. Default: 3, and with --cid all of that conversation.")
    var count: Int?

    @Option(
        name: [.customLong("cid"), .customLong("conversation")],
        help: ArgumentHelp("Only this conversation.", valueName: "id"))
    var conversation: String?

    @Option(
        name: [.short, .long], help: ArgumentHelp("Only prompts and answers with these words.", valueName: "words"))
    var query: String?

    @Option(name: .shortAndLong, help: "Only this model, by its id.")
    var model: String?

    @OptionGroup var mandate: MandateOptions

    @Flag(help: "Print an array of objects, as proto/client.md has them in LogsDone.")
    var json = false

    @Flag(name: .shortAndLong, help: "Print only the text of the newest answer.")
    var response = false

    @Flag(name: .shortAndLong, help: "Print each on one line.")
    var short = false

    func validate() throws {
        if let count = self.count, count < 0 { throw ValidationError("-n is 0 or more") }
        guard [self.json, self.response, self.short].filter({ $0 }).count <= 1 else {
            throw ValidationError("--json, -r and -s exclude each other")
        }
    }

    func run() async throws {
        try await self.connection.withClient { client in
            if self.response {
                try await self.printResponse(client)
            } else if self.json {
                var printer = JSONArrayPrinter()
                try await self.rows(of: client) { try printer.print($0.map(\.json)) }
                try printer.finish()
            } else {
                try await self.printText(client)
            }
        }
    }

    private func rows(of client: BulkheadClient, _ body: ([LogRow]) throws -> Void) async throws {
        let count = self.response ? 1 : self.count ?? (self.conversation == nil ? 3 : 0)
        var request = LogsRequest()
        request.conversation = self.conversation
        request.model = self.model
        request.search = self.query
        request.mandate = self.mandate.filter
        try await RecordPager(count: count).run(
            { limit, before in
                request.limit = limit
                request.before = before
                return try await client.logs(request)
            }, body)
    }

    private func printText(_ client: BulkheadClient) async throws {
        var isFirst = true
        try await self.rows(of: client) { rows in
            if self.short { return try StandardStream.output.writeSafely(Text.table(rows.map(LogText.short))) }
            for row in rows {
                try StandardStream.output.writeSafely((isFirst ? "" : "\n") + LogText.full(row))
                isFirst = false
            }
        }
    }

    private func printResponse(_ client: BulkheadClient) async throws {
        var response: String?
        try await self.rows(of: client) { response = $0.first?.response }
        guard let response else {
            try? StandardStream.error.writeLine("bulkhead: there is no answer on record")
            throw ExitStatus.failed
        }
        try StandardStream.output.writeSafely(response.hasSuffix("\n") ? response : response + "\n")
    }
}
