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
        let types = [
            "chat-completions": "openai-compatible", "responses": "openai", "messages": "anthropic",
            "generate-content": "gemini", "stream-generate-content": "gemini",
        ]
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
        for folder in Recording.folders {
            let indices = recordings.indices.filter { recordings[$0].folder == folder }
            let models = indices.map { "r\($0)" }.joined(separator: ", ")
            configuration.append(
                "  \(folder): {type: \(types[folder]!), base_url: \"\(upstream.url("/\(folder)"))\", models: [\(models)]}"
            )
            for index in indices {
                for method in ["generateContent", "streamGenerateContent"] {
                    upstream.script("/\(folder)/models/r\(index):\(method)", responses[index])
                }
            }
            for path in ["chat/completions", "responses", "v1/messages"] {
                upstream.script("/\(folder)/\(path)") { request in
                    let model = try? JSONValue(parsing: request.body)["model"]?.string
                    let index = model.flatMap { Int($0.dropFirst()) }
                    return index.map { responses[$0] } ?? .json("{}", status: 404)
                }
            }
        }
        self.recordings = recordings
        self.daemon = try Daemon(configuration.joined(separator: "\n"))
    }

    /// Asks for every recording, streamed and whole.
    func answers() throws -> [Answer] {
        var answers: [Answer] = []
        // A connection may have 128 requests open.
        for start in stride(from: 0, to: self.recordings.count, by: 60) {
            let wire = try Wire(self.daemon.socket)
            let first = answers.count
            for index in start..<min(start + 60, self.recordings.count) {
                for isStreamed in [true, false] {
                    try wire.prompt(answers.count, model: "r\(index)", stream: isStreamed)
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
