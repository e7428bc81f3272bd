import ArgumentParser
import BulkheadClient

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the daemon, its logger and its providers do.",
        discussion: """
            A provider is 'ready', 'starting', 'waiting' for its next start after its
            worker died, or 'parked' after many deaths in a row, when it refuses
            requests for a while.

            EXAMPLES
              bulkhead status
              watch -n 1 bulkhead status
              bulkhead status --json | jq '.providers[] | select(.deaths > 0)'
            """)

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print the status as JSON.")
    var json = false

    func run() async throws {
        try await self.connection.withClient { client in
            let status = try await client.status()
            if self.json {
                try StandardStream.output.writeLine(json: status.json.serialized())
            } else {
                try StandardStream.output.writeSafely(StatusText.make(status))
            }
        }
    }
}
