import Foundation
import JSON
import Testing

/// The folder proto/ of this package, and what stands in it.
enum ProtocolFolder {
    static let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../proto")
        .standardizedFileURL
    static let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources")
        .standardizedFileURL

    /// The names of the six protocols.
    static let protocols = ["client", "worker", "logger", "reader", "hooks", "config"]

    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: self.url.appending(path: path))) }

    static func text(_ path: String) throws -> String { String(decoding: try self.bytes(path), as: UTF8.self) }

    static func json(_ path: String) throws -> JSONValue { try JSONValue(parsing: try self.bytes(path)) }

    /// The names of the files and folders in `path`, sorted.
    static func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self.url.appending(path: path).path).sorted()
    }

    /// The messages of one protocol: those that its schema chooses from.
    static func messages(of name: String) throws -> [String] {
        let choices = try #require(try self.json("schemas/\(name).schema.json")["anyOf"]?.array)
        return try choices.map { choice in
            let reference = try #require(choice["$ref"]?.string)
            #expect(reference.hasPrefix("#/$defs/"))
            return String(reference.dropFirst("#/$defs/".count))
        }
    }

    /// The protocol that `message` belongs to.
    static func home(of message: String) throws -> String {
        try #require(
            try self.protocols.first { try self.messages(of: $0).contains(message) }, "\(message) has no schema")
    }

    /// The examples of `message`, by their paths.
    static func examples(of message: String) throws -> [(path: String, bytes: [UInt8])] {
        try self.names(in: "examples/\(message)").map { name in
            let path = "examples/\(message)/\(name)"
            return (path, try self.bytes(path))
        }
    }
}

/// A part of a page: everything below one heading of the third level.
struct PageSection {
    var heading: String
    var lines: [Substring]

    /// The sections of a page of proto/, in their order.
    static func sections(of page: String) throws -> [PageSection] {
        var sections: [PageSection] = []
        var isInside = false
        for line in try ProtocolFolder.text(page).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("### ") {
                sections.append(PageSection(heading: String(line.dropFirst(4)), lines: []))
                isInside = true
            } else if line.hasPrefix("#") {
                isInside = false
            } else if isInside {
                sections[sections.count - 1].lines.append(line)
            }
        }
        return sections
    }

    /// The rows of the tables, as trimmed cells, each with the first cell of its table's heading.
    var rows: [(table: String, cells: [String])] { Self.rows(in: self.lines) }

    static func rows(in lines: [Substring]) -> [(table: String, cells: [String])] {
        var rows: [(table: String, cells: [String])] = []
        var heading: String?
        for line in lines {
            guard line.hasPrefix("|") else {
                heading = nil
                continue
            }
            let cells = line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            if let heading {
                if !cells[0].hasPrefix("---") { rows.append((heading, cells)) }
            } else {
                heading = cells[0]
            }
        }
        return rows
    }

    /// The examples in the text: indented blocks that are JSON objects.
    var examples: [String] {
        var blocks: [String] = []
        var isInside = false
        for line in self.lines {
            let isIndented = line.hasPrefix("    ")
            if isIndented, !isInside { blocks.append("") }
            if isIndented { blocks[blocks.count - 1] += line.dropFirst(4) }
            isInside = isIndented
        }
        return blocks.filter { $0.hasPrefix("{") }
    }
}

extension String {
    /// The words between backquotes.
    var codeWords: [String] {
        self.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map {
            String($0.element)
        }
    }
}
