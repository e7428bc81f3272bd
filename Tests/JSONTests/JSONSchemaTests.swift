import JSON
import Testing

@Suite struct JSONSchemaTests {
    private static func problem(_ schema: String, _ value: String) throws -> String? {
        JSONSchema(try JSONValue(parsing: Array(schema.utf8))).problem(of: try JSONValue(parsing: Array(value.utf8)))
    }

    private static let dog = #"""
        {"type":"object","properties":{"name":{"type":"string","minLength":1},"age":{"type":"integer","minimum":0},
        "friends":{"type":"array","items":{"$ref":"#"},"maxItems":2},"kind":{"enum":["poodle","pug"]}},
        "required":["name"],"additionalProperties":false}
        """#

    @Test(arguments: [
        #"{"name":"Rex"}"#, #"{"name":"Rex","age":3.0,"kind":"pug"}"#, #"{"name":"a","friends":[{"name":"b"}]}"#,
    ])
    func whatFitsHasNoProblem(value: String) throws { #expect(try Self.problem(Self.dog, value) == nil) }

    @Test(arguments: [
        ("[]", "$ is not of type object"), (#"{"age":3}"#, "$ has no 'name'"),
        (#"{"name":""}"#, "$.name is beyond its minLength, 1"),
        (#"{"name":"a","age":3.5}"#, "$.age is not of type integer"),
        (#"{"name":"a","age":-1}"#, "$.age is beyond its minimum, 0"),
        (#"{"name":"a","kind":"cat"}"#, #"$.kind is none of ["poodle","pug"]"#),
        (#"{"name":"a","more":1}"#, "$ has 'more', which is not allowed"),
        (#"{"name":"a","friends":[{"name":"b"},{"age":1}]}"#, "$.friends[1] has no 'name'"),
        (
            #"{"name":"a","friends":[{"name":"b"},{"name":"b"},{"name":"b"}]}"#,
            "$.friends has 3 elements, maxItems is 2"
        ),
    ])
    func theFirstProblemIsNamedWithItsPlace(value: String, problem: String) throws {
        #expect(try Self.problem(Self.dog, value) == problem)
    }

    @Test func choicesAndConstants() throws {
        #expect(try Self.problem(#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#, "null") == nil)
        #expect(
            try Self.problem(#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#, "1") == "$ fits none of its choices")
        // Choices may differ by what is not checked.
        #expect(try Self.problem(#"{"oneOf":[{"pattern":"^a"},{"pattern":"^b"}]}"#, #""abc""#) == nil)
        #expect(try Self.problem(#"{"allOf":[{"type":"number"},{"maximum":0}]}"#, "1") == "$ is beyond its maximum, 0")
        #expect(try Self.problem(#"{"const":{"a":1,"b":[2]}}"#, #"{"b":[2.0],"a":1e0}"#) == nil)
        #expect(try Self.problem(#"{"const":1}"#, "true") == "$ is not 1")
        #expect(try Self.problem(#"{"type":["string","null"]}"#, "1") == "$ is not of type string or null")
    }

    @Test func referencesAreFollowedWithinTheSchemaAndNotForEver() throws {
        let schema = ##"{"$defs":{"n":{"type":"integer"}},"properties":{"a":{"$ref":"#/$defs/n"}}}"##
        #expect(try Self.problem(schema, #"{"a":"x"}"#) == "$.a is not of type integer")
        #expect(try Self.problem(##"{"$ref":"#"}"##, "1") == nil)
        #expect(try Self.problem(#"{"$ref":"https://example.org/schema"}"#, "1") == nil)
    }

    @Test(arguments: [
        (#"{"type":"string","nullable":true,"enum":["a"]}"#, "null"), (#"{"type":"STRING"}"#, #""a""#),
        (#"{"type":"any"}"#, "1"), (#"{"type":[]}"#, "1"), (#"{"type":{}}"#, "1"), (#"{"type":"integer"}"#, "1.0"),
    ])
    func whatIsInDoubtFits(schema: String, value: String) throws { #expect(try Self.problem(schema, value) == nil) }

    /// Each level has two choices of two: without a bound of steps this would not end.
    @Test func choicesOfChoicesEnd() throws {
        #expect(try Self.problem(##"{"anyOf":[{"$ref":"#"},{"$ref":"#"}],"type":"string"}"##, "1") != "for ever")
    }

    @Test func whatIsNotKnownIsNotRefused() throws {
        let schema =
            #"{"pattern":"^a","format":"date","if":false,"patternProperties":{"^x":{}},"additionalProperties":false}"#
        #expect(try Self.problem(schema, #"{"x1":"b"}"#) == nil)
    }
}
