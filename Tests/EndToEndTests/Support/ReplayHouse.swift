import Foundation
import JSON
import Recordings
import TestUpstream
import Testing

/// A daemon whose providers answer as recorded, a provider for each API and a model for each recording.
struct ReplayHouse {
    let daemon: Daemon
    let recordings: [Recording]

    /// What came of one request.
    struct Answer {
        /// Its place among the recordings.
        var recording: Int
        var isStreamed: Bool
        var answer = ReadAnswer()
    }

    /// - Parameter chunk: How many bytes each piece of a body has; 0 for the whole.
    init(_ upstream: TestUpstream, chunk: Int) throws {
        let recordings = try Recording.folders.flatMap { try Recording.all(in: $0) }
        let responses = recordings.map { recording in
            let body = recording.body
            let pieces = stride(from: 0, to: body.count, by: chunk == 0 ? max(body.count, 1) : chunk).map {
                UpstreamResponse.Step.send(Array(body[$0..<min($0 + (chunk == 0 ? body.count : chunk), body.count)]))
            }
            return UpstreamResponse(
                status: recording.status, headers: [("content-type", recording.contentType)],
                framing: chunk == 0 ? .length : .chunked, steps: pieces)
        }
        var configuration = ["providers:"]
        for (type, indices) in Dictionary(grouping: recordings.indices, by: { Self.type(of: recordings[$0]) }) {
            let models = indices.map { "\"\(Self.model(recordings[$0], $0))\"" }.joined(separator: ", ")
            configuration.append(
                "  \(type): {type: \(type), base_url: \"\(upstream.url())\", models: [\(models)], retries: 0}")
        }
        for (index, response) in responses.enumerated() {
            for method in ["generateContent", "streamGenerateContent"] {
                upstream.script("/models/\(Self.model(recordings[index], index)):\(method)", response)
            }
        }
        for path in ["/chat/completions", "/responses", "/v1/messages"] {
            upstream.script(path) { request in
                let model = try? JSONValue(parsing: request.body)["model"]?.string
                let number = model?.split(separator: "-").last?.dropFirst()
                return number.flatMap { Int($0) }.map { responses[$0] } ?? .json("{}", status: 404)
            }
        }
        self.recordings = recordings
        self.daemon = try Daemon(configuration.joined(separator: "\n"))
    }

    /// The type of provider that speaks as the recorded one did.
    private static func type(of recording: Recording) -> String {
        switch recording.folder {
        case "responses": return "openai"
        case "messages": return "anthropic"
        case "chat-completions":
            let presets = ["groq", "mistral", "openrouter", "deepseek", "cerebras", "ollama"]
            return presets.first { recording.host.contains($0) } ?? "openai-compatible"
        default: return "gemini"
        }
    }

    /// A model of its own, which begins as the recorded one: what a model can do is told by that.
    private static func model(_ recording: Recording, _ index: Int) -> String {
        let members = try? JSONSerialization.jsonObject(with: recording.request) as? [String: Any]
        let model = recording.folder == "responses" ? members?["model"] as? String : nil
        return [model, "r\(index)"].compactMap { $0 }.joined(separator: "-")
    }

    /// The model that answers as this recording.
    func model(_ index: Int) -> String { Self.model(self.recordings[index], index) }

    /// Asks for every recording, streamed and whole.
    func answers() throws -> [Answer] {
        var answers: [Answer] = []
        // A connection may have 128 requests open.
        for start in stride(from: 0, to: self.recordings.count, by: 60) {
            let wire = try Wire(self.daemon.socket)
            let first = answers.count
            for index in start..<min(start + 60, self.recordings.count) {
                for isStreamed in [true, false] {
                    try wire.prompt(answers.count, model: self.model(index), stream: isStreamed)
                    answers.append(Answer(recording: index, isStreamed: isStreamed))
                }
            }
            while !answers[first...].allSatisfy(\.answer.isComplete) {
                let frame = try wire.next()
                let id = try #require(frame["id"]?.integer)
                #expect(!answers[id].answer.isComplete, "\(frame.text()) after the last frame")
                answers[id].answer.read(frame)
            }
        }
        return answers
    }

    /// What `op: logs` says of every request, by its id.
    func logs() throws -> [String: JSONValue] {
        let wire = try Wire(self.daemon.socket)
        var logs: [String: JSONValue] = [:]
        var before: String?
        repeat {
            try wire.send(
                #"{"id":1,"op":"logs","limit":100\#(before.map { #","before":"\#($0)""# } ?? "")}"#)
            let page = try wire.next()
            for log in try #require(page["logs"]?.array, "\(page.text())") { logs[log["id"]?.string ?? ""] = log }
            before = page["next"]?.string
        } while before != nil
        return logs
    }
}
