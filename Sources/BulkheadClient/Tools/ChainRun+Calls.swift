import Messages
import Synchronization

extension ChainRun {
    /// Starts the calls of a round, as many at once as there may be.
    func begin(_ calls: [ToolCall], _ state: inout State) {
        guard !state.isOver else { return }
        for call in calls {
            state.waiting.append((state.callCount, call))
            state.callCount += 1
        }
        self.startWaiting(&state)
    }

    private func startWaiting(_ state: inout State) {
        while !state.waiting.isEmpty, state.tasks.count < self.options.concurrency {
            let (number, call) = state.waiting.removeFirst()
            state.tasks[number] = Task { await self.run(number, call) }
        }
    }

    private func run(_ number: Int, _ call: ToolCall) async {
        var stop: (any Error)?
        do {
            try await self.deliver(try await self.result(of: call), of: call)
        } catch {
            // What a call says that was cancelled is of no use to anybody.
            stop = Task.isCancelled ? nil : error
        }
        let isStopped = self.state.withLock { state -> Bool in
            state.tasks[number] = nil
            if let stop {
                state.stops[number] = stop
                state.waiting = []
            }
            self.startWaiting(&state)
            return !state.stops.isEmpty && state.tasks.isEmpty
        }
        // Wakes the reader, who throws what the chain stopped for.
        if isStopped { self.request.abandon() }
    }

    /// Runs the call.
    ///
    /// - Throws: What the chain is to stop for: a pause, or whatever a hook throws.
    private func result(of call: ToolCall) async throws -> ToolResult {
        guard let tool = self.tools[call.name] else {
            return ToolResult(call, ToolError("tool \"\(call.name)\" does not exist", type: "KeyError"))
        }
        do { try await self.options.beforeCall?(tool, call) } catch let error as ToolCallCancelled {
            return ToolResult(call, error)
        }
        let result: ToolResult
        do {
            result = ToolResult(call, try await tool.body(ToolInput(call)))
        } catch var pause as ChainPause {
            pause.call = call
            throw pause
        } catch {
            try Task.checkCancellation()
            result = ToolResult(call, error)
        }
        try await self.options.afterCall?(tool, call, result)
        return result
    }

    private func deliver(_ result: ToolResult, of call: ToolCall) async throws {
        let length = result.value.serialized().count + Self.frameRoom
        guard length <= BulkheadClient.requestBound else {
            let error = ToolError("the output is too long: \(length) bytes", type: "ValueError")
            return try await self.deliver(ToolResult(call, error), of: call)
        }
        self.state.withLock { $0.record.append(result) }
        do throws(ClientError) {
            try await self.send(result)
        } catch .failure(let failure) where failure.code != .notFound {
            throw ClientError.failure(failure)
        } catch {
            // The chain has ended, or the connection has: its reader will see.
        }
    }

    /// What a frame holds around a result, in bytes.
    private static var frameRoom: Int { 256 }

    private func send(_ result: ToolResult) async throws(ClientError) {
        let results = ToolResultRequest(target: .number(self.request.id), results: [result])
        _ = try await self.client.completion(of: .toolResult(results))
    }
}
