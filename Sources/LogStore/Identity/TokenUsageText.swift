import JSON

/// What a request used, in the words of llm: `1,234 input, 5 output, {"cached": 4}`.
enum TokenUsageText {
    /// - Parameter details: What else was counted; left out where there is nothing.
    static func of(input: Int?, output: Int?, details: JSONValue?) -> String {
        var parts: [String] = []
        if let input { parts.append("\(Self.grouped(input)) input") }
        if let output { parts.append("\(Self.grouped(output)) output") }
        if let details, details.members?.isEmpty == false { parts.append(PythonJSON.text(details, .plain)) }
        return parts.joined(separator: ", ")
    }

    /// The digits in groups of three.
    private static func grouped(_ count: Int) -> String {
        let digits = Array(String(count))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, digit != "-", digits[index - 1] != "-", (digits.count - index).isMultiple(of: 3) {
                text.append(",")
            }
            text.append(digit)
        }
        return text
    }
}
