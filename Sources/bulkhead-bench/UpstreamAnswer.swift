import JSON

/// What the upstream answers, made once: the same bytes for every request.
struct UpstreamAnswer: Sendable {
    /// The response to a request with `"stream":true`: events, each a chunk of the transfer.
    let streamed: [UInt8]
    /// The response to any other.
    let whole: [UInt8]

    init(chunks: Int, chunkBytes: Int) {
        let piece = Self.piece(length: chunkBytes)
        let usage = #""usage":{"prompt_tokens":8,"completion_tokens":\#(chunks),"total_tokens":\#(chunks + 8)}"#

        let text = JSONValue.string(String(repeating: piece, count: chunks)).text()
        let message = #"{"index":0,"message":{"role":"assistant","content":\#(text)},"finish_reason":"stop"}"#
        let body = Self.completion("chat.completion", #""choices":[\#(message)],\#(usage)"#)
        self.whole = Array(
            "\(Self.head("application/json"))content-length: \(body.utf8.count)\r\n\r\n\(body)".utf8)

        var streamed = Array("\(Self.head("text/event-stream"))transfer-encoding: chunked\r\n\r\n".utf8)
        func add(_ event: String) {
            let data = "data: \(event)\n\n"
            streamed += "\(String(data.utf8.count, radix: 16))\r\n\(data)\r\n".utf8
        }
        func addDelta(_ delta: String, _ reason: String) {
            let choice = #""choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(reason)}]"#
            add(Self.completion("chat.completion.chunk", choice))
        }
        for _ in 0..<chunks { addDelta(#"{"content":\#(JSONValue.string(piece).text())}"#, "null") }
        addDelta("{}", #""stop""#)
        add(Self.completion("chat.completion.chunk", #""choices":[],\#(usage)"#))
        add("[DONE]")
        self.streamed = streamed + "0\r\n\r\n".utf8
    }

    private static func head(_ type: String) -> String { "HTTP/1.1 200 OK\r\ncontent-type: \(type)\r\n" }

    private static func completion(_ object: String, _ rest: String) -> String {
        #"{"id":"bench","object":"\#(object)","created":1700000000,"model":"bench",\#(rest)}"#
    }

    /// A word and a space, as long as asked.
    private static func piece(length: Int) -> String {
        String(repeating: "a", count: max(0, length - 1)) + " "
    }
}
