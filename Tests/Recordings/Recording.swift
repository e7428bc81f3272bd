public import Foundation

/// A recorded exchange with a real provider.
public struct Recording: Sendable {
    /// Its folder: `responses`, say.
    public let folder: String
    public let name: String
    public let status: Int
    public let contentType: String
    /// What was sent, as JSON.
    public let request: Data
    public let body: [UInt8]

    /// What it is called where it is served.
    public var id: String { "\(self.folder)/\(self.name)" }
    public var isStreamed: Bool { self.contentType.contains("event-stream") }

    public static let folders = [
        "chat-completions", "responses", "messages", "generate-content", "stream-generate-content",
    ]

    /// The recordings of a folder, by name; none where this machine has none.
    public static func all(in folder: String) throws -> [Recording] {
        guard let directory = SharedFolder.url?.appendingPathComponent("recordings/\(folder)") else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
            .filter { $0.hasSuffix(".json") }.map { file in
                let content = try Data(contentsOf: directory.appendingPathComponent(file))
                guard let members = try JSONSerialization.jsonObject(with: content) as? [String: Any],
                    let status = members["status"] as? Int, let type = members["content_type"] as? String,
                    let body = members["body"] as? String, let request = members["request"]
                else { throw UnreadableRecording(name: file) }
                return Recording(
                    folder: folder, name: String(file.dropLast(5)), status: status, contentType: type,
                    request: try JSONSerialization.data(withJSONObject: request, options: [.fragmentsAllowed]),
                    body: Array(body.utf8))
            }
    }

    /// The JSON objects that the body consists of: itself, or what each event of a stream has.
    public func objects() throws -> [[String: Any]] {
        let text = String(decoding: self.body, as: UTF8.self)
        guard self.isStreamed else { return [try self.object(text)] }
        return try text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("data:") }
            .map { $0.dropFirst(5).drop { $0 == " " } }.filter { $0 != "[DONE]" }.map { try self.object(String($0)) }
    }

    private func object(_ text: String) throws -> [String: Any] {
        guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw UnreadableRecording(name: self.name)
        }
        return object
    }
}

/// A recording that is not what is expected of one.
public struct UnreadableRecording: Error {
    public let name: String
}
