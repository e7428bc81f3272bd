import ArgumentParser
import Messages

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bulkhead-bench",
        abstract: "Measure how fast a bulkheadd answers, and what that costs each of its processes.",
        discussion: """
            Without --socket it starts a daemon of its own, with a private socket, state
            directory and configuration, and stops it at the end. The programs are found
            beside this one, or in ../libexec/bulkhead and ../bin.

            EXIT STATUS
              0    measured, and every request was answered
              1    some requests failed (the report says with which errors), or nothing could be measured
              64   the command line is wrong

            EXAMPLES
              bulkhead-bench --connections 64 --durability relaxed
              bulkhead-bench --connections 64 --no-prompts
              bulkhead-bench --connections 64 --chunks 500 --chunk-bytes 32 --requests 2000
              bulkhead-bench --provider http --connections 64 --no-stream --json result.json
              bulkhead-bench --socket /run/bulkhead.sock --model echo --seconds 10
              bulkhead-bench start
              bulkhead-bench policy --connections 16 --rounds 9
            """,
        version: SoftwareVersion.current,
        subcommands: [LoadCommand.self, PolicyCommand.self, StartCommand.self, UpstreamCommand.self],
        defaultSubcommand: LoadCommand.self)
}
