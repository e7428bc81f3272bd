import ArgumentParser
import BulkheadClient

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show how a request would be resolved, without sending it.",
        discussion: """
            Says who would ask for whom, which model would answer, with which key (its
            name and where it was found, never the key), options, fallbacks and limits,
            or why the request would be refused. No provider is asked, and nothing goes
            on record.

            --as asks what would become of the request if another user made it; for an
            administrator. The user is looked up on this host.

            EXIT STATUS
              0  the request would be let in
              1  it would be refused, or the question was

            EXAMPLES
              bulkhead explain
              bulkhead explain -p enrichments
              bulkhead explain -p enrichments -m gpt-4o --actor ada
              sudo bulkhead explain -p enrichments --as datasette
              bulkhead explain --embed -m text-embedding-3-small --json
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var mandate: PurposeOptions

    @Option(name: .shortAndLong, help: "The model that the request would name. Default: none.")
    var model: String?

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("The user who would ask: a name or a number. Default: you.", valueName: "user"),
        transform: LocalUser.init(argument:))
    var user: LocalUser?

    @Flag(help: "It would be a request for embeddings.")
    var embed = false

    @Flag(help: "Print an object.")
    var json = false

    func run() async throws {
        try await self.connection.withClient { client in
            let explanation = try await client.explain(
                ExplainRequest(
                    mandate: self.mandate.mandate, model: self.model, operation: self.embed ? .embed : .prompt,
                    identity: self.user?.identity))
            if self.json {
                try StandardStream.output.writeLine(json: explanation.encoded)
            } else {
                try StandardStream.output.writeSafely(PolicyText.make(explanation))
            }
            guard explanation.isAllowed else { throw ExitStatus.failed }
        }
    }
}
