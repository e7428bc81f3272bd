import ArgumentParser
import BulkheadClient

struct SecretsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets",
        abstract: "Keep the keys of providers in the daemon's encrypted store.",
        discussion: """
            For an administrator: root, the user that the daemon runs as, or who is
            configured as one. A secret is used wherever the configuration names it
            as a key, unless a credential or an environment variable of its name
            comes first. No command ever shows a value.

            Values are encrypted with a master key: the systemd credential
            bulkhead-master-key, or a file that the first 'set' makes. Keep a copy
            of that file, apart from copies of the store.

            EXAMPLES
              bulkhead secrets set OPENAI_API_KEY
              pass show openai | bulkhead secrets set OPENAI_API_KEY --note "ours"
              bulkhead secrets list
              bulkhead secrets rm OPENAI_API_KEY
              bulkhead secrets rotate
              bulkhead secrets import ~/.config/io.datasette.llm/keys.json
              bulkhead secrets import --datasette internal.db --key-file key.txt
            """,
        subcommands: [
            SecretsSetCommand.self, SecretsListCommand.self, SecretsRemoveCommand.self, SecretsRotateCommand.self,
            SecretsImportCommand.self,
        ])
}

struct SecretsSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Set a secret, or replace it.",
        discussion: """
            The value is asked for without an echo where standard input is a
            terminal, and read from it otherwise, up to its end; one line break at
            its end is left out. It is never an argument: others could see it there.

            It takes effect for the next request.

            EXAMPLES
              bulkhead secrets set OPENAI_API_KEY
              bulkhead secrets set SQL_ASSISTANT_KEY --note "for the SQL assistant"
              printf %s "$KEY" | bulkhead secrets set ANTHROPIC_API_KEY
            """)

    @OptionGroup var connection: ConnectionOptions

    @Argument(
        help: "What it is called: letters, digits, '_', '-' and '.'. As an environment variable that would hold it.")
    var name: String

    @Option(
        help: ArgumentHelp("What people should know of it. Without this the note of before stays.", valueName: "text"))
    var note: String?

    func validate() throws {
        guard SecretName.isUsable(self.name) else { throw ValidationError("The name must be \(SecretName.rule).") }
    }

    func run() async throws {
        let value = try SecretInput.read("Value of \(self.name): ")
        try await self.connection.withClient { client in
            let answer = try await client.secrets(.set(name: self.name, value: value, note: self.note))
            try SecretsText.report(answer, done: "Set")
        }
    }
}

struct SecretsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the secrets: everything but their values.",
        discussion: """
            KEY is the master key that a secret is encrypted with, USED when a
            request last carried it: one that nobody has used for long may be one
            that nobody needs. A secret that cannot be used says why; it disables
            the models that need it, and no others.

            EXAMPLES
              bulkhead secrets list
              bulkhead secrets list --json | jq -r '.[] | select(.problem).name'
            """)

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print an array of objects.")
    var json = false

    func run() async throws {
        try await self.connection.withClient { client in
            let secrets = try await client.secrets(.list).secrets ?? []
            if self.json {
                let elements = secrets.map { try! JSONValue(parsing: $0.encoded) }
                try StandardStream.output.writeLine(json: JSONValue.array(elements).serialized())
            } else {
                try StandardStream.output.writeSafely(SecretsText.table(secrets))
            }
        }
    }
}

struct SecretsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove a secret for good.",
        discussion: """
            Its record is gone from the store; copies of the file that were made
            elsewhere still have it, under the master key of their time.

            EXAMPLES
              bulkhead secrets rm OLD_KEY
            """)

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "What it is called.")
    var name: String

    func validate() throws {
        guard SecretName.isUsable(self.name) else { throw ValidationError("The name must be \(SecretName.rule).") }
    }

    func run() async throws {
        try await self.connection.withClient { client in
            try SecretsText.report(try await client.secrets(.remove(name: self.name)), done: "Removed")
        }
    }
}

struct SecretsRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Encrypt every secret with a new master key.",
        discussion: """
            A new key is made and written first, then every secret is encrypted with
            it, then the old key is dropped: whenever that is cut short, nothing is
            lost, and the next rotation completes it. A secret that cannot be read
            stays as it is, and its key is kept.

            Where the master key is a systemd credential, put a new key on its first
            line yourself (head -c 32 /dev/urandom | base64), restart the daemon,
            and rotate: everything is encrypted with the first line then.

            EXAMPLES
              bulkhead secrets rotate
            """)

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await self.connection.withClient { client in
            try SecretsText.report(try await client.secrets(.rotate), done: "Encrypted anew")
        }
    }
}
