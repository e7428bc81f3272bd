import ArgumentParser
import BulkheadClient

struct PromptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prompt",
        abstract: "Ask a model, and print the answer as it comes.",
        discussion: """
            What is piped in comes before TEXT, on lines of its own, and the files of
            -f before both. Reasoning is shown dimmed on standard error if that is a
            terminal; a tool call is printed as a line of JSON. On a terminal, control
            characters in an answer are shown as escapes such as \\x1B.

            -a sends the bytes of a file, which must be known by their content: a PNG,
            a PDF, a text. Where they are not, --at names the media type. A URL is sent
            as a URL; the provider fetches it. All that is sent must fit into 16 MiB,
            files a third larger than they are. Which types a model can be shown is up
            to the model.

            --schema takes a JSON Schema, or llm's short form: fields with a name,
            perhaps a type (str, int, float, bool) and after a colon a description,
            between commas or line breaks. The answer is a JSON object of that form.
            With --schema-multi it is one with the member 'items', an array of them.

            -x prints only what stands between the first ``` and the next, and --xl
            the last such block; the whole answer where there is none.

            -T names a JSON file that describes a tool, or an array of them, and the
            command that is run when the model calls it:

              {
                "name": "weather",
                "description": "The weather in a city, today",
                "input_schema": {
                  "type": "object",
                  "properties": {"city": {"type": "string"}},
                  "required": ["city"]
                },
                "command": ["./weather.sh", "--celsius"],
                "timeout": "30s"
              }

            A relative path of the command begins at the file's folder; a name without
            a slash is looked up in PATH. There is no shell. The command reads the
            arguments as a JSON object from its standard input, has the call's id in
            BULKHEAD_TOOL_CALL_ID, and what it prints is the result, up to 1 MiB. If it
            ends with another status than 0, or takes longer than its timeout (60s
            unless the file says otherwise), the model is told so, with the end of what
            it wrote to standard error. The calls of one answer run at the same time.
            The model is then asked again with the results, until it calls nothing, but
            no more than --chain-limit times in all. Only the text is printed; --td shows
            calls and results, and --ta asks before each call. Ctrl-C ends the commands
            too. Where tools were interrupted, -c with -T and no text goes on with them.

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
              bulkhead prompt -a photo.jpg -a https://example.com/map.png "Where is it?"
              pdftoppm -png -r 72 page.pdf | bulkhead prompt -a - "What is drawn here?"
              bulkhead prompt --at notes.txt text/plain "Summarise this"
              bulkhead prompt --schema "name, age int: in years" "Invent a dog"
              bulkhead prompt --schema-multi dog.schema.json "Invent three dogs"
              bulkhead prompt -f main.c -f main.h -x "Fix the bug" > fixed.c
              bulkhead prompt -T weather.json --td "Shall I take an umbrella in Oslo?"
              bulkhead prompt -T shell.json --ta --cl 0 "Which of my disks is full?"
              bulkhead prompt -p enrichments --actor ada "In which country is Bergen?"
              bulkhead prompt --timeout 30s --no-stream --usage "hello"
              bulkhead prompt --json "hello"
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var question: QuestionOptions
    @OptionGroup var mandate: PurposeOptions
    @OptionGroup var content: ContentOptions
    @OptionGroup var tools: ToolOptions
    @OptionGroup var answer: AnswerOptions

    @Flag(name: [.customShort("x"), .customLong("extract")], help: "Print only the first fenced block of the answer.")
    var extractsFirst = false

    @Flag(name: [.customLong("xl"), .customLong("extract-last")], help: "Print only the last fenced block.")
    var extractsLast = false

    @Flag(help: "Print the daemon's frames instead of the answer, each as one line of JSON.")
    var json = false

    @Argument(help: ArgumentHelp("The prompt.", valueName: "text"))
    var text: String?

    func validate() throws {
        guard [self.json, self.extractsFirst, self.extractsLast].count(where: { $0 }) <= 1 else {
            throw ValidationError("--json, -x and --xl exclude each other.")
        }
    }

    func run() async throws {
        let (question, toolbox) = try self.checkedQuestion()
        try await self.connection.withClient { client in
            var request = question
            request.conversation = try await self.question.conversation(client)
            try await BooleanOptions.settle(&request, with: client)
            let reply = Reply(client, request, tools: toolbox)
            Interrupts.onFirst { reply.cancel() }
            if self.json {
                try await self.printFrames(of: reply)
            } else {
                var printer = AnswerPrinter(
                    hidesReasoning: self.answer.hideReasoning, showsUsage: self.answer.usage,
                    showsToolCalls: toolbox == nil, extracts: self.extraction)
                try await printer.printAll(of: reply.frames)
            }
        }
    }

    private var extraction: AnswerPrinter.Extraction? {
        self.extractsFirst ? .first : self.extractsLast ? .last : nil
    }

    private func checkedQuestion() throws -> (PromptRequest, Toolbox?) {
        do {
            let toolbox = try self.tools.toolbox()
            return (try self.makeRequest(tools: toolbox?.tools ?? []), toolbox)
        } catch let error as InputError {
            try? StandardStream.error.writeSafely("bulkhead: \(error)\n")
            throw ExitStatus.wrongInput
        }
    }

    private func makeRequest(tools: [Tool]) throws -> PromptRequest {
        let text = self.pipedAndText()
        let isResumed = self.question.continuesOne && !tools.isEmpty
        guard !text.isEmpty || self.question.system != nil || !self.content.isEmpty || isResumed else {
            throw ValidationError("Nothing to ask: give a text, or pipe one in.")
        }
        var request = PromptRequest(
            prompt: try self.content.prompt(text), system: self.question.system, model: self.question.model,
            stream: !self.answer.noStream, options: OptionPair.object(self.question.options),
            attachments: try self.content.allAttachments(), schema: try self.content.jsonSchema(),
            tools: tools.map(\.definition))
        request.mandate = self.mandate.mandate
        request.timeoutMilliseconds = self.answer.timeout?.milliseconds
        guard request.length <= BulkheadClient.requestBound else {
            throw InputError(
                "all together has \(Text.size(bytes: request.length)) as it would be sent, and a request holds at most "
                    + "\(Text.size(bytes: BulkheadClient.requestBound)); send less")
        }
        return request
    }

    /// What was piped in and the text of the command line, each on lines of its own.
    private func pipedAndText() -> String {
        let isPiped = !StandardInput.isTerminal && !self.content.readsStandardInput
        let piped = isPiped ? StandardInput.read(bound: BulkheadClient.requestBound) : []
        let parts = [String(decoding: piped, as: UTF8.self), self.text ?? ""].filter { !$0.isEmpty }
        // What was piped in ends its own line.
        return parts.joined(separator: parts.first?.hasSuffix("\n") == true ? "" : "\n")
    }

    private func printFrames(of reply: Reply) async throws {
        var usage: Usage?
        for try await frame in reply.frames {
            try StandardStream.output.writeLine(json: frame.payload)
            usage = frame.event.usage.map { usage?.adding($0) ?? $0 } ?? usage
            switch frame.event {
            case .done:
                if self.answer.usage { try? StandardStream.error.writeSafely(UsageText.make(usage) + "\n") }
            case .error(let failure, _, _): throw ClientError.failure(failure)
            case .start, .text, .reasoning, .toolCall, .toolResult, .metadata, .round, .unknown: break
            }
        }
    }
}
