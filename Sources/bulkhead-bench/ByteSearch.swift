extension RandomAccessCollection where Element == UInt8, Index == Int {
    /// Where `text`, which is ASCII, begins for the first time; `nil` where it does not.
    ///
    /// For short texts in short heads: it looks for the first byte and compares from there. The standard library's
    /// `firstRange(of:)` took 60 µs for what the upstream looks for in a request, which was most of its time.
    func firstIndex(of text: StaticString) -> Int? {
        let length = text.utf8CodeUnitCount
        let first = text.utf8Start.pointee
        var index = self.startIndex
        while index + length <= self.endIndex {
            if self[index] == first, self.matches(text, at: index) { return index }
            index += 1
        }
        return nil
    }

    private func matches(_ text: StaticString, at index: Int) -> Bool {
        for offset in 1..<text.utf8CodeUnitCount where self[index + offset] != text.utf8Start[offset] { return false }
        return true
    }
}
