import ArgumentParser
import BulkheadClient

struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Have the daemon finish what is open, and stop; for an administrator.",
        discussion: """
            As SIGTERM: nothing new is admitted, and what is open may finish within the
            drain_timeout of the configuration. A second drain cuts it short. A service
            manager that listens for clients starts the daemon again for the next one.

            EXAMPLES
              bulkhead drain
            """)

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await self.connection.withClient { client in
            try await client.drain()
            try StandardStream.output.writeLine("The daemon finishes what is open, and stops.")
        }
    }
}
