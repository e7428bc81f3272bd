/// Makes a text that comes in pieces safe for a terminal, wherever it is cut.
///
/// A sequence of control characters needs its first one, which is replaced whatever follows. Only a carriage return waits for
/// the next piece: before a line feed it is part of a line's end.
struct TerminalFilter {
    private var held = ""

    mutating func pass(_ piece: String) -> String {
        var text = self.held + piece
        self.held = ""
        if text.unicodeScalars.last == "\r" {
            text.unicodeScalars.removeLast()
            self.held = "\r"
        }
        return TerminalText.escaped(text)
    }

    /// What is still held.
    mutating func finish() -> String {
        defer { self.held = "" }
        return TerminalText.escaped(self.held)
    }
}
