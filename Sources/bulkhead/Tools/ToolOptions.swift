import ArgumentParser
import BulkheadClient

/// The tools that a model may call, and how that is watched.
struct ToolOptions: ParsableArguments {
    @Option(
        name: [.customShort("T"), .long],
        help: ArgumentHelp(
            "Let the model call this tool: a JSON file that describes it and names the command that is run. May be repeated.",
            valueName: "file"))
    var tool: [String] = []

    @Option(
        name: [.customLong("cl"), .customLong("chain-limit")],
        help: ArgumentHelp(
            "How often the model may be asked, its calls between; 0 for as often as it likes.", valueName: "count"))
    var chainLimit = 5

    @Flag(
        name: [.customLong("td"), .customLong("tools-debug")],
        help: "Show each tool call and its result on standard error.")
    var showsCalls = false

    @Flag(
        name: [.customLong("ta"), .customLong("tools-approve")],
        help: "Ask on the terminal before each tool call. A call that is denied is reported to the model.")
    var asksForApproval = false

    /// The longest wait for the results of a round: what the commands may take is in their files.
    private static let toolTimeout = Duration.seconds(24 * 3600)

    func validate() throws {
        guard (0...1000).contains(self.chainLimit) else {
            throw ValidationError("--chain-limit is a number from 0 to 1000; 0 means that there is no limit.")
        }
        guard !self.tool.contains("-") else {
            throw ValidationError("--tool takes a file; standard input is for the prompt.")
        }
        guard !self.tool.isEmpty || !(self.showsCalls || self.asksForApproval) else {
            throw ValidationError("--td and --ta are about tools, and there is none; name one with --tool FILE.")
        }
    }

    /// How the tools are run; `nil` where there is none.
    func toolbox() throws(InputError) -> Toolbox? {
        var tools: [CommandTool] = []
        for path in self.tool { tools += try ToolFile(path: path).tools() }
        guard !tools.isEmpty else { return nil }
        var names: Set<String> = []
        for tool in tools where !names.insert(tool.definition.name).inserted {
            throw InputError("two tools are called '\(TerminalText.escaped(tool.definition.name))'; rename one of them")
        }
        var options = ChainOptions()
        options.limit = self.chainLimit
        options.toolTimeout = Self.toolTimeout
        if self.asksForApproval {
            let approval = try ToolApproval()
            options.beforeCall = { _, call in try await approval.ask(for: call) }
        }
        if self.showsCalls { options.afterCall = { _, call, result in ToolCallText.show(call, result) } }
        return Toolbox(tools: tools.map(\.tool), options: options)
    }
}

/// Tools, and how a chain runs them.
struct Toolbox: Sendable {
    let tools: [Tool]
    let options: ChainOptions
}
