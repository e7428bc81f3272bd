import Foundation
import JSON
import Messages
import Testing
import Transport

/// What becomes of a message, and of its parts in the next request.
@Suite struct AnthropicAnswerTests {
    /// A block of every kind, as it comes whole and goes back.
    static let content = [
        #"{"type":"thinking","thinking":"Hm, weiß nicht.","signature":"c2ln+/=="}"#,
        #"{"type":"redacted_thinking","data":"ZGF0YQ=="}"#,
        #"{"type":"redacted_thinking","data":"bW9yZQ=="}"#,
        #"{"type":"thinking","thinking":"","signature":"b21pdHRlZA=="}"#,
        #"{"type":"text","text":"Grüße "}"#,
        #"{"type":"text","text":"\ud83d\ude00!","citations":[{"type":"web_search_result_location","cited_text":"x","encrypted_index":"aWR4","title":null,"url":"https://a.example"}]}"#,
        #"{"type":"text","text":" And on."}"#,
        #"{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"a \"b\"","n":1.0}}"#,
        #"{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","encrypted_content":"ZW5j","title":"T","url":"https://a.example","page_age":null}]}"#,
        #"{"type":"mcp_tool_use","id":"mcptoolu_1","name":"ask","server_name":"wiki","input":{}}"#,
        #"{"type":"mcp_tool_result","tool_use_id":"mcptoolu_1","is_error":false,"content":"[\"a text\"]"}"#,
        #"{"type":"server_tool_use","id":"srvtoolu_2","name":"code_execution","input":{"code":"1"},"caller":{"type":"code_execution_20260120","tool_id":"srvtoolu_1"}}"#,
        #"{"type":"code_execution_tool_result","tool_use_id":"srvtoolu_2","content":{"type":"code_execution_result","stdout":"1\n","stderr":"","return_code":0,"content":[]}}"#,
        #"{"type":"compaction","content":"What was said."}"#,
        #"{"type":"text","text":"I look."}"#,
        #"{"type":"tool_use","id":"toolu_1","name":"now","input":{}}"#,
        #"{"type":"tool_use","id":"toolu_2","name":"look","input":{"a":{"b":[1,true,null]}},"toolset_name":"browser"}"#,
    ]
    private static let usage =
        #""cache_creation":{"ephemeral_5m_input_tokens":0},"cache_read_input_tokens":5,"inference_geo":"global","service_tier":"standard""#

    /// The whole message.
    static func message(_ content: [String], stop: String = "tool_use", more: String = "") -> String {
        #"{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5-20260724","content":[\#(content.joined(separator: ","))],"#
            + #""stop_reason":"\#(stop)","stop_sequence":null\#(more),"usage":{"input_tokens":10,"output_tokens":7,\#(Self.usage),"output_tokens_details":{"thinking_tokens":3}}}"#
    }

    /// The message as the events of a stream.
    private static func events(_ content: [String], stop: String = "tool_use", more: String = "") throws -> [String] {
        var events = [
            #"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5-20260724","content":[],"stop_reason":null,"usage":{"input_tokens":9,"output_tokens":1,\#(Self.usage)}}}"#,
            #"{"type":"ping"}"#,
        ]
        for (index, block) in content.enumerated() {
            let (start, deltas) = try Self.pieces(try JSONValue(parsing: block))
            events.append(#"{"type":"content_block_start","index":\#(index),"content_block":\#(start.text())}"#)
            events += deltas.map { #"{"type":"content_block_delta","index":\#(index),"delta":\#($0.text())}"# }
            events.append(#"{"type":"content_block_stop","index":\#(index)}"#)
        }
        return events + [
            #"{"type":"a_later_event","x":1}"#,
            #"{"type":"message_delta","delta":{"stop_reason":"\#(stop)","stop_sequence":null\#(more)},"usage":{"input_tokens":10,"output_tokens":7,"output_tokens_details":{"thinking_tokens":3}}}"#,
            #"{"type":"message_stop"}"#,
        ]
    }

    /// How a block begins in a stream, and what follows.
    private static func pieces(_ block: JSONValue) throws -> (JSONValue, [JSONValue]) {
        var start = try #require(block.members)
        var deltas: [JSONValue] = []
        func move(_ name: String, _ delta: String, as piece: String, empty: JSONValue?) throws {
            guard let place = start.firstIndex(where: { $0.name == name }) else { return }
            let value = start[place].value
            let text = value.string ?? value.text()
            let half = text.index(text.startIndex, offsetBy: text.count / 2)
            let halves = text.isEmpty ? [] : [String(text[..<half]), String(text[half...])]
            if let empty { start[place].value = empty } else { start.remove(at: place) }
            deltas += halves.map { .object([.init("type", .string(delta)), .init(piece, .string($0))]) }
        }
        switch try #require(block["type"]?.string) {
        case "text":
            for citation in block["citations"]?.array ?? [] {
                deltas.append(.object([.init("type", .string("citations_delta")), .init("citation", citation)]))
            }
            start.removeAll { $0.name == "citations" }
            try move("text", "text_delta", as: "text", empty: .string(""))
        case "thinking":
            try move("thinking", "thinking_delta", as: "thinking", empty: .string(""))
            let signature = try #require(block["signature"])
            deltas.append(.object([.init("type", .string("signature_delta")), .init("signature", signature)]))
            start.removeAll { $0.name == "signature" }
        case "tool_use" where block["input"]?.members?.isEmpty == true:
            deltas.append(try JSONValue(parsing: #"{"type":"input_json_delta","partial_json":""}"#))
        case "tool_use", "server_tool_use", "mcp_tool_use":
            try move("input", "input_json_delta", as: "partial_json", empty: .object([]))
        case "compaction": try move("content", "compaction_delta", as: "content", empty: nil)
        default: break
        }
        return (.object(start), deltas)
    }

    private func expectEverything(_ answer: Outcome, _ parts: [MessagePart], _ comment: Comment) throws {
        #expect(answer.failure == nil, comment)
        #expect(answer.text == "Grüße \u{1F600}! And on.I look.", comment)
        #expect(answer.reasoning == "Hm, weiß nicht.", comment)
        #expect(answer.toolCalls.map { $0[0] } == ["web_search", "ask", "code_execution", "now", "look"], comment)
        #expect(answer.toolCalls.last?[1] == #"{"a":{"b":[1,true,null]}}"#, comment)
        #expect(answer.toolCallIDs.last == "toolu_2", comment)
        #expect(answer.finishReason == "tool_use", comment)
        let details = #"{"cache_read_input_tokens":5,"output_tokens_details":{"thinking_tokens":3}}"#
        #expect(answer.usage == Usage(input: 10, output: 7, details: Array(details.utf8)), comment)
        let sent = try #require(try AnthropicExchange.sentBack(parts))
        let expected = "[\(Self.content.joined(separator: ","))]"
        #expect(try comparable(sent.text()) == comparable(expected), comment)
    }

    @Test func everyKindOfBlockComesFromAStreamCutAnywhereAndGoesBackAsItWas() throws {
        let events = try Self.events(Self.content)
        let request = try AnthropicExchange.request()
        let (answer, parts) = try AnthropicExchange.answer(AnthropicExchange.stream(events), to: request)
        try self.expectEverything(answer, parts, "in one piece")
        let bytes = AnthropicExchange.length(events)
        let (_, cutParts) = try AnthropicExchange.answer(
            AnthropicExchange.stream(events, cut: Array(1..<bytes)), to: request)
        #expect(cutParts == parts, "byte by byte")
        for block in Self.content {
            let events = try Self.events([block])
            let expected = try AnthropicExchange.answer(AnthropicExchange.stream(events), to: request)
            for cut in 1..<AnthropicExchange.length(events) {
                let (other, parts) = try AnthropicExchange.answer(
                    AnthropicExchange.stream(events, cut: [cut]), to: request)
                #expect(other == expected.0 && parts == expected.1, "\(block), cut at \(cut)")
            }
        }
    }

    @Test(arguments: [true, false])
    func aWholeMessageIsTheSame(isStreamed: Bool) throws {
        let request = try AnthropicExchange.request(stream: isStreamed)
        let body = FakeTransport(pieces: [Array(Self.message(Self.content).utf8)])
        let (answer, parts) = try AnthropicExchange.answer(body, to: request)
        try self.expectEverything(answer, parts, "a body, streamed: \(isStreamed)")
        let stream = AnthropicExchange.stream(try Self.events(Self.content))
        let (other, otherParts) = try AnthropicExchange.answer(stream, to: request)
        try self.expectEverything(other, otherParts, "a stream, streamed: \(isStreamed)")
        #expect(parts == otherParts)
    }

    @Test func thePartsAreWhatLLMMakesOfTheBlocks() throws {
        let (_, parts) = try AnthropicExchange.answer(
            AnthropicExchange.stream(try Self.events(Self.content)), to: try AnthropicExchange.request())
        let texts = parts.map { $0.value.text() }
        #expect(
            texts[0]
                == #"{"type":"reasoning","text":"Hm, weiß nicht.","provider_metadata":{"anthropic":{"signature":"c2ln+/=="}}}"#
        )
        #expect(
            texts[1]
                == #"{"type":"reasoning","text":"","redacted":true,"provider_metadata":{"anthropic":{"type":"redacted_thinking","data":"ZGF0YQ=="}}}"#
        )
        #expect(texts[4] == #"{"type":"text","text":"Grüße "}"#)
        #expect(
            texts[8]
                == #"{"type":"tool_result","name":"web_search","output":"[{\"type\":\"web_search_result\",\"encrypted_content\":\"ZW5j\",\"title\":\"T\",\"url\":\"https://a.example\",\"page_age\":null}]","tool_call_id":"srvtoolu_1","server_executed":true,"provider_metadata":{"anthropic":{"type":"web_search_tool_result"}}}"#
        )
        #expect(
            texts[9]
                == #"{"type":"tool_call","name":"ask","arguments":{},"tool_call_id":"mcptoolu_1","server_executed":true,"provider_metadata":{"anthropic":{"type":"mcp_tool_use","mcp_server_name":"wiki"}}}"#
        )
        #expect(texts[15] == #"{"type":"tool_call","name":"now","arguments":{},"tool_call_id":"toolu_1"}"#)
        #expect(parts.count == Self.content.count)
    }

    @Test func aContainerBelongsToTheMessageAndTheModelThatAnsweredIsNamed() throws {
        let events = try Self.events(
            [Self.content[4]], stop: "end_turn", more: #","container":{"id":"c1","expires_at":"2026-01-01"}"#)
        let channel = RecordingChannel()
        let request = try AnthropicExchange.request()
        _ = try run(request, AnthropicExchange.settings(), over: AnthropicExchange.stream(events), channel)
        let metadata =
            #"{"event":"metadata","of":"message","provider_metadata":{"anthropic":{"container":{"id":"c1","expires_at":"2026-01-01"}}}}"#
        #expect(channel.frames.contains(Array(metadata.utf8)))
        let last = try JSONValue(parsing: try #require(channel.frames.last))
        #expect(last["resolved_model"]?.string == "claude-opus-5-20260724")
    }

    // MARK: Answers that are none

    @Test(arguments: ["max_tokens", "model_context_window_exceeded"])
    func aCallThatWasCutOffIsNoCall(stop: String) throws {
        for content in [Self.content[15], Self.content[16]] {
            for transport in [
                AnthropicExchange.stream(try Self.events([Self.content[14], content], stop: stop)),
                FakeTransport(pieces: [Array(Self.message([Self.content[14], content], stop: stop).utf8)]),
            ] {
                let (answer, _) = try AnthropicExchange.answer(transport, to: try AnthropicExchange.request())
                #expect(answer.failure?.code == .modelError)
                #expect(answer.failure?.message.contains("raise max_tokens") == true)
                #expect(answer.toolCalls == [])
                #expect(answer.text == "I look.")
                #expect(answer.usage?.output == 7)
            }
        }
        let (text, _) = try AnthropicExchange.answer(
            AnthropicExchange.stream(try Self.events([Self.content[15], Self.content[14]], stop: stop)),
            to: try AnthropicExchange.request())
        #expect(text.failure == nil)
        #expect(text.finishReason == stop)
        #expect(text.toolCalls == [["now", "{}"]])
    }

    @Test(arguments: [
        (#"{\"a\":1}"#, "end_turn", nil), (#"{\"a\":1}"#, "tool_use", nil), ("so far", "pause_turn", nil),
        ("no JSON", "end_turn", "not JSON"), (#"{\"a\":1"#, "max_tokens", "cut off"),
        (#"{\"a\":1}"#, "max_tokens", "cut off"), (#"{\"a\""#, "stop_sequence", "not JSON"),
    ])
    func anAnswerToASchemaIsWholeOrAnError(text: String, stop: String, failure: String?) throws {
        let content = [#"{"type":"text","text":"I look."}"#, Self.content[7], #"{"type":"text","text":"\#(text)"}"#]
        for (isStream, isStreamed) in [(true, true), (true, false), (false, true), (false, false)] {
            var request = try AnthropicExchange.request(stream: isStreamed)
            request.schema = .object([.init("type", .string("object"))])
            let (answer, _) = try AnthropicExchange.answer(
                isStream
                    ? AnthropicExchange.stream(try Self.events(content, stop: stop))
                    : FakeTransport(pieces: [Array(Self.message(content, stop: stop).utf8)]), to: request)
            #expect(answer.failure?.code == (failure == nil ? nil : .modelError))
            if let failure { #expect(answer.failure?.message.contains(failure) == true) }
            #expect(answer.usage?.input == 10)
        }
    }

    @Test func aRefusalIsAnErrorThatSaysWhy() throws {
        let why = #","stop_details":{"type":"refusal","category":"cyber","explanation":"It is about malware."}"#
        for transport in [
            AnthropicExchange.stream(try Self.events([], stop: "refusal", more: why)),
            FakeTransport(pieces: [Array(Self.message([], stop: "refusal", more: why).utf8)]),
        ] {
            let (answer, _) = try AnthropicExchange.answer(transport, to: try AnthropicExchange.request())
            #expect(answer.failure?.code == .modelError)
            #expect(answer.failure?.message == "the model refused this request (cyber): It is about malware.")
            #expect(answer.usage?.input == 10)
        }
    }

    @Test(arguments: [
        ("overloaded_error", ErrorCode.providerError), ("api_error", .providerError), ("timeout_error", .providerError),
        ("rate_limit_error", .providerRateLimited), ("authentication_error", .providerAuthentication),
        ("permission_error", .providerAuthentication), ("invalid_request_error", .providerRejected),
        ("not_found_error", .providerRejected), ("request_too_large", .providerRejected),
        ("an_error_of_later", .providerError),
    ])
    func anErrorInAStreamEndsTheAnswerWithItsMessage(type: String, code: ErrorCode) throws {
        let error = #"{"type":"error","error":{"type":"\#(type)","message":"Not now, sk-1."}}"#
        let events = try Self.events([Self.content[4]]).dropLast(3) + [error]
        for transport in [AnthropicExchange.stream(Array(events)), FakeTransport(pieces: [Array(error.utf8)])] {
            let (answer, _) = try AnthropicExchange.answer(transport, to: try AnthropicExchange.request())
            #expect(answer.failure?.code == code)
            #expect(answer.failure?.message.hasSuffix("Not now, [key].") == true)
        }
    }

    @Test(arguments: [
        (400, "invalid_request_error", ErrorCode.providerRejected),
        (401, "authentication_error", .providerAuthentication),
        (403, "permission_error", .providerAuthentication), (404, "not_found_error", .providerRejected),
        (413, "request_too_large", .providerRejected), (429, "rate_limit_error", .providerRateLimited),
        (500, "api_error", .providerError), (529, "overloaded_error", .providerError),
    ])
    func aRefusedRequestHasItsMessageItsIDAndItsDelay(status: Int, type: String, code: ErrorCode) throws {
        let body = #"{"type":"error","error":{"type":"\#(type)","message":"No."},"request_id":"req_1"}"#
        let transport = FakeTransport(
            status: status, headers: [.init("request-id", "req_1")], retryAfterMilliseconds: 3000,
            pieces: [Array(body.utf8)])
        let (answer, _) = try AnthropicExchange.answer(transport, to: try AnthropicExchange.request())
        #expect(
            answer.failure
                == Failure(code, "HTTP \(status): No.", retryAfterMilliseconds: 3000, providerRequestID: "req_1"))
    }

    @Test func aStreamThatEndsTooEarlyOrMakesNoSenseIsNoAnswer() throws {
        let events = try Self.events([Self.content[4]])
        for (events, reason) in [
            ([], "no message"), (Array(events.prefix(3)), "before the answer did"),
            (Array(events.prefix(2)) + [events[3]], "has not begun"), ([#"{"x":1}"#], "no type"),
            ([#"{"type":"message_start""#], "JSON"),
            (
                Array(events.prefix(2)) + [
                    #"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"f"}}"#,
                    events[5], events[6], events[7],
                ], "no id"
            ),
        ] as [([String], String)] {
            let (answer, _) = try AnthropicExchange.answer(
                AnthropicExchange.stream(events), to: try AnthropicExchange.request())
            #expect(answer.failure?.code == .providerInvalidResponse, "\(reason)")
            #expect(answer.failure?.message.contains(reason) == true, "\(answer.failure?.message ?? "")")
        }
        let (answer, _) = try AnthropicExchange.answer(
            FakeTransport(pieces: [Array("{}".utf8)]), to: try AnthropicExchange.request())
        #expect(answer.failure?.code == .providerInvalidResponse)
    }
}
