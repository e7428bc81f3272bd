import Foundation
import JSON
import Testing

/// Random texts never crash the reader, and it agrees with Foundation's on what is JSON.
struct JSONFuzzTests {
    private static let seeds: [String] = [
        #"{"id":"r1","op":"prompt","prompt":"gr\u00fc\u00dfe \ud83d\ude00","options":{"a":[1.5,-0,1e5,null,true,false]}}"#,
        #"[[],{},"",0,[[[]]],{"a":{"b":{"c":[]}}}]"#,
        #" { "a" : "é😀" , "b" : [ 1 , 2 ] } "#,
        #"{"n0":0,"n1":1,"n2":2,"n3":3,"n4":4,"n5":5,"n6":6,"n7":7,"n8":8,"n9":9}"#,
        #"[0.1,-1.25e-3,1E+2,"\\\"\/\b\f\n\r\t"]"#,
    ]
    private static let fragments: [[UInt8]] =
        [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "0", "-", ".", "e", "1", "true",
            "null", " ", "\n", "a", "é", "😀",
        ]
        .map { Array($0.utf8) } + [[0x80], [0xC3], [0xED, 0xA0, 0x80], [0xFF], [0x1F], [0x7F]]

    @Test func mutatedTextsAreReadAsFoundationReadsThem() {
        var random = SeededGenerator(seed: 1)
        var accepted = 0
        for round in 0..<20_000 {
            var bytes = Array(Self.seeds[round % Self.seeds.count].utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) { Self.mutate(&bytes, using: &random) }
            if Self.compare(bytes) { accepted += 1 }
        }
        #expect(
            (1_000...19_000).contains(accepted), "\(accepted) of 20,000 accepted: the mutations reach one side only")
    }

    @Test func textsMadeOfFragmentsAreReadAsFoundationReadsThem() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...12, using: &random)
            Self.compare((0..<count).flatMap { _ in Self.fragments.randomElement(using: &random)! })
        }
    }

    @Test func randomBytesNeverCrashTheReader() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            _ = try? JSONValue(parsing: bytes)
            _ = try? JSONValue(parsing: bytes, bounds: .lenient)
            _ = try? JSONObject(Array("{\"a\":".utf8) + bytes)
        }
    }

    @Test func whatIsAcceptedSurvivesBeingWrittenAndReadAgain() throws {
        var random = SeededGenerator(seed: 4)
        for round in 0..<5_000 {
            var bytes = Array(Self.seeds[round % Self.seeds.count].utf8)
            Self.mutate(&bytes, using: &random)
            guard let value = try? JSONValue(parsing: bytes, bounds: .lenient) else { continue }
            for format in [JSONFormat.compact, .pythonIndented, JSONFormat(isSpaced: true)] {
                // Two names may become one where halves of surrogate pairs were replaced.
                guard let again = try? JSONValue(parsing: value.serialized(format)) else {
                    #expect(String(decoding: bytes, as: UTF8.self).contains("\\u"))
                    continue
                }
                #expect(again.serialized() == value.serialized())
            }
        }
    }

    private static func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        let index = Int.random(in: 0..<max(bytes.count, 1), using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where !bytes.isEmpty: bytes.remove(at: index)
        case 1 where !bytes.isEmpty: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 2 where !bytes.isEmpty: bytes.removeSubrange(index...)
        case 3 where !bytes.isEmpty: bytes.insert(bytes.randomElement(using: &random)!, at: index)
        default: bytes.insert(contentsOf: Self.fragments.randomElement(using: &random)!, at: min(index, bytes.count))
        }
    }

    /// Whether both accept `bytes`. It is an issue when only one of them does, but for the differences that are meant:
    ///
    /// - Foundation takes duplicate names, and a comma before a closing bracket.
    /// - It reads other encodings than UTF-8, and skips a byte order mark.
    @discardableResult
    private static func compare(_ bytes: [UInt8]) -> Bool {
        let foundation = (try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])) != nil
        do {
            _ = try JSONValue(parsing: bytes)
            #expect(foundation, "only we accept \(bytes) \(String(decoding: bytes, as: UTF8.self))")
            return true
        } catch {
            let isMeant =
                [.trailingComma, .duplicateName, .tooDeep, .tooManyNodes].contains(error.reason) || bytes.contains(0)
                || bytes.starts(with: [0xEF, 0xBB, 0xBF]) || bytes.starts(with: [0xFE, 0xFF])
                || bytes.starts(with: [0xFF, 0xFE])
            #expect(
                !foundation || isMeant,
                "only Foundation accepts \(bytes) \(String(decoding: bytes, as: UTF8.self)): \(error)")
            return false
        }
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
