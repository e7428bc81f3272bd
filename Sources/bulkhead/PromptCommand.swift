import ArgumentParser
import BulkheadClient

struct PromptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prompt",
        abstract: "Ask a model, and print the answer as it comes.",
        discussion: """
            What is piped in comes before TEXT, on lines of its own. Reasoning is
            shown dimmed on standard error if that is a terminal; a tool call is
            printed as a line of JSON.

            Every prompt is on record as part of a conversation, which -c goes on with:
            the model gets what was said before, and is the one that answered last,
            unless -m names another. The system prompt is that of the beginning. 'start'
            and 'done' of --json name the conversation, for --cid. A conversation can be
            continued by the user who began it, from any terminal, and after a restart
            of the daemon; not where the daemon's configuration says log.prompts: false.

            EXAMPLES
              bulkhead prompt "Ten names for a pelican"
              bulkhead prompt -c "Shorter ones, please"
              bulkhead prompt --cid 01k9x3g6ncw7jv0q8r6m2t5y4b "And for two of them?"
              bulkhead prompt -s "In French, please" -o temperature 0.2 "hello"
              cat error.log | bulkhead prompt "What went wrong?"
              bulkhead prompt --timeout 30s --no-stream "hello"
              bulkhead prompt --json "hello"
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(
        name: .shortAndLong, help: "The model: an id or an alias ('bulkhead models' lists them). Default: the daemon's."
    )
    var model: String?

    @Option(name: .shortAndLong, help: "The system prompt.")
    var system: String?

    @Flag(name: [.customShort("c"), .customLong("continue")], help: "Continue your newest conversation.")
    var continuesNewest = false

    @Option(
        name: [.customLong("cid"), .customLong("conversation")],
        help: ArgumentHelp("Continue this conversation.", valueName: "id"))
    var conversation: String?

    @Option(
        name: [.customShort("o"), .customLong("option")],
        help: ArgumentHelp(
            "An option of the model, as two arguments. A value that is JSON is taken as that (numbers, true, false, null), any "
                + "other as a string. May be repeated.", valueName: "key> <value"),
        transform: OptionPair.init(argument:))
    var options: [OptionPair] = []

    @Flag(help: "Wait for the whole answer instead of printing it as it comes.")
    var noStream = false

    @Flag(help: "Print the daemon's frames instead of the answer, each as one line of JSON.")
    var json = false

    @Flag(name: [.customShort("R"), .long], help: "Do not show reasoning.")
    var hideReasoning = false

    @Option(
        help: ArgumentHelp("Give up after this long: 500ms, 30s, 10m, 1h.", valueName: "duration"),
        transform: DurationArgument.init(argument:))
    var timeout: DurationArgument?

    @Argument(help: ArgumentHelp("The prompt.", valueName: "text"))
    var text: String?

    func validate() throws {
        guard !self.continuesNewest || self.conversation == nil else {
            throw ValidationError("Which conversation? Give either -c, for the newest one, or --cid ID.")
        }
    }

    func run() async throws {
        let question = try self.makeRequest()
        try await self.connection.withClient { client in
            var request = question
            if self.continuesNewest { request.conversation = try await Self.newestConversation(client) }
            let answer = client.prompt(request)
            Interrupts.onFirst { answer.cancel() }
            if self.json {
                try await self.printFrames(of: answer)
            } else {
                try await self.printText(of: answer)
            }
        }
    }

    private func makeRequest() throws -> PromptRequest {
        let piped = StandardInput.isTerminal ? [] : StandardInput.read(bound: BulkheadClient.requestBound)
        let parts = [String(decoding: piped, as: UTF8.self), self.text ?? ""].filter { !$0.isEmpty }
        guard !parts.isEmpty || self.system != nil else {
            throw ValidationError("Nothing to ask: give a text, or pipe one in.")
        }
        // What was piped in ends its own line.
        let prompt = parts.joined(separator: parts[0].hasSuffix("\n") ? "" : "\n")
        var request = PromptRequest(
            prompt: prompt, system: self.system, model: self.model, stream: !self.noStream,
            options: OptionPair.object(self.options), conversation: self.conversation)
        request.timeoutMilliseconds = self.timeout?.milliseconds
        return request
    }

    private static func newestConversation(_ client: BulkheadClient) async throws -> String {
        guard let conversation = try await client.newestConversation() else {
            throw ClientError.failure(
                Failure(.notFound, "there is no conversation of yours on record; leave -c out to begin one"))
        }
        return conversation
    }

    private func printText(of answer: Answer) async throws {
        var printer = AnswerPrinter(hidesReasoning: self.hideReasoning)
        do {
            for try await event in answer { try printer.print(event) }
        } catch let error as ClientError {
            try printer.finish()
            throw error
        }
        try printer.finish()
    }

    private func printFrames(of answer: Answer) async throws {
        for try await frame in answer.frames {
            try StandardStream.output.write(Text.line(json: frame.payload))
            if case .error(let failure, _, _) = frame.event { throw ClientError.failure(failure) }
        }
    }
}
