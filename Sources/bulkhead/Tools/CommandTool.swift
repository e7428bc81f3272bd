import BulkheadClient

/// A tool that is a command: it reads the arguments as JSON from its standard input, and what it prints is the output.
struct CommandTool: Sendable {
    var definition: ToolDefinition
    /// The program's path, and its arguments.
    var command: [String]
    var timeout: DurationArgument

    /// The tool as a chain runs it. Cancelling the task ends the command.
    var tool: Tool {
        Tool(
            name: self.definition.name, description: self.definition.description,
            inputSchema: self.definition.inputSchema
        ) { input in
            let end = await self.run(input.call)
            if let failure = end.failure(timeout: self.timeout) { throw ToolError(failure, type: "CommandFailed") }
            return ToolOutput(end.output)
        }
    }

    private func run(_ call: ToolCall) async -> CommandEnd {
        let run = CommandRun(
            self.command, input: call.arguments, environment: ["BULKHEAD_TOOL_CALL_ID": call.id],
            timeoutMilliseconds: self.timeout.milliseconds)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let status = DetachedThread.start { continuation.resume(returning: run.run()) }
                if status != 0 { continuation.resume(returning: .notStarted(status)) }
            }
        } onCancel: {
            run.cancel()
        }
    }
}
