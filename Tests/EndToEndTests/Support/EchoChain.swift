import BulkheadClient
import Foundation
import JSON
import Recordings
import Testing

/// A chain with echo and three tools, as llm and llm-echo run it: what is asked, what comes of it, and what is sent in the end.
struct EchoChain {
    /// What each round says, with the ids of calls as `TC`.
    let texts: [String]
    /// Tokens of each round: of what was asked, and of what was said.
    let usage: [[Int?]]
    /// The messages that the last round was asked with, as JSON.
    let messages: JSONValue

    init(_ vector: JSONValue) throws {
        let rounds = try #require(vector.array).filter { $0["text"] != nil }
        self.texts = rounds.compactMap { $0["text"]?.string }
        self.usage = rounds.map { $0["usage"]?.array?.map(\.integer) ?? [] }
        self.messages = try #require(rounds.last?["messages_sent"])
    }

    /// The vector that the real program has made, where there is one.
    static let shared: EchoChain? = {
        guard let file = SharedFolder.url?.appending(path: "reference/vectors/echo_chain.json"),
            let text = try? String(contentsOf: file, encoding: .utf8)
        else { return nil }
        return try? EchoChain(JSONValue(parsing: text))
    }()

    /// One of our own, for machines that have no other.
    static var own: EchoChain { get throws { try EchoChain(JSONValue(parsing: Self.ownText)) } }

    /// What the chain begins with.
    func request() throws -> PromptRequest {
        let options = try JSONValue(parsing: self.texts[0])["options"]
        return PromptRequest(
            prompt: try self.text(of: 1), system: try self.text(of: 0), model: "echo", options: options)
    }

    private func text(of message: Int) throws -> String {
        try #require(self.messages[message]?["parts"]?[0]?["text"]?.string)
    }

    /// Text in which the ids of calls say nothing.
    static func anonymous(_ text: String) -> String { text.replacing(/tc_[0-9a-z]{26}/, with: "TC") }

    // MARK: The tools

    static let tools = [
        Tool(name: "tool_a", inputSchema: .object([])) { input in
            if let other = input.json.members?.first(where: { $0.name != "x" }) {
                throw ToolError("tool_a() got an unexpected keyword argument '\(other.name)'", type: "TypeError")
            }
            return "got \(try input.text("x"))"
        },
        Tool(name: "tool_obj") { _ in ToolOutput(json: try JSONValue(parsing: #"{"k":[1,null,"é"]}"#)) },
        Tool(name: "tool_err") { _ in throw ToolError("boom", type: "ValueError") },
    ]

    /// The same in Python, and the request, as `chain.py` has its own.
    func program() throws -> String {
        let request = try self.request()
        let members = [
            #""prompt": json.loads(r'''\#(String(decoding: request.prompt!, as: UTF8.self))''')"#,
            #""system": json.loads(r'''\#(String(decoding: request.system!, as: UTF8.self))''')"#,
            #""options": json.loads('''\#(String(decoding: request.options!, as: UTF8.self))''')"#,
            #""tools": [{"name": name} for name in FUNCTIONS], "model": "echo""#,
        ]
        return """
            def tool_a(x): return f"got {x}"
            def tool_obj(): return {"k": [1, None, "é"]}
            def tool_err(): raise ValueError("boom")
            FUNCTIONS = {"tool_a": tool_a, "tool_obj": tool_obj, "tool_err": tool_err}
            REQUEST = {\(members.joined(separator: ", "))}
            """
    }

    private static let ownText = #"""
        [
          {
            "text": "{\n  \"prompt\": \"Wie sp\\u00e4t?\",\n  \"system\": \"Kurz, bitte.\",\n  \"attachments\": [],\n  \"stream\": true,\n  \"previous\": [],\n  \"options\": {\n    \"example_bool\": false\n  }\n}",
            "usage": [17, 19]
          },
          {
            "text": "{\n  \"prompt\": \"\",\n  \"system\": \"Kurz, bitte.\",\n  \"attachments\": [],\n  \"stream\": true,\n  \"previous\": [\n    {\n      \"prompt\": \"{\\\"prompt\\\": \\\"Wie sp\\u00e4t?\\\", \\\"tool_calls\\\": [{\\\"name\\\": \\\"tool_obj\\\"}, {\\\"name\\\": \\\"tool_a\\\", \\\"arguments\\\": {\\\"x\\\": \\\"zwei\\\"}}, {\\\"name\\\": \\\"gone\\\"}, {\\\"name\\\": \\\"tool_err\\\"}]}\"\n    }\n  ],\n  \"options\": {\n    \"example_bool\": false\n  },\n  \"tool_results\": [\n    {\n      \"name\": \"tool_obj\",\n      \"output\": \"{\\\"k\\\": [1, null, \\\"\\\\u00e9\\\"]}\",\n      \"tool_call_id\": \"TC\"\n    },\n    {\n      \"name\": \"tool_a\",\n      \"output\": \"got zwei\",\n      \"tool_call_id\": \"TC\"\n    },\n    {\n      \"name\": \"gone\",\n      \"output\": \"Error: tool \\\"gone\\\" does not exist\",\n      \"tool_call_id\": \"TC\"\n    },\n    {\n      \"name\": \"tool_err\",\n      \"output\": \"Error: boom\",\n      \"tool_call_id\": \"TC\"\n    }\n  ]\n}",
            "usage": [16, 82],
            "messages_sent": [
              {"role": "system", "parts": [{"type": "text", "text": "Kurz, bitte."}]},
              {"role": "user", "parts": [{"type": "text", "text": "{\"prompt\": \"Wie spät?\", \"tool_calls\": [{\"name\": \"tool_obj\"}, {\"name\": \"tool_a\", \"arguments\": {\"x\": \"zwei\"}}, {\"name\": \"gone\"}, {\"name\": \"tool_err\"}]}"}]},
              {
                "role": "assistant",
                "parts": [
                  {"type": "text", "text": "{\n  \"prompt\": \"Wie sp\\u00e4t?\",\n  \"system\": \"Kurz, bitte.\",\n  \"attachments\": [],\n  \"stream\": true,\n  \"previous\": [],\n  \"options\": {\n    \"example_bool\": false\n  }\n}"},
                  {"type": "tool_call", "name": "tool_obj", "arguments": {}, "tool_call_id": "TC"},
                  {"type": "tool_call", "name": "tool_a", "arguments": {"x": "zwei"}, "tool_call_id": "TC"},
                  {"type": "tool_call", "name": "gone", "arguments": {}, "tool_call_id": "TC"},
                  {"type": "tool_call", "name": "tool_err", "arguments": {}, "tool_call_id": "TC"}
                ]
              },
              {
                "role": "tool",
                "parts": [
                  {"type": "tool_result", "name": "tool_obj", "output": "{\"k\": [1, null, \"\\u00e9\"]}", "tool_call_id": "TC"},
                  {"type": "tool_result", "name": "tool_a", "output": "got zwei", "tool_call_id": "TC"},
                  {"type": "tool_result", "name": "gone", "output": "Error: tool \"gone\" does not exist", "tool_call_id": "TC", "exception": "KeyError: 'tool \"gone\" does not exist'"},
                  {"type": "tool_result", "name": "tool_err", "output": "Error: boom", "tool_call_id": "TC", "exception": "ValueError: boom"}
                ]
              }
            ]
          }
        ]
        """#
}
