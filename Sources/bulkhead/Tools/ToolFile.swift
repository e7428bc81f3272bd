import BulkheadClient
import Glibc

/// A file that describes a tool, or several in an array: what the model is told, and the command that is run.
///
///     {"name": "weather", "description": "The weather in a city",
///      "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
///      "command": ["./weather.sh", "--celsius"], "timeout": "30s"}
struct ToolFile {
    /// The longest file, in bytes.
    private static let bound = 1 << 20
    private static let members = ["name", "description", "input_schema", "command", "timeout"]
    private static let defaultTimeout = "60s"

    private let file: InputFile

    init(path: String) { self.file = InputFile(path: path) }

    /// Reads the tools in the file.
    func tools() throws(InputError) -> [CommandTool] {
        let value: JSONValue
        let text = try self.file.readText(bound: Self.bound)
        do { value = try JSONValue(parsing: text) } catch {
            throw InputError("\(self.file.name) is not JSON: \(error)")
        }
        let values = value.array ?? [value]
        guard !values.isEmpty else { throw InputError("there is no tool in \(self.file.name)") }
        var tools: [CommandTool] = []
        for (index, value) in values.enumerated() {
            let place = value.members != nil && values.count == 1 ? "" : "tool \(index + 1): "
            tools.append(try self.tool(value, place))
        }
        return tools
    }

    private func tool(_ value: JSONValue, _ place: String) throws(InputError) -> CommandTool {
        guard let members = value.members else {
            throw self.fault(
                place, "a tool is an object such as {\"name\": \"weather\", \"command\": [\"./weather.sh\"]}")
        }
        if let unknown = members.first(where: { !Self.members.contains($0.name) }) {
            throw self.fault(
                place, "there is no member '\(unknown.name)'; a tool has \(Self.members.joined(separator: ", "))")
        }
        guard let name = value["name"]?.string, !name.isEmpty else {
            throw self.fault(place, "the 'name' is missing: a text such as \"weather\"")
        }
        let schema =
            value["input_schema"] ?? .object([.init("type", .string("object")), .init("properties", .object([]))])
        guard schema.members != nil else {
            throw self.fault(place, "the 'input_schema' must be a JSON Schema of an object")
        }
        if let description = value["description"], description.string == nil {
            throw self.fault(place, "the 'description' must be a text")
        }
        return CommandTool(
            definition: ToolDefinition(name: name, description: value["description"]?.string, inputSchema: schema),
            command: try self.command(value["command"], place), timeout: try self.timeout(value["timeout"], place))
    }

    private func command(_ value: JSONValue?, _ place: String) throws(InputError) -> [String] {
        let words = value?.array?.compactMap(\.string) ?? []
        guard let program = words.first, !program.isEmpty, words.count == value?.array?.count else {
            throw self.fault(
                place, "the 'command' must be an array of texts: the program and its arguments, for no shell")
        }
        guard words.allSatisfy({ !$0.contains("\0") }) else {
            throw self.fault(place, "the 'command' holds a zero byte, which no program can be given")
        }
        let path = try self.path(of: program, place)
        return [path] + words.dropFirst()
    }

    /// Where the program is: a path begins at the file's folder, a name is looked up in `PATH`.
    private func path(of program: String, _ place: String) throws(InputError) -> String {
        guard program.contains("/") else {
            let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
            for folder in folders.split(separator: ":", omittingEmptySubsequences: false) {
                let path = "\(folder.isEmpty ? "." : folder)/\(program)"
                if access(path, X_OK) == 0 { return path }
            }
            throw self.fault(
                place, "there is no program '\(program)' in PATH; give a path, which begins at the file's folder")
        }
        let path = program.hasPrefix("/") ? program : self.folder + program
        guard access(path, X_OK) == 0 else {
            let reason = String(cString: strerror(errno))
            throw self.fault(place, "cannot run '\(path)': \(reason)\(errno == EACCES ? "; chmod +x it" : "")")
        }
        return path
    }

    /// With the slash at its end.
    private var folder: String {
        self.file.path.lastIndex(of: "/").map { String(self.file.path[...$0]) } ?? "./"
    }

    private func timeout(_ value: JSONValue?, _ place: String) throws(InputError) -> DurationArgument {
        guard let text = value.map(\.string) ?? Self.defaultTimeout,
            let timeout = try? DurationArgument(argument: text)
        else { throw self.fault(place, "the 'timeout' must be a text from \"1ms\" to \"24h\", such as \"30s\"") }
        return timeout
    }

    private func fault(_ place: String, _ problem: String) -> InputError {
        InputError("\(self.file.name): \(place)\(TerminalText.escaped(problem))")
    }
}
