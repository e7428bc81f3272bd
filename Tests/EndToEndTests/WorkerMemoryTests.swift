import Foundation
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// What one slot may cost, in each of the APIs: docs/operations.md, "Memory".
    @Suite struct WorkerMemory {
        private static let long = 15 << 20

        @Test func theLongestAnswersAndRequestsStayWithinTheBoundAndAreGivenBack() throws {
            let upstream = try TestUpstream()
            defer { upstream.stop() }
            let house = try HostileHouse(upstream)
            func peak(_ api: SpokenAPI) throws -> Int {
                try ProcFS.kilobytes("VmHWM", of: try house.daemon.worker(api.name)) >> 10
            }
            for api in SpokenAPI.all {
                let wire = try Wire(house.daemon.socket)
                func answer(_ response: UpstreamResponse) throws -> JSONValue {
                    for path in api.paths { upstream.script(path, response) }
                    try wire.prompt(1, model: api.name, stream: false)
                    return try wire.finish(1).last
                }
                // A text, and as many values as are accepted, which are arrays.
                let text = String(repeating: "x", count: Self.long)
                let whole = try answer(.json(api.whole.replacingOccurrences(of: "hello", with: text)))
                #expect(whole["text"]?.string?.utf8.count == Self.long, "\(api.name)")
                let arrays = String(repeating: "[\"\(String(repeating: "x", count: 110))\"],", count: 130_000)
                #expect(try answer(.json(api.whole.dropLast() + ",\"x\":[\(arrays)0]}"))["text"]?.string == "hello")
                let held = try peak(api)
                #expect(held < HostileHouse.memoryBound, "\(api.name): \(held) MiB")

                let picture = Data(repeating: 0x25, count: Self.long / 4 * 3).base64EncodedString()
                let attachment = #"{"type":"image/png","content":"\#(picture)"}"#
                for path in api.paths { upstream.script(path, .json(api.whole)) }
                try wire.send(
                    #"{"id":1,"op":"prompt","prompt":"What is it?","model":"\#(api.name)","attachments":[\#(attachment)]}"#
                )
                #expect(try wire.finish(1).text == "hello")
                // A request counts five times its length.
                #expect(try peak(api) < HostileHouse.memoryBound + 5 * Self.long >> 20, "\(api.name)")
                // What is left of it is the memory of the many values.
                let rest = try ProcFS.kilobytes("VmRSS", of: try house.daemon.worker(api.name)) >> 10
                #expect(rest < 64, "\(api.name): \(rest) MiB")
            }
        }
    }
}
