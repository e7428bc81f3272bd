import ArgumentParser
import BulkheadClient

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the models that can be asked.",
        discussion: """
            EXAMPLES
              bulkhead models
              bulkhead models --json | jq -r '.[].id'
            """)

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print an array of {id, aliases, provider, needs_key, default}.")
    var json = false

    func run() async throws {
        try await self.connection.withClient { client in
            let models = try await client.models()
            if self.json {
                try StandardStream.output.writeLine(json: JSONValue.array(models.map(\.json)).serialized())
            } else {
                try StandardStream.output.writeSafely(Self.table(models))
            }
        }
    }

    private static func table(_ models: [Model]) -> String {
        var rows = [["MODEL", "ALIASES", "PROVIDER", "NOTES"]]
        for model in models {
            let notes = [model.isDefault ? "default" : "", model.needsKey ? "needs a key" : ""].filter { !$0.isEmpty }
            rows.append([
                model.id, model.aliases.joined(separator: ", "), model.provider, notes.joined(separator: ", "),
            ])
        }
        return Text.table(rows)
    }
}
