import ArgumentParser
import BulkheadClient

/// The command line client. It asks the daemon and opens none of its files.
struct BulkheadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bulkhead",
        abstract: "Ask language models through the bulkheadd of this host.",
        discussion: """
            bulkhead "hello" is short for bulkhead prompt "hello".

            The daemon is found at --socket, else at $BULKHEAD_SOCKET, else at
            $XDG_RUNTIME_DIR/bulkhead.sock, else (and always as root) at
            /run/bulkhead.sock.

            EXIT STATUS
              0    the daemon answered
              1    the request failed; 'bulkhead: CODE: MESSAGE' on standard error says why
              64   the command line, or a file that it names, is wrong
              69   the daemon cannot be reached
              75   the request failed, and the same request may succeed later
              130  interrupted by Ctrl-C (143 by SIGTERM); the request was cancelled
              141  standard output was closed, as by head; the request was cancelled

            EXAMPLES
              bulkhead "Ten names for a pelican"
              bulkhead -c "Shorter ones, please"
              bulkhead -a photo.jpg "What is this?"
              bulkhead -T weather.json "Shall I take an umbrella in Oslo?"
              bulkhead chat -m gpt-4o-mini
              git diff | bulkhead -s "Write a commit message"
              bulkhead prompt -m gpt-4o-mini -o temperature 0.2 "hello"
              bulkhead prompt --json "hello" | jq -r 'select(.event=="done").usage'
              bulkhead prompt -p enrichments "In which country is Bergen?"
              bulkhead explain -p enrichments
              bulkhead embed -m text-embedding-3-small -c "hello"
              bulkhead logs -n 1
              bulkhead status
            """,
        version: BulkheadClient.version,
        subcommands: [
            PromptCommand.self, ChatCommand.self, EmbedCommand.self, LogsCommand.self, RequestsCommand.self,
            ModelsCommand.self, PurposesCommand.self, WhoamiCommand.self, ExplainCommand.self, StatusCommand.self,
            PingCommand.self, ConfigCommand.self, SecretsCommand.self, ReloadCommand.self, DrainCommand.self,
        ],
        defaultSubcommand: PromptCommand.self)
}
