import JSON
import Testing

@Suite struct JSONElementsTests {
    private static func slice(_ text: String) throws -> JSONSlice {
        try #require(try JSONObject(Array(#"{"before":[9],"a":\#(text),"after":1}"#.utf8))["a"])
    }

    @Test(arguments: [
        "[]", " [ ] ", "[1]", "[ 1 ,\n\t2.50 , -0e5 ]", #"["a","b\"]","\\",""]"#, #"[[1,[2]],{"a":"]}"},[]]"#,
        "[true,false,null]", #"[{"x":[1,2]} , "[" , [ "}" ] ]"#,
    ])
    func areWhatTheBuiltArrayHolds(text: String) throws {
        let slice = try Self.slice(text)
        let elements = try #require(slice.elements)
        #expect(elements.map(\.value) == slice.value.array)
        let kinds = try #require(slice.value.array).map { value -> JSONToken.Kind in
            switch value {
            case .null: .null
            case .bool: .bool
            case .number: .number
            case .string: .string
            case .array: .array
            case .object: .object
            }
        }
        #expect(elements.map(\.kind) == kinds)
        #expect(elements.map(\.string) == slice.value.array?.map(\.string))
    }

    @Test func keepTheTextOfNumbers() throws {
        let elements = try #require(try Self.slice("[1.50, -0 ,1E-3]").elements)
        #expect(elements.map { String(decoding: $0.raw, as: UTF8.self) } == ["1.50", "-0", "1E-3"])
    }

    @Test(arguments: ["1", #""[1]""#, "{}", "null"])
    func areThoseOfAnArrayOnly(text: String) throws {
        #expect(try Self.slice(text).elements == nil)
    }
}
