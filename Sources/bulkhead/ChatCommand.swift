import ArgumentParser
import BulkheadClient

struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talk with a model: prompts that continue one conversation.",
        discussion: """
            Each line is a prompt. '!multi' begins one of several lines and '!end' ends
            it; after '!multi x' that is '!end x', for texts in which '!end' occurs.
            'exit', 'quit', '!quit' or Ctrl-D end the chat, and say how to go on with it
            another time.

            Ctrl-C while an answer comes cancels that answer, which leaves no trace in
            the conversation. A second Ctrl-C before the daemon has let go of it, or
            one at the prompt, ends the chat; within '!multi' it drops the lines.

            The terminal edits the line, and holds at most 4,095 bytes of one: paste
            longer ones between '!multi' and '!end', or pipe them in.

            -T lets the model call tools, as in 'bulkhead prompt'. Calls that Ctrl-C has
            interrupted count as cancelled: the model is told so with the next prompt.

            A prompt that fails says why and leaves the conversation where it was.
            After a restart of the daemon the next prompt connects again. Where the
            daemon's configuration says log.prompts: false, the conversation is kept
            by this program alone, and gone with it.

            With standard input piped, each line is a prompt too, without any other
            word around the answers; the exit status is that of the last prompt that
            failed, or 0.

            EXAMPLES
              bulkhead chat
              bulkhead chat -m gpt-4o-mini -s "You are a pirate" -o temperature 0.9
              bulkhead chat -T weather.json --td
              bulkhead chat -c
              bulkhead chat --cid 01k9x3g6ncw7jv0q8r6m2t5y4b
              printf 'Name a ship.\\nAnother one.\\n' | bulkhead chat
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var question: QuestionOptions
    @OptionGroup var mandate: PurposeOptions
    @OptionGroup var tools: ToolOptions
    @OptionGroup var answer: AnswerOptions

    func run() async throws {
        let toolbox = try self.checkedToolbox()
        try await self.connection.withClient { client in
            var template = PromptRequest(
                prompt: "", system: self.question.system, model: self.question.model, stream: !self.answer.noStream,
                options: OptionPair.object(self.question.options))
            template.mandate = self.mandate.mandate
            template.timeoutMilliseconds = self.answer.timeout?.milliseconds
            let conversation = try await self.question.conversation(client)
            template.conversation = conversation
            try await BooleanOptions.settle(&template, with: client)
            let chat = Chat(
                client, path: self.connection.path, template: template, conversation: conversation, tools: toolbox,
                options: self.answer)
            self.greet()
            Interrupts.react(chat.react(to:))
            do {
                let failure = try await chat.run()
                if let failure, !StandardInput.isTerminal { throw ExitStatus.of(failure) }
            } catch let error as InputError {
                try? StandardStream.error.writeSafely("bulkhead: \(error)\n")
                throw ExitStatus.wrongInput
            }
        }
    }

    private func checkedToolbox() throws -> Toolbox? {
        do { return try self.tools.toolbox() } catch {
            try? StandardStream.error.writeSafely("bulkhead: \(error)\n")
            throw ExitStatus.wrongInput
        }
    }

    private func greet() {
        guard StandardInput.isTerminal else { return }
        let model = self.question.model.map { "Chatting with \($0).\n" } ?? ""
        try? StandardStream.error.writeSafely(
            model + "Type 'exit' to exit, or '!multi' for several lines and then '!end'.\n")
    }
}
