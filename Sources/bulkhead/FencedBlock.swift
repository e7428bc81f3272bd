/// A block of code in an answer: the lines between a fence of three or more backticks at the start of a line, perhaps with
/// a language after it, and the next line of exactly as many.
enum FencedBlock {
    /// The content of the first such block, or of the last one; `nil` where there is none.
    ///
    /// A fence that nothing closes is no fence.
    static func find(in text: String, last: Bool) -> String? {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var lastClosing: [Int: Int] = [:]
        for (index, line) in lines.enumerated() {
            if let length = Self.closing(line) { lastClosing[length] = index }
        }
        var found: String?
        var index = 0
        while index < lines.count {
            if let length = Self.opening(lines[index]), let bound = lastClosing[length], bound > index {
                let rest = lines[(index + 1)...bound]
                let end = rest.firstIndex { Self.closing($0) == length } ?? bound
                let content = text[lines[index + 1].startIndex..<lines[end].startIndex]
                if !last { return String(content) }
                found = String(content)
                index = end
            }
            index += 1
        }
        return found
    }

    private static let backtick = UInt8(ascii: "`")

    /// How many backticks a line has that may open a block: nothing behind them is a backtick.
    private static func opening(_ line: Substring.UTF8View) -> Int? {
        let length = line.prefix { $0 == Self.backtick }.count
        return length >= 3 && !line.dropFirst(length).contains(Self.backtick) ? length : nil
    }

    /// How many backticks a line has that may close a block: only spaces follow them.
    private static func closing(_ line: Substring.UTF8View) -> Int? {
        guard let length = Self.opening(line) else { return nil }
        var rest = line.dropFirst(length)
        if rest.last == UInt8(ascii: "\r") { rest = rest.dropLast() }
        return rest.allSatisfy { $0 == UInt8(ascii: " ") } ? length : nil
    }
}
