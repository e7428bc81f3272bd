import JSON
import Testing

struct JSONBoundsTests {
    private static func nested(_ depth: Int, _ opening: String = "[", _ closing: String = "]") -> String {
        String(repeating: opening, count: depth) + String(repeating: closing, count: depth)
    }

    private static func reason(_ text: String, _ bounds: JSONBounds = JSONBounds()) -> JSONError.Reason? {
        do {
            _ = try JSONValue(parsing: text, bounds: bounds)
            return nil
        } catch { return error.reason }
    }

    @Test func sixtyFourLevelsAreAcceptedAndOneMoreIsNot() {
        #expect(Self.reason(Self.nested(64)) == nil)
        #expect(Self.reason(Self.nested(65)) == .tooDeep)
        #expect(Self.reason(Self.nested(64, "{\"a\":[", "]}")) == .tooDeep)
        #expect(Self.reason(Self.nested(32, "{\"a\":[", "]}")) == nil)
        #expect(Self.reason(Self.nested(3), JSONBounds(depth: 3)) == nil)
        #expect(Self.reason(Self.nested(4), JSONBounds(depth: 3)) == .tooDeep)
    }

    @Test func siblingsDoNotAddToTheDepth() {
        #expect(
            Self.reason("[" + repeatElement("[]", count: 1000).joined(separator: ",") + "]", JSONBounds(depth: 2))
                == nil)
    }

    @Test func aHundredThousandLevelsAreRefusedAtTheFirstTooMany() {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 100_000)) }
        #expect(error == JSONError(.tooDeep, at: 64))
    }

    @Test func everyValueCountsAndNamesDoNot() {
        let text = #"{"a":[1,"b",null],"c":{}}"#
        #expect(Self.reason(text, JSONBounds(nodes: 6)) == nil)
        #expect(Self.reason(text, JSONBounds(nodes: 5)) == .tooManyNodes)
    }

    @Test func asManyValuesAsAllowedAreAccepted() {
        #expect(Self.reason("[" + repeatElement("1", count: 262_143).joined(separator: ",") + "]") == nil)
        #expect(Self.reason("[" + repeatElement("1", count: 262_144).joined(separator: ",") + "]") == .tooManyNodes)
    }

    @Test func anObjectOfManyMembersIsReadWholeAndItsOneDuplicateIsFound() throws {
        var text = "{" + (0..<100_000).map { "\"member \($0)\":\($0)" }.joined(separator: ",")
        let object = try JSONObject(Array((text + "}").utf8))
        #expect(object.members.count == 100_000)
        #expect(object["member 99999"]?.integer == 99_999)

        text += #","m\u0065mber 50000":0}"#
        #expect(Self.reason(text) == .duplicateName)
    }

    @Test(arguments: [2, 8, 9, 10, 100])
    func aDuplicateIsFoundAmongAnyNumberOfNames(_ count: Int) {
        let members = (0..<count).map { "\"n\($0)\":\($0)" }
        #expect(Self.reason("{" + members.joined(separator: ",") + "}") == nil)
        for duplicate in [0, count / 2, count - 1] {
            #expect(
                Self.reason("{" + (members + ["\"n\(duplicate)\":0"]).joined(separator: ",") + "}") == .duplicateName)
            #expect(
                Self.reason("{" + (["\"\\u006e\(duplicate)\":0"] + members).joined(separator: ",") + "}")
                    == .duplicateName)
        }
    }

    @Test func namesThatOnlyLookAlikeAreTwo() throws {
        let text = #"{"\#u{E9}":1,"e\#u{301}":2}"#
        #expect(try JSONValue(parsing: text).members?.count == 2)
        let many = (0..<20).map { "\"n\($0)\":0," }.joined()
        #expect(try JSONValue(parsing: "{\(many)\"\u{E9}\":1,\"e\u{301}\":2}").members?.count == 22)
    }

    @Test func anErrorSaysWhatAndWhere() {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: #"{"a":1,}"#) }
        #expect(error?.description == "a comma before a closing bracket at byte 7")
        let duplicate = #expect(throws: JSONError.self) { try JSONValue(parsing: #"{"a":1,"b":2,"a":3}"#) }
        #expect(duplicate == JSONError(.duplicateName, at: 13))
    }
}
