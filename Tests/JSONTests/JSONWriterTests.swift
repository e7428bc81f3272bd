import Foundation
import JSON
import Testing

struct JSONWriterTests {
    @Test func compactTextHasNoSpace() throws {
        let value = try JSONValue(parsing: #" { "a" : [ 1 , { } , [ ] ] , "b" : null } "#)
        #expect(value.text() == #"{"a":[1,{},[]],"b":null}"#)
    }

    @Test func spacedTextIsPythonsDefault() throws {
        let value = try JSONValue(parsing: #"{"a":[1,{},[]],"b":"é"}"#)
        let format = JSONFormat(isSpaced: true, escapesNonASCII: true)
        #expect(value.text(format) == #"{"a": [1, {}, []], "b": "\u00e9"}"#)
    }

    @Test func indentedTextIsPythonsByteForByte() throws {
        let value = try JSONValue(
            parsing:
                #"{"a":[1,2.50,{"b":[]},[[]]],"c":{},"d":"\u00fc \ud83d\ude00 \u0000\u001f\u007f\b\f\n\r\t\"\\\/","e":[]}"#
        )
        // What `json.dumps(value, indent=2)` printed.
        let expected = #"""
            {
              "a": [
                1,
                2.50,
                {
                  "b": []
                },
                [
                  []
                ]
              ],
              "c": {},
              "d": "\u00fc \ud83d\ude00 \u0000\u001f\u007f\b\f\n\r\t\"\\/",
              "e": []
            }
            """#
        #expect(value.text(.pythonIndented) == expected)
    }

    @Test func everyCharacterIsEscapedAsPythonDoes() {
        for scalar in (0..<0x300 as Range<UInt32>).compactMap(Unicode.Scalar.init) {
            let escaped = JSONValue.string(String(scalar)).text(JSONFormat(escapesNonASCII: true))
            #expect(escaped == Self.pythonEscape(scalar), "U+\(String(scalar.value, radix: 16))")
        }
    }

    /// Python's `ESCAPE_ASCII` is `([\\"]|[^\ -~])`, with short escapes for seven characters.
    private static func pythonEscape(_ scalar: Unicode.Scalar) -> String {
        let short: [Unicode.Scalar: String] = [
            "\"": #"\""#, "\\": #"\\"#, "\n": #"\n"#, "\r": #"\r"#, "\t": #"\t"#, "\u{8}": #"\b"#, "\u{c}": #"\f"#,
        ]
        if let escape = short[scalar] { return "\"\(escape)\"" }
        if (" "..."~").contains(scalar) { return "\"\(scalar)\"" }
        return "\"\\u" + String(format: "%04x", scalar.value) + "\""
    }

    @Test func compactTextKeepsEverythingBeyondControlCharacters() {
        #expect(JSONValue.string("ü😀\u{7F}\u{2028}\u{1}").text() == "\"ü😀\u{7F}\u{2028}\\u0001\"")
    }

    @Test func numbersKeepTheirText() throws {
        let text = "[1.0,-0,1E5,1e+05,123456789012345678901234567890,0.10,-0.0e-0]"
        #expect(try JSONValue(parsing: text).text() == text)
    }

    @Test func aBuilderSeparatesMembersWithCommas() {
        var object = JSONObjectBuilder()
        object.add("text", "a\"b")
        object.add("integer", -5)
        object.add("bool", true)
        object.add("value", .array([.null]))
        object.add("raw", raw: Array(#"{"x":1}"#.utf8))
        object.add("elements", rawElements: [Array("1".utf8), Array("2".utf8)])
        object.add("absent", ifPresent: String?.none)
        object.add("present", ifPresent: 7)
        let expected =
            #"{"text":"a\"b","integer":-5,"bool":true,"value":[null],"raw":{"x":1},"elements":[1,2],"present":7}"#
        #expect(String(decoding: object.bytes, as: UTF8.self) == expected)
        #expect(String(decoding: object.finish(), as: UTF8.self) == expected)
    }

    @Test(arguments: [
        (#"{"a":1,"b":{}}"#, #"{"id":1,"a":1,"b":{}}"#),
        (" \r\n{\"a\":1} \t\n", #"{"id":1,"a":1}"#),
        ("{}", #"{"id":1}"#),
        ("{ \n}", #"{"id":1}"#),
    ])
    func membersOfAnObjectAreAddedWhateverSpaceIsAroundThem(_ text: String, _ expected: String) throws {
        var object = JSONObjectBuilder()
        object.add("id", 1)
        object.addMembers(ofObject: Array(text.utf8))
        #expect(try JSONValue(parsing: object.bytes).text() == expected)
    }

    @Test func membersCanComeFirst() throws {
        var object = JSONObjectBuilder()
        object.addMembers(ofObject: Array("{ }".utf8))
        object.addMembers(ofObject: Array(#"{"a":1}"#.utf8))
        object.add("b", 2)
        #expect(String(decoding: object.finish(), as: UTF8.self) == #"{"a":1,"b":2}"#)
    }
}
