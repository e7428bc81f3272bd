import Foundation
import Recordings
import Testing

/// The official Python libraries of OpenAI, Anthropic and Google, where they are installed (scripts/sdks).
enum SDKs {
    /// A Python that has them: the one that `BULKHEAD_SDKS` names, or the one that scripts/sdks has put below the package.
    static let python: String? = {
        if let path = ProcessInfo.processInfo.environment["BULKHEAD_SDKS"] { return path }
        var folder = URL(fileURLWithPath: #filePath)
        repeat {
            folder.deleteLastPathComponent()
        } while !Self.exists(folder.path + "/Package.swift") && folder.path != "/"
        let directory = folder.path + "/.build/sdks"
        return Self.exists(directory + "/packages") ? directory + "/bin/python" : nil
    }()

    static let isThere = Self.python != nil
    static let isMissing: Comment =
        "the libraries are not here: scripts/sdks, or name a Python that has them in BULKHEAD_SDKS"

    /// Whether there are recordings to ask them about.
    static let canReplay = Self.isThere && ReplayUpstream.isThere

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// A script that failed, and what it printed.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a script with `input` to read, and returns what it prints.
    static func run(_ script: String, _ arguments: [String] = [], input: String = "") throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("input")
        try Data(input.utf8).write(to: file)
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = ["-c", script] + arguments
        process.standardInput = try FileHandle(forReadingFrom: file)
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: text) }
        return text
    }
}
