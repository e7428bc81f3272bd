import ArgumentParser
import BulkheadClient

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the models that can be asked.",
        discussion: """
            The list is that of the models that you may ask: without a purpose, or for
            the one that -p names. The default comes first. --all lists the others
            too, each with the reason: a list that leaves it out, or no key for it, and
            where one could be set, or a provider whose worker does not start.

            --as shows the list of another user of this host, by name or number; for an
            administrator.

            A model that nobody lists can be asked as PROVIDER/MODEL, where the lists
            allow it.

            EXAMPLES
              bulkhead models
              bulkhead models -v -q gpt
              bulkhead models -p enrichments --all
              sudo bulkhead models -p enrichments --as datasette
              bulkhead models --options -m gpt-4o
              bulkhead models --schemas --tools
              bulkhead models --json | jq -r '.[].id'
              bulkhead models --refresh
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("The models for this purpose.", valueName: "name"))
    var purpose: String?

    @Option(
        name: .customLong("as"), help: ArgumentHelp("The models for this user.", valueName: "user"),
        transform: LocalUser.init(argument:))
    var user: LocalUser?

    @Flag(help: "Also models that cannot be asked, and why.")
    var all = false

    @Flag(name: .shortAndLong, help: "Say what each model can do and how much it takes.")
    var verbose = false

    @Flag(help: "Show the options of each model, and all else that is known of it.")
    var options = false

    @Flag(help: "Only models that can follow a schema.")
    var schemas = false

    @Flag(help: "Only models that can ask for tools.")
    var tools = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Only models with this in their id, an alias or their provider.", valueName: "text"))
    var query: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("Only the model of this id or alias.", valueName: "id"))
    var model: [String] = []

    @Flag(help: "Print an array of objects with all that is known of each model.")
    var json = false

    @Flag(help: "Ask the providers which models they have; for an administrator.")
    var refresh = false

    @Option(help: ArgumentHelp("With --refresh: ask only this one.", valueName: "name"))
    var provider: String?

    func validate() throws {
        guard self.provider == nil || self.refresh else { throw ValidationError("--provider goes with --refresh.") }
        guard !self.refresh || (self.purpose == nil && self.user == nil && !self.all) else {
            throw ValidationError("--refresh shows what the providers have; leave out -p, --as and --all.")
        }
    }

    func run() async throws {
        try await self.connection.withClient { client in
            if self.refresh { return try await self.refresh(client) }
            let models = try await client.models(
                for: self.purpose, as: self.user?.identity, all: self.all
            ).filter(self.isWanted)
            if self.json {
                try StandardStream.output.writeLine(json: JSONValue.array(models.map(\.json)).serialized())
            } else if self.options {
                try StandardStream.output.writeSafely(models.map(ModelText.whole).joined())
            } else {
                try StandardStream.output.writeSafely(ModelText.table(models, isVerbose: self.verbose))
            }
        }
    }

    private func isWanted(_ model: Model) -> Bool {
        if self.schemas, model.facts.can(.schema) != true { return false }
        if self.tools, model.facts.can(.tools) != true { return false }
        let names = [model.id] + model.aliases
        if !self.model.isEmpty, !self.model.contains(where: names.contains) { return false }
        let texts = (names + [model.provider]).map { $0.lowercased() }
        return self.query.allSatisfy { query in
            let query = query.lowercased()
            return texts.contains { $0.contains(query) }
        }
    }

    private func refresh(_ client: BulkheadClient) async throws {
        if StandardStream.error.isTerminal {
            try? StandardStream.error.writeLine("Asking \(self.provider ?? "the providers") for models …")
        }
        let providers = try await client.refreshModels(provider: self.provider)
        if self.json {
            try StandardStream.output.writeLine(json: JSONValue.array(providers.map(\.json)).serialized())
        } else {
            let lines = providers.map { ModelText.line($0) + "\n" }
            try StandardStream.output.writeSafely(
                lines.isEmpty ? "No provider has a list of models to ask for.\n" : lines.joined())
        }
        let hasFailed = providers.contains { if case .failed = $0.outcome { true } else { false } }
        if hasFailed { throw ExitStatus.failed }
    }
}
