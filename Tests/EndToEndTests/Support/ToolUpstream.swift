import Foundation
import JSON
import Messages
import TestUpstream

/// A provider whose model calls two tools in each of its rounds but the last, and refuses a conversation in which calls and
/// results do not match.
///
/// Round `n` says `Round n.` and calls `add` with `{"n":n,"part":1}` and `{"n":n,"part":2}`, under the ids `call-n-1` and
/// `call-n-2`; the last says `End.`, or where there is a schema the object ``object``. Which round it is, the messages say.
final class ToolUpstream: Sendable {
    let upstream: TestUpstream
    private static let path = "/v1/chat/completions"

    /// - Parameter hold: What the answer of a round waits for before it is complete, by the round's number.
    init(rounds: Int, hold: [Int: UpstreamGate] = [:]) throws {
        self.upstream = try TestUpstream()
        self.upstream.script(Self.path) { request in
            guard let body = try? JSONValue(parsing: request.body), let messages = body["messages"]?.array else {
                return .json(#"{"error":{"message":"no messages"}}"#, status: 400)
            }
            if let fault = Self.fault(messages) {
                return .json(#"{"error":{"message":"\#(fault)"}}"#, status: 400)
            }
            let round = messages.count { $0["role"]?.string == "assistant" } + 1
            let end = body["response_format"] == nil ? "End." : Self.object
            let answer = Self.answer(round, of: rounds, end: JSONValue.string(end).text())
            return body["stream"]?.bool == true
                ? .events(answer.chunks, then: (hold[round].map { [.wait($0)] } ?? []) + [.event("[DONE]")])
                : .json(answer.whole)
        }
    }

    deinit { self.upstream.stop() }

    /// The configuration of a daemon that has it as its only provider, of one slot.
    var configuration: String {
        "providers: {p: {type: openai-compatible, base_url: \"\(self.upstream.url("/v1"))\", models: [m], slots: 1, retries: 0}}"
    }

    /// What a client sends of its tool.
    static let definition = ToolDefinition(name: "add", description: "Adds")

    /// What follows the schema `name, age int`.
    static let object = #"{"name":"End","age":1}"#

    private static func answer(_ round: Int, of rounds: Int, end: String) -> (chunks: [String], whole: String) {
        let usage = #""usage":{"prompt_tokens":10,"completion_tokens":1}"#
        guard round < rounds else {
            return (
                [
                    #"{"choices":[{"delta":{"content":\#(end)}}]}"#,
                    #"{"choices":[{"delta":{},"finish_reason":"stop"}],\#(usage)}"#,
                ], #"{"choices":[{"message":{"content":\#(end)},"finish_reason":"stop"}],\#(usage)}"#
            )
        }
        let calls = (1...2).map { part in
            let arguments = JSONValue.string(#"{"n":\#(round),"part":\#(part)}"#).text()
            return
                #""id":"call-\#(round)-\#(part)","type":"function","function":{"name":"add","arguments":\#(arguments)}"#
        }
        return (
            [#"{"choices":[{"delta":{"content":"Round \#(round)."}}]}"#]
                + calls.enumerated().map {
                    #"{"choices":[{"delta":{"tool_calls":[{"index":\#($0.offset),\#($0.element)}]}}]}"#
                } + [#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}],\#(usage)}"#],
            #"{"choices":[{"message":{"content":"Round \#(round).","tool_calls":[\#(calls.map { "{\($0)}" }.joined(separator: ","))]},"finish_reason":"tool_calls"}],\#(usage)}"#
        )
    }

    /// What a provider would refuse: calls without results right after them, in their order, or results without calls.
    private static func fault(_ messages: [JSONValue]) -> String? {
        var owed: [String] = []
        for message in messages {
            let role = message["role"]?.string
            if role == "tool" {
                guard let id = message["tool_call_id"]?.string, owed.first == id else { return "an unexpected result" }
                let parts = id.split(separator: "-")
                let sum = JSONValue.string("\(parts[1])+\(parts[2])")
                guard message["content"] == sum else { return "a wrong result" }
                owed.removeFirst()
                continue
            }
            guard owed.isEmpty else { return "calls without results" }
            owed = message["tool_calls"]?.array?.compactMap { $0["id"]?.string } ?? []
        }
        return owed.isEmpty ? nil : "calls without results"
    }
}
