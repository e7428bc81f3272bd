import ArgumentParser
import BulkheadClient

struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the daemon read its configuration anew; for an administrator.",
        discussion: """
            The configuration is taken whole, or refused whole with everything that is
            wrong with it, one problem a line; then the one before serves on and the
            exit status is 1. What is open ends under the configuration that it began
            under. A provider that did not change keeps its processes.

            The socket and the state directory cannot change while the daemon runs.

            EXAMPLES
              bulkhead config check /etc/bulkhead/bulkhead.yaml && bulkhead reload
            """)

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await self.connection.withClient { client in
            do throws(ClientError) {
                let report = try await client.reload()
                for warning in report.warnings { try? StandardStream.error.writeSafely("warning: \(warning)\n") }
                try? StandardStream.output.writeSafely(Self.text(of: report))
            } catch .configurationRefused(let failure, let problems) {
                for problem in problems { try? StandardStream.error.writeSafely("\(problem)\n") }
                try? StandardStream.error.writeLine(
                    "bulkhead: \(failure.code.rawValue): the configuration is refused, the one before serves on")
                throw ExitStatus.of(.failure(failure))
            }
        }
    }

    private static func text(of report: ReloadReport) -> String {
        let changes = [("added", report.added), ("changed", report.changed), ("removed", report.removed)]
            .filter { !$0.1.isEmpty }.map { "\($0.0): \($0.1.joined(separator: ", "))\n" }
        return "The configuration is taken\(changes.isEmpty ? "; all providers are as before" : "").\n"
            + changes.joined()
    }
}
