import ArgumentParser
import BulkheadClient
import Glibc

struct SecretsImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import the keys of llm, or the secrets of Datasette.",
        discussion: """
            FILE is llm's keys.json: an object of names and keys ('llm keys path'
            says where it is). The names stay as they are: the key of a provider is
            found under its name and its type too, such as 'openai'.

            With --datasette, FILE is the internal database of a Datasette with
            datasette-secrets. Of each secret the newest version is taken, unless
            that is deleted. The Fernet key is read from
            $DATASETTE_SECRETS_ENCRYPTION_KEY or from --key-file; the daemon
            decrypts with it, and forgets it.

            What has the same name is replaced. What cannot be imported is listed
            with the reason, and the exit status is 1 then.

            EXAMPLES
              bulkhead secrets import ~/.config/io.datasette.llm/keys.json
              bulkhead secrets import --datasette internal.db
              bulkhead secrets import --datasette internal.db --key-file key.txt
            """)

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: ArgumentHelp("llm's keys.json; '-' is standard input.", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("Datasette's internal database.", valueName: "file"))
    var datasette: String?

    @Option(help: ArgumentHelp("With --datasette: where the Fernet key is; '-' is standard input.", valueName: "file"))
    var keyFile: String?

    func validate() throws {
        guard (self.file == nil) != (self.datasette == nil) else {
            throw ValidationError("Name llm's keys.json, or Datasette's database with --datasette.")
        }
        guard self.keyFile == nil || self.datasette != nil else {
            throw ValidationError("--key-file goes with --datasette.")
        }
    }

    func run() async throws {
        let action: SecretsAction
        do throws(InputError) { action = try self.action() } catch {
            try? StandardStream.error.writeSafely("bulkhead: \(error)\n")
            throw ExitStatus.wrongInput
        }
        var hasSkipped = false
        try await self.connection.withClient { client in
            let answer = try await client.secrets(action)
            hasSkipped = !answer.skipped.isEmpty
            try SecretsText.report(answer, done: "Imported")
        }
        if hasSkipped { throw ExitStatus.failed }
    }

    private func action() throws(InputError) -> SecretsAction {
        if let file = self.file {
            let text = try InputFile(path: file).readText(bound: SecretImport.bound)
            return .importValues(try SecretImport.keys(of: text, named: InputFile(path: file).name))
        }
        let key = try self.fernetKey()
        return .importTokens(try DatasetteTokens.read(self.datasette!), fernetKey: key)
    }

    private static let keyVariable = "DATASETTE_SECRETS_ENCRYPTION_KEY"

    private func fernetKey() throws(InputError) -> String {
        let text =
            if let file = self.keyFile {
                try InputFile(path: file).readText(bound: 4096)
            } else {
                getenv(Self.keyVariable).map { String(cString: $0) } ?? ""
            }
        // Not for the program that is started next.
        unsetenv(Self.keyVariable)
        let key = text.split { $0 == "\n" || $0 == "\r" || $0 == " " }.first.map(String.init)
        guard let key else {
            throw InputError("there is no Fernet key: set \(Self.keyVariable), or name a file with --key-file")
        }
        return key
    }
}

/// The keys that a file of llm's holds.
enum SecretImport {
    /// The longest file, in bytes.
    static let bound = 512 << 10

    /// llm writes a remark under this name.
    private static let remark = "// Note"

    static func keys(of text: String, named name: String) throws(InputError) -> [SecretsAction.Entry] {
        guard let members = (try? JSONValue(parsing: text))?.members else {
            throw InputError("\(name) is no JSON object of names and keys, as llm's keys.json is")
        }
        var entries: [SecretsAction.Entry] = []
        for member in members where member.name != Self.remark {
            guard let value = member.value.string else {
                throw InputError("'\(TerminalText.escaped(member.name))' in \(name) is no text")
            }
            entries.append(SecretsAction.Entry(name: member.name, value: value))
        }
        guard !entries.isEmpty else { throw InputError("\(name) holds no key") }
        return entries
    }
}
