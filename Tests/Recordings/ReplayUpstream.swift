import Foundation

/// The program that serves the recordings, on a port of its own: `URL/r/ID` answers as the recording of that id.
public final class ReplayUpstream {
    public let url: String
    private let process = Process()

    /// Whether it, and what runs it, are on this machine.
    public static let isThere: Bool = {
        guard SharedFolder.holds("tools/replay-upstream") else { return false }
        let python = Process()
        python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        python.arguments = ["python3", "--version"]
        python.standardOutput = FileHandle.nullDevice
        python.standardError = FileHandle.nullDevice
        guard (try? python.run()) != nil else { return false }
        python.waitUntilExit()
        return python.terminationStatus == 0
    }()

    /// - Parameter chunk: How long the pieces of a body are, in bytes; 0 for the whole.
    public init(chunk: Int) throws {
        guard let shared = SharedFolder.url else { throw NoUpstream() }
        let output = Pipe()
        self.process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let program = shared.appendingPathComponent("tools/replay-upstream").path
        self.process.arguments = ["python3", program, "--chunk", "\(chunk)"]
        self.process.standardInput = FileHandle.nullDevice
        self.process.standardOutput = output
        self.process.standardError = FileHandle.nullDevice
        try self.process.run()
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard let url = words.first(where: { $0.hasPrefix("http://") }) else { throw NoUpstream() }
        self.url = String(url)
    }

    // A test's thread may have signals blocked, and what it starts inherits that: only SIGKILL is sure to arrive.
    deinit {
        kill(self.process.processIdentifier, SIGKILL)
        self.process.waitUntilExit()
    }
}

/// It is not here, or names no port.
public struct NoUpstream: Error {}
