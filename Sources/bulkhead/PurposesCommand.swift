import ArgumentParser
import BulkheadClient

struct PurposesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purposes",
        abstract: "List what requests may be for.",
        discussion: """
            The purposes that the daemon's configuration names and that you may use,
            each with the model that a prompt gets which names none. An administrator
            sees the others too.

            EXAMPLES
              bulkhead purposes
              bulkhead purposes --json | jq -r '.[].name'
              bulkhead prompt -p enrichments "In which country is Bergen?"
            """)

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print an array of objects.")
    var json = false

    func run() async throws {
        try await self.connection.withClient { client in
            let purposes = try await client.purposes()
            if self.json {
                let bytes = Array("[".utf8) + purposes.map(\.encoded).joined(separator: ",".utf8) + Array("]".utf8)
                try StandardStream.output.writeLine(json: bytes)
            } else {
                try StandardStream.output.writeSafely(PolicyText.table(purposes))
            }
        }
    }
}
