import ArgumentParser
import BulkheadClient

/// Which model answers, under which system prompt, in which conversation.
struct QuestionOptions: ParsableArguments {
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
            "An option of the model, as two arguments (bulkhead models --options). A value that is JSON is taken as that, any "
                + "other as a string. May be repeated.", valueName: "key> <value"),
        transform: OptionPair.init(argument:))
    var options: [OptionPair] = []

    func validate() throws {
        guard !self.continuesNewest || self.conversation == nil else {
            throw ValidationError("Which conversation? Give either -c, for the newest one, or --cid ID.")
        }
    }

    /// Whether a conversation is continued.
    var continuesOne: Bool { self.continuesNewest || self.conversation != nil }

    /// The conversation to continue; `nil` begins one.
    func conversation(_ client: BulkheadClient) async throws(ClientError) -> String? {
        guard self.continuesNewest else { return self.conversation }
        guard let conversation = try await client.newestConversation() else {
            throw ClientError.failure(
                Failure(.notFound, "there is no conversation of yours on record; leave -c out to begin one"))
        }
        return conversation
    }
}
