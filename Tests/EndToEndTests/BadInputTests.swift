import Foundation
import Framing
import JSON
import Testing

extension EndToEnd {
    /// Whatever a client sends, it gets the documented error or close, and the daemon serves on.
    @Suite struct BadInput {
        /// Asserts that a bystander is served by the same daemon.
        private func expectAlive(_ daemon: Daemon, sourceLocation: SourceLocation = #_sourceLocation) throws {
            #expect(daemon.process.isRunning, sourceLocation: sourceLocation)
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, #"{"raw":"still here"}"#)
            #expect(try wire.finish(1).text == "still here", sourceLocation: sourceLocation)
        }

        @Test func whatCannotBeReadIsToldWithoutAnIdAndClosed() throws {
            let daemon = try Daemon()
            let deep = String(repeating: "[", count: 100_000)
            let wide = "{\"id\":1,\"op\":\"ping\",\"x\":[" + String(repeating: "[],", count: (16 << 20) / 3 - 20)
            let cases: [(String, [UInt8], String)] = [
                ("a length over the bound", [0x01, 0, 0, 1], "invalid_frame"),
                ("an HTTP request", Array("GET / HTTP/1.1\r\n\r\n".utf8), "invalid_frame"),
                ("not JSON", FrameEncoder.encode(Array("hello".utf8)), "invalid_json"),
                ("an empty frame", [0, 0, 0, 0], "invalid_json"),
                ("no object", FrameEncoder.encode(Array("[1,2]".utf8)), "invalid_json"),
                ("nested too deep", FrameEncoder.encode(Array("{\"id\":1,\"op\":\(deep)".utf8)), "invalid_json"),
                ("16 MiB of arrays", FrameEncoder.encode(Array(wide.utf8)), "invalid_json"),
                (
                    "a duplicate name", FrameEncoder.encode(Array(#"{"id":1,"op":"ping","op":"ping"}"#.utf8)),
                    "invalid_json"
                ),
                (
                    "a duplicate name, escaped",
                    FrameEncoder.encode(Array(#"{"id":1,"op":"ping","\u006fp":"ping"}"#.utf8)), "invalid_json"
                ),
                ("a trailing comma", FrameEncoder.encode(Array(#"{"id":1,"op":"ping",}"#.utf8)), "invalid_json"),
                (
                    "invalid UTF-8",
                    FrameEncoder.encode(Array(#"{"id":1,"op":"ping","x":""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8)),
                    "invalid_json"
                ),
                ("no id", FrameEncoder.encode(Array(#"{"op":"ping"}"#.utf8)), "invalid_request"),
                ("an id that is none", FrameEncoder.encode(Array(#"{"id":1.5,"op":"ping"}"#.utf8)), "invalid_request"),
            ]
            for (name, bytes, code) in cases {
                let wire = try Wire(daemon.socket)
                try wire.sendBytes(bytes)
                let answer = try wire.next()
                #expect(answer["id"] == .null, "\(name)")
                #expect(answer.errorCode == code, "\(name): \(answer.text())")
                #expect(try wire.receive() == nil, "\(name): the connection closes")
            }
            try self.expectAlive(daemon)
        }

        @Test func whatCanBeReadIsToldUnderItsIdAndTheConnectionLives() throws {
            let daemon = try Daemon()
            let wire = try Wire(daemon.socket)
            let cases = [
                (#"{"id":1,"op":"promt"}"#, "unknown_op", "did you mean 'prompt'?"),
                (#"{"id":1}"#, "invalid_request", "'op' is missing"),
                (#"{"id":1,"op":7}"#, "invalid_request", "'op' must be a string"),
                (#"{"id":1,"op":"prompt","promt":"x"}"#, "invalid_request", "did you mean 'prompt'?"),
                (#"{"id":1,"op":"prompt","prompt":["x"]}"#, "invalid_request", "'prompt' must be a string"),
                (#"{"id":1,"op":"prompt","options":"x"}"#, "invalid_request", "'options' must be an object"),
                (#"{"id":1,"op":"prompt","timeout_ms":0}"#, "invalid_request", "between 1 and"),
                (#"{"id":1,"op":"prompt","group":"g"}"#, "invalid_request", "'group'"),
                (#"{"id":1,"op":"hello"}"#, "not_supported", "'hello'"),
                (#"{"id":1,"op":"usage"}"#, "not_supported", "'usage'"),
                (#"{"id":1,"op":"prompt","model":"ehco"}"#, "unknown_model", "unknown model 'ehco'"),
                (#"{"id":1,"op":"cancel","target":"nobody"}"#, "not_found", "\"nobody\""),
                (#"{"id":1,"op":"cancel"}"#, "invalid_request", "'target'"),
            ]
            for (text, code, message) in cases {
                try wire.send(text)
                let answer = try wire.next()
                #expect(answer["id"]?.integer == 1, "\(text)")
                #expect(answer.errorCode == code, "\(text): \(answer.text())")
                #expect(answer.errorMessage?.contains(message) == true, "\(text): \(answer.text())")
            }
            try wire.prompt(2)
            #expect(try wire.finish(2).last["event"]?.string == "done")
            #expect(try daemon.rows().count == 1, "what is refused at the door has no row")
        }

        @Test func aDuplicateIdClosesAndItsFirstRequestIsOnRecord() throws {
            let daemon = try Daemon(
                "testing: true\nproviders: {fault: {type: echo-fault}, echo: {type: echo}}\ndefault_model: echo")
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, model: "echo-fault", options: #"{"fault":"silent"}"#)
            try wire.await("start", 1)
            try wire.prompt(1)
            let answer = try wire.next()
            #expect(answer["id"] == .null)
            #expect(answer.errorCode == "duplicate_id")
            #expect(try wire.receive() == nil)
            try wait(for: "the first request's row to close") { try daemon.rowStates() == ["cancelled": 1] }
            try self.expectAlive(daemon)
        }

        @Test func tenThousandRequestsOnOneConnectionEachGetOneLastFrame() throws {
            let daemon = try Daemon()
            let wire = try Wire(daemon.socket)
            let sender = Thread { for id in 1...10_000 { try? wire.prompt(id, #"{"raw":"x"}"#) } }
            sender.start()
            var last: [Int: Int] = [:]
            var codes: [String: Int] = [:]
            while last.count < 10_000 {
                let frame = try wire.next()
                guard let event = frame["event"]?.string, event == "done" || event == "error" else { continue }
                last[try #require(frame["id"]?.integer), default: 0] += 1
                codes[frame.errorCode ?? "done", default: 0] += 1
            }
            #expect(last.values.allSatisfy { $0 == 1 })
            #expect(Set(codes.keys).isSubset(of: ["done", "too_many_requests", "overloaded"]), "\(codes)")
            #expect(try daemon.rowStates() == ["done": try #require(codes["done"])])
            try self.expectAlive(daemon)
        }

        @Test func aClientThatSaysNothingIsClosedWithAReasonAndHalfAFrameToo() throws {
            let daemon = try Daemon()
            let silent = try Wire(daemon.socket), half = try Wire(daemon.socket)
            try half.sendBytes([0, 0, 0, 50, UInt8(ascii: "{")])
            for wire in [silent, half] {
                let answer = try wire.next()
                #expect(answer["id"] == .null)
                #expect(answer.errorCode == "connection_timeout")
                #expect(try wire.receive() == nil)
            }
            try self.expectAlive(daemon)
        }

        @Test func halfAFrameAndGoneLeavesNothing() throws {
            let daemon = try Daemon()
            let before = try ProcFS.descriptorCount(daemon.pid)
            for length in [UInt8(1), 2, 3, 4] {
                let wire = try Wire(daemon.socket)
                try wire.sendBytes(Array([0, 0, 1, 0][..<Int(length)]))
            }
            for _ in 0..<20 {
                let wire = try Wire(daemon.socket)
                try wire.sendBytes([0, 0xFF, 0, 0] + Array(repeating: UInt8(ascii: " "), count: 100_000))
            }
            try wait(for: "the descriptors to be closed") { try ProcFS.descriptorCount(daemon.pid) <= before }
            try wait(for: "the memory to be given back") { try daemon.status()["memory"]?["used_bytes"]?.integer == 0 }
            try self.expectAlive(daemon)
        }

        @Test func moreConnectionsThanTheBoundAreToldSo() throws {
            let daemon = try Daemon()
            var wires: [Wire] = []
            try wait(for: "the connection that asked for the status to be gone") {
                try daemon.status()["connections"]?.integer == 1
            }
            for _ in 0..<512 { wires.append(try Wire(daemon.socket)) }
            for wire in wires { try wire.send(#"{"id":1,"op":"ping"}"#) }
            for wire in wires { #expect(try wire.next()["event"]?.string == "done") }
            let late = try Wire(daemon.socket)
            #expect(try late.next().errorCode == "too_many_connections")
            #expect(try late.receive() == nil)
            wires.removeAll()
            try wait(for: "the connections to be closed") { (try? daemon.status())?["connections"]?.integer == 1 }
            try self.expectAlive(daemon)
        }
    }
}
