import Foundation
import GRDB
import JSON
import Testing

/// A daemon with hooks, and the programs that they are.
final class HookHouse {
    let folder = try! Folder()
    let daemon: Daemon

    /// A hook, as a configuration has it.
    struct Hook {
        var name: String
        var program: String
        var arguments: [String] = []
        var events = "before_prompt"
        var timeout = "1s"
        var onFailure = "open"
    }

    /// - Parameters:
    ///   - programs: Their texts, by the names of their files.
    ///   - more: What else is configured.
    init(_ hooks: [Hook], programs: [String: String], more: String = HookHouse.echo) throws {
        var yaml = "\(more)\nhooks:\n"
        for (name, text) in programs {
            let path = try self.folder.write(text, to: name)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        for hook in hooks {
            let words = [hook.program.hasPrefix("/") ? hook.program : self.folder.path(hook.program)] + hook.arguments
            yaml += """
                  - name: \(hook.name)
                    command: [\(words.map { "\"\($0)\"" }.joined(separator: ", "))]
                    events: [\(hook.events)]
                    timeout: \(hook.timeout)
                    on_failure: \(hook.onFailure)

                """
        }
        self.daemon = try Daemon(yaml)
    }

    static let echo = """
        testing: true
        default_model: echo
        providers:
          echo: {type: echo}
          fault: {type: echo-fault, slots: 4}
        """

    /// What status says of a hook.
    func hook(_ name: String) throws -> JSONValue {
        try #require(try self.daemon.status()["hooks"]?.array?.first { $0["name"]?.string == name })
    }

    func process(_ name: String) throws -> Int32 { Int32(try #require(try self.hook(name)["pid"]?.integer)) }

    /// Waits until a hook runs that is not `former`.
    @discardableResult
    func waitUntilBack(_ name: String, after former: Int32 = 0) throws -> Int32 {
        try wait(for: "the hook to be back: \(self.daemon.log)") {
            let hook = try self.hook(name)
            return hook["state"]?.string == "ready" && hook["pid"]?.integer.map(Int32.init) ?? former != former
        }
        return try self.process(name)
    }

    /// What hooks noted of the requests that are on record, in their order.
    func annotations() throws -> [JSONValue?] {
        try self.daemon.rows().map { row in
            try (row["annotations"] as String?).map { try JSONValue(parsing: Array($0.utf8)) }
        }
    }

    /// A hook that does what the prompt says: `hang`, `crash`, …; any other it agrees to, and notes who it is.
    static let faulty = #"""
        #!/usr/bin/env python3
        import json, os, struct, sys, time

        def read(count):
            data = b""
            while len(data) < count:
                piece = os.read(0, count - len(data))
                if not piece:
                    sys.exit(0)
                data += piece
            return data

        def write(payload):
            data = struct.pack(">I", len(payload)) + payload
            while data:
                data = data[os.write(1, data):]

        def say(**members):
            write(json.dumps(members).encode())

        while True:
            question = json.loads(read(struct.unpack(">I", read(4))[0]))
            number, fault = question["id"], question.get("prompt")
            if fault in ("hang", "deaf"):
                time.sleep(3600)
            elif fault == "crash":
                os.abort()
            elif fault == "exit":
                os._exit(3)
            elif fault == "garbage":
                write(b"oops")
            elif fault == "huge":
                os.write(1, b"\x7f\xff\xff\xff")
            elif fault == "stranger":
                say(id=number + 1000)
            elif fault == "typo":
                say(id=number, refsue="no")
            elif fault == "essay":
                say(id=number, annotate={"text": "x" * 5000})
            elif fault == "flood":
                while True:
                    say(id=number + 1000)
            elif fault == "endless":
                os.write(1, b"\0\x10\0\0")
                while True:
                    os.write(1, b" ")
                    time.sleep(0.01)
            say(id=number, annotate={"pid": os.getpid()})
        """#
}
