import BulkheadClient

/// The tokens that a request used, as llm writes them: `1,234 input, 5 output, {"cached": 1024}`.
enum UsageText {
    static func make(_ usage: Usage?) -> String {
        var parts: [String] = []
        if let input = usage?.input { parts.append("\(Self.grouped(input)) input") }
        if let output = usage?.output { parts.append("\(Self.grouped(output)) output") }
        if let details = usage?.details, let value = try? JSONValue(parsing: details), value.members?.isEmpty == false {
            parts.append(value.text(JSONFormat(isSpaced: true, escapesNonASCII: true)))
        }
        return "Token usage: " + (parts.isEmpty ? "not counted by the provider" : parts.joined(separator: ", "))
    }

    /// `1,234,567`
    private static func grouped(_ count: Int) -> String {
        let digits = Array(String(count))
        return digits.indices.reduce(into: "") { text, index in
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digits[index])
        }
    }
}
