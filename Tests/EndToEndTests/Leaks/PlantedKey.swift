import Foundation

/// A key that a test has put somewhere, and the forms in which it could turn up elsewhere.
struct PlantedKey: Sendable, CustomStringConvertible {
    let name: String
    let value: String

    init(_ name: String) {
        self.name = name
        self.value = "sk-planted-\(name.lowercased())-0123456789"
    }

    var description: String { self.name }

    private var forms: [Data] {
        let text = Data(self.value.utf8)
        // What is the same in every base64 text that holds it, after so many other bytes.
        let base64 = (0...2).map { offset in
            let whole = (Data(repeating: 0, count: offset) + text).base64EncodedString()
            return Data(whole.dropFirst(offset + 2).prefix(text.count).utf8)
        }
        let escaped = self.value.utf8.map { "%" + String($0, radix: 16) }.joined()
        let hexadecimal = self.value.utf8.map { String($0, radix: 16) }.joined()
        return [text, Data(self.value.utf8.reversed()), Data(escaped.utf8), Data(hexadecimal.utf8)] + base64
    }

    /// Whether it is in some bytes, in any form.
    func isIn(_ bytes: Data) -> Bool { self.forms.contains { bytes.range(of: $0) != nil } }
}
