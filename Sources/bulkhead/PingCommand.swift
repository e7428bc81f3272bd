import ArgumentParser
import BulkheadClient

struct PingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping",
        abstract: "Ask the daemon for a sign of life.",
        discussion: """
            Prints the time from question to answer, without the time to connect.

            EXAMPLES
              until bulkhead ping; do sleep 1; done
            """)

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await self.connection.withClient { client in
            let duration = try await client.ping()
            let microseconds = Int(duration / .microseconds(1))
            let hundredths = String(microseconds % 1000 / 10)
            let padded = String(repeating: "0", count: 2 - hundredths.count) + hundredths
            try StandardStream.output.writeLine(
                "pong from \(self.connection.path) in \(microseconds / 1000).\(padded) ms")
        }
    }
}
