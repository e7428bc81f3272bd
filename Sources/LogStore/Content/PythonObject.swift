import JSON

/// A JSON object that is stored where llm reads it.
enum PythonObject {
    /// The object, or `{"_raw": "…"}` where Python could not read it: one such value would end every listing of llm.
    static func value(of json: [UInt8]) -> JSONValue {
        guard let value = try? JSONValue(parsing: json, bounds: .lenient), value.members != nil else {
            return Self.raw(String(decoding: json, as: UTF8.self))
        }
        return value.isReadableByPython ? value : Self.raw(String(decoding: json, as: UTF8.self))
    }

    /// The value, or its text where Python could not read it.
    static func readable(_ value: JSONValue) -> JSONValue {
        value.isReadableByPython ? value : Self.raw(value.text())
    }

    /// An object that holds what is none.
    static func raw(_ text: String) -> JSONValue { .object([JSONValue.Member("_raw", .string(text))]) }

    /// The text of an object as llm stores it; `nil` for an empty one.
    static func text(of json: [UInt8]) -> String? {
        let value = Self.value(of: json)
        return value.members?.isEmpty == false ? PythonJSON.text(value, .plain) : nil
    }

    /// The text of a prompt's options as llm stores them: without those that are null, and `nil` where none are left.
    static func options(_ json: [UInt8]) -> String? {
        let members = Self.value(of: json).members?.filter { !$0.value.isNull } ?? []
        return members.isEmpty ? nil : PythonJSON.text(.object(members), .plain)
    }
}
