import Foundation
import JSON
import Testing

/// The texts of proto/vectors/json.json.
struct JSONVectorTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        var compact: String?
        var reason: String?

        var testDescription: String { self.name }

        init(_ value: JSONValue) throws {
            self.name = try #require(value["name"]?.string)
            if let hex = value["hex"]?.string {
                let digits = Array(hex.utf8)
                self.bytes = try stride(from: 0, to: digits.count, by: 2).map {
                    try #require(UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16))
                }
            } else {
                self.bytes = Array(try #require(value["text"]?.string).utf8)
            }
            self.compact = value["compact"]?.string
            self.reason = value["reason"]?.string
        }
    }

    static let vectors: [Vector] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../proto/vectors/json.json")
        do {
            let list = try JSONValue(parsing: Array(try Data(contentsOf: file)))
            return try list.array!.map(Vector.init)
        } catch {
            Issue.record(error, "proto/vectors/json.json cannot be read")
            return []
        }
    }()

    @Test func thereAreVectorsOfBothKinds() {
        #expect(Self.vectors.count { $0.name.hasPrefix("y_") && $0.reason == nil } > 40)
        #expect(Self.vectors.count { $0.name.hasPrefix("n_") && $0.reason != nil } > 100)
        #expect(Set(Self.vectors.map(\.name)).count == Self.vectors.count)
    }

    @Test(arguments: vectors)
    func aTextIsAcceptedOrRefusedAsWritten(_ vector: Vector) throws {
        if let reason = vector.reason {
            let error = #expect(throws: JSONError.self) { try JSONValue(parsing: vector.bytes) }
            #expect(error.map { "\($0.reason)" } == reason)
            #expect(error.map { (0...vector.bytes.count).contains($0.offset) } == true)
        } else {
            let value = try JSONValue(parsing: vector.bytes)
            if let compact = vector.compact { #expect(value.serialized() == Array(compact.utf8)) }
        }
    }

    @Test(arguments: vectors)
    func aTextMeansTheSameAsAMember(_ vector: Vector) throws {
        let wrapped = Array("{\"before\":[],\"value\":".utf8) + vector.bytes + Array(",\"after\":{}}".utf8)
        if vector.reason == nil {
            let object = try JSONObject(wrapped)
            #expect(object.members.map(\.name) == ["before", "value", "after"])
            #expect(try object["value"]?.value == JSONValue(parsing: vector.bytes))
            #expect(try JSONValue(parsing: Array(#require(object["value"]).raw)) == JSONValue(parsing: vector.bytes))
        } else {
            #expect(throws: JSONError.self) { try JSONObject(wrapped) }
        }
    }

    @Test(arguments: vectors.filter { $0.name.hasPrefix("n_surrogate") && $0.name != "n_surrogate_high_then_cut" })
    func aProvidersHalfPairIsReadAsAReplacementCharacter(_ vector: Vector) throws {
        let value = try JSONValue(parsing: vector.bytes, bounds: .lenient)
        #expect(value.string?.unicodeScalars.contains("\u{FFFD}") == true)
    }

    @Test func halfAPairBeforeAWholeOneLeavesTheWholeOne() throws {
        #expect(try JSONValue(parsing: #""\ud83d\ud83d\ude00""#, bounds: .lenient) == .string("\u{FFFD}😀"))
    }
}
