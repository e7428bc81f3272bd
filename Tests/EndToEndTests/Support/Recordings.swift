import Foundation
import Testing

/// A recorded exchange with a real provider.
struct Recording {
    let name: String
    let status: Int
    let contentType: String
    let body: Data

    /// The recordings of the chat completions API, by name; empty where this machine has none.
    static func chatCompletions() throws -> [Recording] {
        guard let folder = Checkout.shared?.appending(path: "recordings/chat-completions") else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().filter {
            $0.hasSuffix(".json")
        }
        .map { file in
            let content = try Data(contentsOf: folder.appending(path: file))
            let members = try #require(try JSONSerialization.jsonObject(with: content) as? [String: Any], "\(file)")
            return Recording(
                name: String(file.dropLast(5)), status: try #require(members["status"] as? Int),
                contentType: try #require(members["content_type"] as? String),
                body: Data(try #require(members["body"] as? String).utf8))
        }
    }
}

/// The program that serves the recordings.
final class ReplayUpstream {
    private let run: ProgramRun
    private let address: String

    static let isThere: Bool = {
        guard let shared = Checkout.shared else { return false }
        return FileManager.default.fileExists(atPath: shared.appending(path: "tools/replay-upstream").path)
            && ProgramRun.hasPython
    }()

    /// - Parameter chunk: How many bytes each piece of a body has; 0 for the whole.
    init(chunk: Int) throws {
        let program = try #require(Checkout.shared).appending(path: "tools/replay-upstream")
        let run = try ProgramRun.python([program.path, "--chunk", "\(chunk)"])
        try wait(for: "replay-upstream to listen: \(run.errors)") { run.output.contains("\n") }
        let words = run.output.split(whereSeparator: \.isWhitespace)
        self.address = String(try #require(words.first { $0.hasPrefix("http://") }))
        self.run = run
    }

    func baseURL(of recording: Recording) -> String { "\(self.address)/r/chat-completions/\(recording.name)" }
}
