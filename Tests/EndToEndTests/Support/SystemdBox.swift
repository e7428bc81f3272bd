import Foundation
import GRDB
import Recordings
import Testing

/// A real systemd as the first process of namespaces of its own, over a copy of this machine's files that goes with it,
/// in which Bulkhead is installed as scripts/install does it. It ends with the test.
final class SystemdBox {
    private let folder: Folder

    /// Whether one can be had here. The programs must be those of scripts/test: in the box they find no Swift.
    static let isThere: Bool = {
        guard getuid() == 0, SystemdBox.tool != nil, ProcessInfo.processInfo.environment["BULKHEAD_BIN"] != nil else {
            return false
        }
        return (try? SystemdBox()) != nil
    }()

    static let reason: Comment =
        "needs root, namespaces, systemd, the tool systemd-box, and in BULKHEAD_BIN the programs that scripts/test builds"

    private static var tool: URL? {
        let tool = SharedFolder.url?.appending(path: "tools/systemd-box")
        return tool.flatMap { FileManager.default.isExecutableFile(atPath: $0.path) ? $0 : nil }
    }

    private static let path = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]

    init() throws {
        self.folder = try Folder()
        let tree = self.folder.path("tree")
        let programs = Checkout.program("bulkheadd").deletingLastPathComponent().path
        let install = try ProgramRun(
            Checkout.root.appending(path: "scripts/install"), [],
            environment: Self.path.merging(["DESTDIR": tree, "BULKHEAD_BIN": programs]) { $1 })
        guard try install.status() == 0 else { throw NoBox(reason: install.errors) }
        try self.boot(tree)
        let users = try self.start(["systemd-sysusers", "bulkhead.conf"])
        guard try users.status() == 0 else { throw NoBox(reason: users.errors) }
    }

    deinit {
        guard FileManager.default.fileExists(atPath: self.folder.path("box/pid")) else { return }
        let stop = try? self.tool("stop")
        if (try? stop?.status()) != 0 || stop?.output.hasPrefix("stop=clean ") != true {
            Issue.record("the box does not stop: \(stop?.output ?? "") \(stop?.errors ?? "")")
        }
    }

    struct NoBox: Error { let reason: String }

    /// Boots the box with `tree` over its files.
    private func boot(_ tree: String) throws {
        // Foundation takes a process for running while anybody holds a descriptor that it has given to it, and what boots here
        // outlives the tool that starts it.
        let script = """
            for file in /proc/self/fd/*; do number=${file##*/}; [ $number -lt 3 ] || exec {number}>&-; done
            exec "$0" start "$1"
            """
        let environment = Self.path.merging(["SDARGS": "--unit=basic.target", "INSTALL": tree]) { $1 }
        let run = try ProgramRun(
            URL(filePath: "/bin/bash"), ["-c", script, try #require(Self.tool).path, self.folder.path("box")],
            environment: environment)
        guard try run.status() == 0 else { throw NoBox(reason: run.output + run.errors) }
    }

    private func tool(_ command: String, _ words: [String] = []) throws -> ProgramRun {
        try ProgramRun(
            try #require(Self.tool), [command, self.folder.path("box")] + words, environment: Self.path)
    }

    // MARK: What is done inside

    /// Starts a program inside, as root, and waits for nothing.
    func start(_ words: [String]) throws -> ProgramRun { try self.tool("exec", words) }

    /// Runs a program inside, as root, to an end that must have this status; returns all that it printed.
    @discardableResult
    func run(_ words: String..., status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation) throws -> String
    {
        let run = try self.start(words)
        let text = "\(words.joined(separator: " ")): \(run.output)\(run.errors)"
        #expect(try run.status() == status, "\(text)", sourceLocation: sourceLocation)
        return run.output + run.errors
    }

    /// A property of bulkhead.service.
    func property(_ name: String) throws -> String {
        try self.run("systemctl", "show", "--value", "-p", name, "bulkhead.service").trimmingCharacters(in: .newlines)
    }

    // MARK: What is seen from outside

    /// Where a file of the box is for this process.
    func path(_ inside: String) throws -> String {
        let pid = try String(contentsOfFile: self.folder.path("box/pid"), encoding: .utf8)
        return "/proc/\(pid.trimmingCharacters(in: .newlines))/root\(inside)"
    }

    /// The rows of the table `requests` of a daemon that has stopped.
    func rows() throws -> [Row] {
        let copy = self.folder.path("state-\(UUID().uuidString)")
        // SQLite takes the link /proc/PID/root for a link to "/".
        try FileManager.default.copyItem(atPath: try self.path("/var/lib/bulkhead"), toPath: copy)
        return try DatabaseQueue(path: "\(copy)/logs.db").read {
            try Row.fetchAll($0, sql: "SELECT * FROM requests ORDER BY id")
        }
    }
}
