import JSON
import Testing

struct JSONObjectTests {
    private static func object(_ text: String) throws -> JSONObject { try JSONObject(Array(text.utf8)) }

    @Test func membersStandInTheOrderOfTheTextWithTheirBytes() throws {
        let object = try Self.object(#" { "b" : [ 1, {"x": 2} ] , "a" : "t\u0065xt" , "n" : 1.50 } "#)
        #expect(object.members.map(\.name) == ["b", "a", "n"])
        #expect(object["b"].map { String(decoding: $0.raw, as: UTF8.self) } == #"[ 1, {"x": 2} ]"#)
        #expect(object["a"].map { String(decoding: $0.raw, as: UTF8.self) } == #""t\u0065xt""#)
        #expect(object["a"]?.string == "text")
        #expect(object["n"].map { String(decoding: $0.raw, as: UTF8.self) } == "1.50")
        #expect(object["x"] == nil)
    }

    @Test func onlyTheOutermostMembersAreMembers() throws {
        let object = try Self.object(#"{"a":{"b":{"c":1}},"d":[{"e":1}]}"#)
        #expect(object.members.map(\.name) == ["a", "d"])
        #expect(object["a"]?.object?["b"]?.object?["c"]?.integer == 1)
        #expect(object["d"]?.object == nil)
        #expect(object["d"]?.value[0]?["e"]?.integer == 1)
    }

    @Test func anythingButAnObjectIsRefused() {
        for text in ["[]", "1", "\"a\"", "null", "[{}]"] {
            let error = #expect(throws: JSONError.self) { try Self.object(text) }
            #expect(error?.reason == .notAnObject)
        }
    }

    @Test func aSliceIsOfItsKindOnly() throws {
        let object = try Self.object(#"{"null":null,"bool":false,"number":1,"string":"1","array":[],"object":{}}"#)
        for member in object.members {
            let slice = object.slice(member)
            #expect(slice.kind.rawValue == member.name)
            #expect(slice.isNull == (member.name == "null"))
            #expect((slice.bool != nil) == (member.name == "bool"))
            #expect((slice.integer != nil) == (member.name == "number"))
            #expect((slice.string != nil) == (member.name == "string"))
            #expect((slice.object != nil) == (member.name == "object"))
        }
        #expect(object["bool"]?.bool == false)
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("18446744073709551616", nil),
            ("100000000000000000000000000000", nil), ("1.0", nil), ("1e3", nil), ("-1.5", nil),
        ] as [(String, Int64?)])
    func anIntegerFitsOrIsNone(_ text: String, _ expected: Int64?) throws {
        #expect(try Self.object("{\"a\":\(text)}")["a"]?.integer == expected)
        #expect(try JSONValue(parsing: text).integer == expected.map { Int($0) })
    }

    @Test func aStringIsReadWithAllItsEscapes() throws {
        let object = try Self.object(#"{"a":"\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00 é😀"}"#)
        #expect(object["a"]?.string == "\"\\/\u{8}\u{c}\n\r\t\0é😀 é😀")
    }

    @Test func aLongEscapedStringIsReadWhole() throws {
        let text = String(repeating: #"\u00e9\n"#, count: 100_000)
        #expect(try Self.object("{\"a\":\"\(text)\"}")["a"]?.string == String(repeating: "é\n", count: 100_000))
    }

    @Test func aValueIsReadByNameAndIndex() throws {
        let value = try JSONValue(parsing: #"{"a":[{"b":true}],"c":null,"d":1.5}"#)
        #expect(value["a"]?[0]?["b"]?.bool == true)
        #expect(value["a"]?[1] == nil)
        #expect(value["a"]?["b"] == nil)
        #expect(value["c"]?.isNull == true)
        #expect(value["d"] == .number("1.5"))
        #expect(value["d"]?.integer == nil)
        #expect(value.members?.map(\.name) == ["a", "c", "d"])
    }
}
