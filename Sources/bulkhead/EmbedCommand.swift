import ArgumentParser
import BulkheadClient

struct EmbedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Turn texts into vectors of numbers, for comparing what they mean.",
        discussion: """
            Each -c is a text, each FILE is one, and '-' is standard input, which is read
            where neither is given. With --lines each line of the files is a text instead,
            an empty one too, so that line n of the output belongs to line n of the input.

            The vectors are printed one a line, in the order of the texts: as a JSON array
            with the provider's own digits, or as base64 or hex of 32-bit floats,
            little-endian, as llm keeps them. 'blob' prints those floats as they are, one
            vector right after the other.

            The model is -m, else the daemon's default_embedding_model. Its options are
            the provider's: 'dimensions' shortens the vectors where the model can do that
            (OpenAI, Gemini), and 'task_type' tells Gemini what they are for. Compare only
            vectors of one model, with the same options.

            More texts than --batch-size are asked for in several requests, one after the
            other, and what has come is printed before the next one. Each is on record
            ('bulkhead requests'), without the texts and the vectors. One answer holds
            16 MiB: a thousand vectors of 768 numbers, a few hundred of 3,072.

            EXAMPLES
              bulkhead embed -m text-embedding-3-small -c "hello"
              bulkhead embed -m echo-embed -c "to try it" -c "without a key"
              bulkhead embed -m gemini-embedding-001 -o task_type retrieval_document *.md
              cut -f 2 titles.tsv | bulkhead embed -m nomic-embed-text --lines > vectors.jsonl
              bulkhead embed -o dimensions 256 --format hex notes.txt
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case json, blob, base64, hex
    }

    @OptionGroup var connection: ConnectionOptions

    @Option(
        name: .shortAndLong,
        help:
            "The model: an id or an alias ('bulkhead models' lists them). Default: the daemon's default_embedding_model."
    )
    var model: String?

    @OptionGroup var mandate: PurposeOptions

    @Option(
        name: .shortAndLong, help: ArgumentHelp("A text. May be repeated.", valueName: "text"))
    var content: [String] = []

    @Flag(name: .shortAndLong, help: "Take each line of the input as a text of its own.")
    var lines = false

    @Option(
        name: [.customShort("o"), .customLong("option")],
        help: ArgumentHelp(
            "An option of the model, as two arguments: -o dimensions 256. May be repeated.", valueName: "key> <value"),
        transform: OptionPair.init(argument:))
    var options: [OptionPair] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("How vectors are printed.", valueName: "format"))
    var format = Format.json

    @Option(help: ArgumentHelp("How many texts go into one request.", valueName: "n"))
    var batchSize = 100

    @Flag(name: .shortAndLong, help: "Show on standard error how many tokens were used.")
    var usage = false

    @Option(
        help: ArgumentHelp("Give up on a request after this long: 500ms, 30s, 10m, 1h.", valueName: "duration"),
        transform: DurationArgument.init(argument:))
    var timeout: DurationArgument?

    @Flag(help: "Print the daemon's frames instead of the vectors, each as one line of JSON.")
    var json = false

    @Argument(help: ArgumentHelp("The files to embed; '-' is standard input.", valueName: "file"))
    var files: [String] = []

    func validate() throws {
        guard (1...BulkheadClient.embedInputs).contains(self.batchSize) else {
            throw ValidationError("--batch-size is 1 to \(BulkheadClient.embedInputs).")
        }
        guard self.files.count(where: { $0 == "-" }) <= 1 else {
            throw ValidationError("Standard input can be read once; '-' is given more than once.")
        }
        guard self.content.isEmpty || !self.lines || !self.files.isEmpty else {
            throw ValidationError("--lines is for files: give one, or '-' for standard input.")
        }
    }

    func run() async throws {
        let isPiped = self.content.isEmpty && self.files.isEmpty
        var input = EmbedInput(
            texts: self.content, files: isPiped ? ["-"] : self.files,
            isByLines: self.lines, bound: BulkheadClient.requestBound)
        var batch = try self.nextBatch(&input)
        guard !batch.isEmpty, !isPiped || self.lines || batch != [""] else {
            throw ValidationError("Nothing to embed: give a text with -c or a file, or pipe one in.")
        }
        try await self.connection.withClient { client in
            var usage: Usage?
            while !batch.isEmpty {
                if let used = try await self.embed(batch, client) { usage = usage?.adding(used) ?? used }
                batch = try self.nextBatch(&input)
            }
            if self.usage { try StandardStream.error.writeSafely(UsageText.make(usage) + "\n") }
        }
    }

    /// Half of what a request holds: a text may be twice as long in JSON, or longer, which the request itself finds out.
    private func nextBatch(_ input: inout EmbedInput) throws -> [String] {
        do throws(InputError) {
            return try input.next(self.batchSize, bytes: BulkheadClient.requestBound / 2)
        } catch {
            try? StandardStream.error.writeSafely("bulkhead: \(error)\n")
            throw ExitStatus.wrongInput
        }
    }

    /// Asks for the vectors of some texts, prints them, and returns what that used.
    private func embed(_ texts: [String], _ client: BulkheadClient) async throws -> Usage? {
        var request = EmbedRequest(texts, model: self.model, options: OptionPair.object(self.options))
        request.mandate = self.mandate.mandate
        request.timeoutMilliseconds = self.timeout?.milliseconds
        let answer = client.answer(to: request)
        Interrupts.onFirst { answer.cancel() }
        var usage: Usage?
        for try await frame in answer.frames {
            if self.json { try StandardStream.output.writeLine(json: frame.payload) }
            if case .error(let failure, _, _) = frame.event { throw ClientError.failure(failure) }
            guard case .done(let completion) = frame.event else { continue }
            usage = completion.usage
            if !self.json { try self.print(try Embeddings(completion)) }
        }
        return usage
    }

    private func print(_ embeddings: Embeddings) throws {
        var output: [UInt8] = []
        for vector in embeddings.vectors {
            switch self.format {
            case .json: output += vector.json
            case .blob: output += vector.blob
            case .base64: output += vector.base64.utf8
            case .hex: output += vector.hex.utf8
            }
            if self.format != .blob { output.append(UInt8(ascii: "\n")) }
        }
        try StandardStream.output.write(output)
    }
}
