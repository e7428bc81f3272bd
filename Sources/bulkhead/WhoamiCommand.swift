import ArgumentParser
import BulkheadClient

struct WhoamiCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami",
        abstract: "Show whom the daemon takes you for, and what you may do.",
        discussion: """
            The daemon knows the user and the groups of a process from the kernel, and
            looks them up in 'callers' of its configuration. A process has the groups
            that it had when it began: after a change of groups, log in again.

            It answers everybody, also those whom it lets do nothing else.

            EXAMPLES
              bulkhead whoami
              bulkhead whoami --json | jq .purposes
            """)

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print an object.")
    var json = false

    func run() async throws {
        try await self.connection.withClient { client in
            let caller = try await client.whoami()
            if self.json {
                try StandardStream.output.writeLine(json: caller.encoded)
            } else {
                try StandardStream.output.writeSafely(PolicyText.make(caller))
            }
        }
    }
}
