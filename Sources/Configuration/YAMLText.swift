import Messages

/// The bytes of a file, checked to be text that YAML allows, so that the parser meets nothing else.
enum YAMLText {
    /// - Throws: The first byte sequence that is not UTF-8, or the first character that YAML forbids.
    static func check(_ file: ConfigurationFile) throws(ConfigurationProblem) -> String {
        guard file.bytes.count <= ConfigurationFile.maximumLength else {
            throw ConfigurationProblem(
                file: file.name, line: 0, column: 0,
                message: "the file is longer than \(ConfigurationFile.maximumLength) bytes")
        }
        let bytes = file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? file.bytes.dropFirst(3) : file.bytes[...]
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let position = Self.end(of: Self.validPrefix(of: bytes))
            throw Self.problem(file, position, "this is not UTF-8")
        }
        if let index = text.unicodeScalars.firstIndex(where: { !Self.isAllowed($0) }) {
            let position = Self.end(of: text.unicodeScalars[..<index])
            let code = String(text.unicodeScalars[index].value, radix: 16, uppercase: true)
            let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
            throw Self.problem(file, position, "the character U+\(padded) may not stand in YAML")
        }
        return text
    }

    /// The characters of YAML 1.1, but for the byte order mark inside a text.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xFEFE, 0xFF00...0xFFFD, 0x10000...: true
        default: false
        }
    }

    /// Where the character after `prefix` stands.
    private static func end(of prefix: some Sequence<Unicode.Scalar>) -> Position {
        var position = Position(line: 1, column: 1)
        var previous: Unicode.Scalar = " "
        for scalar in prefix {
            if scalar == "\n" && previous == "\r" {
                // The line break was counted at the carriage return.
            } else if scalar == "\n" || scalar == "\r" {
                position = Position(line: position.line + 1, column: 1)
            } else {
                position.column += 1
            }
            previous = scalar
        }
        return position
    }

    private static func validPrefix(of bytes: ArraySlice<UInt8>) -> [Unicode.Scalar] {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var scalars: [Unicode.Scalar] = []
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { scalars.append(scalar) }
        return scalars
    }

    private static func problem(_ file: ConfigurationFile, _ position: Position, _ message: String)
        -> ConfigurationProblem
    {
        ConfigurationProblem(file: file.name, line: position.line, column: position.column, message: message)
    }
}
