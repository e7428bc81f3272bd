import ArgumentParser
import BulkheadClient

/// What goes to the model beside the text of the prompt.
struct ContentOptions: ParsableArguments {
    @Option(
        name: [.customShort("a"), .customLong("attachment")],
        help: ArgumentHelp(
            "Show this to the model: a file, a URL, or - for standard input. The type is known by the content. May be repeated.",
            valueName: "file"),
        transform: AttachmentArgument.init(argument:))
    var attachments: [AttachmentArgument] = []

    @Option(
        name: [.customLong("at"), .customLong("attachment-type")],
        help: ArgumentHelp(
            "The same with its media type, as two arguments: --at scan.bin image/jpeg. May be repeated.",
            valueName: "file> <type"),
        transform: AttachmentArgument.init(pair:))
    var typedAttachments: [AttachmentArgument] = []

    @Option(
        name: [.customShort("f"), .customLong("fragment")],
        help: ArgumentHelp(
            "Put this text before the prompt: a file, or - for standard input. May be repeated.", valueName: "file"))
    var fragments: [String] = []

    @Option(
        help: ArgumentHelp(
            "What the answer must look like: a JSON Schema, fields such as 'name, age int: in years', or a file with either.",
            valueName: "schema"))
    var schema: String?

    @Option(
        help: ArgumentHelp("The same for any number of such objects, as {\"items\": […]}.", valueName: "schema"))
    var schemaMulti: String?

    func validate() throws {
        guard self.schema == nil || self.schemaMulti == nil else {
            throw ValidationError("--schema is for one object and --schema-multi for several; give one of the two.")
        }
        guard self.standardInputReaders <= 1 else {
            throw ValidationError("Standard input can be read once; '-' is given more than once.")
        }
        if let url = self.fragments.first(where: { $0.contains("://") }) {
            throw ValidationError(
                "-f takes a file, and '\(url)' is a URL: fetch it first, as in curl URL | bulkhead -f -")
        }
    }

    /// Whether there is something to ask, though no text is given.
    var isEmpty: Bool { self.attachments.isEmpty && self.typedAttachments.isEmpty && self.fragments.isEmpty }

    /// Whether standard input is named, so that it is not the prompt.
    var readsStandardInput: Bool { self.standardInputReaders > 0 }

    private var standardInputReaders: Int {
        (self.attachments + self.typedAttachments).count(where: \.readsStandardInput)
            + (self.fragments + [self.schema, self.schemaMulti].compactMap { $0 }).count { $0 == "-" }
    }

    /// The fragments and the text, joined as llm joins them.
    func prompt(_ text: String) throws(InputError) -> String {
        var parts: [String] = []
        for fragment in self.fragments {
            parts.append(try InputFile(path: fragment).readText(bound: BulkheadClient.requestBound))
        }
        if !text.isEmpty { parts.append(text) }
        return parts.joined(separator: "\n")
    }

    /// What is attached: first what has no type of its own, as llm orders it.
    func allAttachments() throws(InputError) -> [Attachment] {
        var all: [Attachment] = []
        for argument in self.attachments + self.typedAttachments { all.append(try argument.attachment()) }
        return all
    }

    func jsonSchema() throws(InputError) -> JSONValue? {
        if let schema = self.schema { return try SchemaArgument.schema(schema) }
        return try self.schemaMulti.map { schema throws(InputError) in
            SchemaArgument.multiple(try SchemaArgument.schema(schema))
        }
    }
}
