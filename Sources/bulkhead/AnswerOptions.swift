import ArgumentParser

/// How an answer comes.
struct AnswerOptions: ParsableArguments {
    @Flag(help: "Wait for the whole answer instead of printing it as it comes.")
    var noStream = false

    @Flag(name: [.customShort("R"), .long], help: "Do not show reasoning.")
    var hideReasoning = false

    @Flag(name: .shortAndLong, help: "Show on standard error how many tokens were used.")
    var usage = false

    @Option(
        help: ArgumentHelp("Give up after this long: 500ms, 30s, 10m, 1h.", valueName: "duration"),
        transform: DurationArgument.init(argument:))
    var timeout: DurationArgument?
}
