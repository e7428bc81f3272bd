import BulkheadClient
import Foundation
import Framing
import JSON
import Messages
import Testing

extension Peer {
    /// Waits for a chain, and returns its id.
    func readChain() async throws -> (id: Int64, ChainRequest) {
        let request = try #require(try await self.read())
        guard case .chain(let chain) = request.operation, case .number(let id) = request.id else { throw Unexpected() }
        return (id, chain)
    }

    /// Waits for results, acknowledges them, and returns them.
    func readResults(of chain: Int64) async throws -> [ToolResult] {
        let request = try #require(try await self.read())
        guard case .toolResult(let results) = request.operation, case .number(let id) = request.id else {
            throw Unexpected()
        }
        #expect(results.target == .number(chain))
        await self.write(json: #"{"id":\#(id),"event":"done"}"#)
        return results.results
    }

    /// Says a round that calls tools: a text, the calls, and its end.
    ///
    /// - Parameter calls: Each as `id name arguments`.
    func writeRound(
        _ id: Int64, _ number: Int = 1, text: String = "", calls: [(id: String, name: String, arguments: String)],
        pending: [String]? = nil, usage: String = #"{"input":1,"output":2}"#
    ) async {
        await self.write(
            json:
                #"{"id":\#(id),"event":"start","request":"r\#(number)","model":"m","provider":"p","chain":"r1","round":\#(number)}"#
        )
        if !text.isEmpty { await self.write(Answers.text(.number(id), text)) }
        for call in calls {
            await self.write(
                json:
                    #"{"id":\#(id),"event":"tool_call","tool_call_id":"\#(call.id)","name":"\#(call.name)","arguments":\#(call.arguments)}"#
            )
        }
        let owed = (pending ?? calls.map(\.id)).map { #""\#($0)""# }.joined(separator: ",")
        await self.write(
            json:
                #"{"id":\#(id),"event":"round","request":"r\#(number)","model":"m","provider":"p","duration_ms":1,"pending":[\#(owed)],"usage":\#(usage),"chain":"r1","round":\#(number)}"#
        )
    }

    /// Says the last round of a chain.
    func writeEnd(_ id: Int64, _ number: Int = 2, text: String, conversation: String? = nil) async {
        let member = conversation.map { #","conversation":"\#($0)""# } ?? ""
        await self.write(
            json:
                #"{"id":\#(id),"event":"start","request":"r\#(number)","model":"m","provider":"p","chain":"r1","round":\#(number)}"#
        )
        await self.write(Answers.text(.number(id), text))
        await self.write(
            json:
                #"{"id":\#(id),"event":"done","request":"r\#(number)","usage":{"input":10,"output":20},"chain":"r1","round":\#(number)\#(member)}"#
        )
    }
}

extension ToolCall {
    init(_ id: String, _ name: String, _ arguments: String = "{}") {
        self.init(id: id, name: name, arguments: Array(arguments.utf8))
    }
}

/// Waits for tasks at a place that a test opens.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var arrivals: [(count: Int, CheckedContinuation<Void, Never>)] = []
    private var count = 0

    func pass() async {
        self.count += 1
        self.arrivals.removeAll { arrival in
            guard self.count >= arrival.count else { return false }
            arrival.1.resume()
            return true
        }
        if !self.isOpen { await withCheckedContinuation { self.waiting.append($0) } }
    }

    func open() {
        self.isOpen = true
        for continuation in self.waiting { continuation.resume() }
        self.waiting = []
    }

    /// Waits until so many tasks have come here.
    func arrived(_ count: Int) async {
        if self.count < count { await withCheckedContinuation { self.arrivals.append((count, $0)) } }
    }
}
