import JSON
import Messages
import Testing

/// The pages, schemas and examples of proto/ and the Swift of Messages say the same.
struct ProtocolDriftTests {
    @Test func everyMessageHasASectionASchemaAnExampleAndSwift() throws {
        var documented: [String] = []
        var described: [String] = []
        for name in ProtocolFolder.protocols {
            let sections = try PageSection.sections(of: "\(name).md").map(\.heading)
            let messages = try ProtocolFolder.messages(of: name)
            #expect(sections.sorted() == messages.sorted(), "\(name).md and its schema name different messages")
            documented += sections
            described += messages
        }
        #expect(Set(documented).count == documented.count, "a message has two sections")
        #expect(try ProtocolFolder.names(in: "examples") == described.sorted())
        #expect(CataloguedMessage.all.map(\.name).sorted() == described.sorted())
    }

    @Test(arguments: CataloguedMessage.all)
    func everyExampleFitsItsSchemaAndIsReadAndWrittenAgain(_ message: CataloguedMessage) throws {
        let schema = JSONSchema(
            root: try ProtocolFolder.json("schemas/\(ProtocolFolder.home(of: message.name)).schema.json"))
        let examples = try ProtocolFolder.examples(of: message.name)
        #expect(!examples.isEmpty)
        for (path, bytes) in examples {
            #expect(path.hasSuffix(".json"))
            let value = try JSONValue(parsing: bytes)
            #expect(schema.problems(of: value, as: message.name) == [], "\(path)")
            let again = try JSONValue(parsing: message.recode(bytes))
            #expect(again.sorted.text() == Self.withoutDefaults(value, of: message.name).sorted.text(), "\(path)")
        }
    }

    /// Null means absent in a request, and a prompt is streamed unless it says otherwise.
    private static func withoutDefaults(_ value: JSONValue, of message: String) -> JSONValue {
        guard message == "PromptRequest", let members = value.members else { return value }
        return .object(members.filter { !$0.value.isNull && !($0.name == "stream" && $0.value == .bool(true)) })
    }

    @Test(arguments: CataloguedMessage.all)
    func swiftWritesExactlyTheMembersOfTheSchema(_ message: CataloguedMessage) throws {
        let schema = JSONSchema(
            root: try ProtocolFolder.json("schemas/\(ProtocolFolder.home(of: message.name)).schema.json"))
        let value = try JSONValue(parsing: message.fullest)
        if message.name == "StatusDone" {
            // The supervisor writes what is inside; an example has it.
            #expect(value.members?.map(\.name).sorted() == ["event", "id", "status"])
        } else {
            #expect(schema.problems(of: value, as: message.name) == [])
            Self.compareMembers(value, schema.root["$defs"]![message.name]!, schema, at: message.name)
        }
    }

    private static func compareMembers(_ value: JSONValue, _ unresolved: JSONValue, _ root: JSONSchema, at path: String)
    {
        let schema = root.resolve(unresolved)
        if let members = value.members, let properties = schema["properties"]?.members {
            #expect(members.map(\.name).sorted() == properties.map(\.name).sorted(), "\(path)")
            for member in members {
                if let property = schema["properties"]?[member.name] {
                    Self.compareMembers(member.value, property, root, at: "\(path).\(member.name)")
                }
            }
        } else if let elements = value.array, let items = schema["items"] {
            for element in elements { Self.compareMembers(element, items, root, at: "\(path)[]") }
        }
    }

    @Test(arguments: ProtocolFolder.protocols)
    func theTablesOfASectionNameTheMembersOfItsSchema(_ name: String) throws {
        let schema = JSONSchema(root: try ProtocolFolder.json("schemas/\(name).schema.json"))
        for section in try PageSection.sections(of: "\(name).md") {
            let definition = try #require(schema.root["$defs"]?[section.heading])
            let properties = definition["properties"]?.members ?? []
            let fields = section.rows.filter { $0.table == "Field" }.flatMap { $0.cells[0].codeWords }
            #expect(fields.sorted() == properties.map(\.name).sorted(), "\(section.heading) in \(name).md")

            for (table, cells) in section.rows where table != "Field" {
                let member = try #require(table.codeWords.first ?? (table == "In a provider" ? "providers" : nil))
                let inner = try #require(Self.definition(member, in: schema))
                for word in cells[0].codeWords {
                    #expect(inner["properties"]?[word] != nil, "\(word) of \(table), \(section.heading) in \(name).md")
                }
                let rows = section.rows.filter { $0.table == table }.flatMap { $0.cells[0].codeWords }
                #expect(
                    rows.sorted() == inner["properties"]?.members?.map(\.name).sorted(),
                    "\(table) in \(section.heading)")
            }
        }
    }

    /// The object that a member of that name is, or is an array of.
    private static func definition(_ member: String, in schema: JSONSchema) -> JSONValue? {
        for definition in schema.root["$defs"]?.members ?? [] {
            guard let property = definition.value["properties"]?[member] else { continue }
            let resolved = schema.resolve(property)
            let object = resolved["items"].map(schema.resolve) ?? resolved
            if object["properties"] != nil { return object }
        }
        return nil
    }

    @Test(arguments: ProtocolFolder.protocols)
    func theExamplesInThePagesFitTheirSchemasToo(_ name: String) throws {
        let schema = JSONSchema(root: try ProtocolFolder.json("schemas/\(name).schema.json"))
        for section in try PageSection.sections(of: "\(name).md") {
            #expect(!section.examples.isEmpty, "\(section.heading) in \(name).md has no example")
            for text in section.examples {
                let value = try JSONValue(parsing: text)
                #expect(schema.problems(of: value, as: section.heading) == [], "\(section.heading) in \(name).md")
                let message = try #require(CataloguedMessage.all.first { $0.name == section.heading })
                _ = try message.recode(Array(text.utf8))
            }
        }
    }

    @Test func anUnknownMemberIsRefusedWhereTheSchemaSaysSo() throws {
        for name in ProtocolFolder.protocols {
            let schema = try ProtocolFolder.json("schemas/\(name).schema.json")
            for message in try ProtocolFolder.messages(of: name) {
                let isStrict = schema["$defs"]?[message]?["additionalProperties"]?.bool == false
                let catalogued = try #require(CataloguedMessage.all.first { $0.name == message })
                for (path, bytes) in try ProtocolFolder.examples(of: message) {
                    guard case .object(let members) = try JSONValue(parsing: bytes) else { continue }
                    let more = JSONValue.object(members + [.init("later", .integer(1))]).serialized()
                    #expect(((try? catalogued.recode(more)) == nil) == isStrict, "\(path)")
                }
            }
        }
    }

    @Test func everyExampleOfAnEventIsTheLastOfItsRequestOrNot() throws {
        for message in try ProtocolFolder.messages(of: "client") where !message.hasSuffix("Request") {
            for (path, bytes) in try ProtocolFolder.examples(of: message) {
                let isLast = ["DoneEvent", "ErrorEvent"].contains(message) || message.hasSuffix("Done")
                #expect(try ClientEvent(decoding: bytes).isLast == isLast, "\(path)")
            }
        }
    }
}
