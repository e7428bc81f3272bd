import Messages

/// Reads the field `socket`: a path, or `{path, mode, group}`.
struct SocketReader {
    /// As it is written, even where it was refused.
    private(set) var path: String?
    private(set) var mode = 0o660
    private(set) var group: Int?

    init(_ field: YAMLValue?, groupID: (String) -> Int?) {
        guard let field else { return }
        if case .string = field.kind {
            self.path = Self.readPath(field)
            return
        }
        guard let fields = field.mapping(SupportedFields.socket, expected: "a path or {path, mode, group}") else {
            return
        }
        self.path = fields["path"].flatMap(Self.readPath)
        self.mode = fields["mode"].flatMap(Self.readMode) ?? self.mode
        self.group = fields["group"].flatMap { Self.readGroup($0, groupID) }
    }

    private static func readPath(_ field: YAMLValue) -> String? {
        guard let path = field.string("an absolute path") else { return nil }
        if let refusal = PathRules.socket.refusal(of: path) { field.refuse(refusal) }
        return path
    }

    private static func readMode(_ field: YAMLValue) -> Int? {
        switch field.kind {
        case .string(let text):
            guard (3...4).contains(text.utf8.count), let mode = Int(text, radix: 8),
                text.utf8.allSatisfy({ (0x30...0x37).contains($0) })
            else {
                field.refuse(
                    "\(SafeQuotation.quote(text)) is no file mode: write octal digits in quotes, such as \"0660\"")
                return nil
            }
            guard mode <= 0o777 else {
                field.refuse("must be from \"0000\" to \"0777\"")
                return nil
            }
            return mode
        case .integer, .zeroPaddedInteger, .number:
            field.refuse(
                "write the mode in quotes, such as \"0660\": without them YAML leaves open whether it is octal")
            return nil
        case .null, .bool, .list, .mapping, .tagged:
            field.refuse(expected: "octal digits in quotes, such as \"0660\"")
            return nil
        }
    }

    private static func readGroup(_ field: YAMLValue, _ groupID: (String) -> Int?) -> Int? {
        // The largest 32-bit number means "no group" to chown(2).
        let numbers = 0...Int(UInt32.max) - 1
        if case .integer = field.kind { return field.integer(in: numbers) }
        guard let name = field.string("the name or number of a user group") else { return nil }
        if !name.isEmpty, name.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(name),
            numbers.contains(number)
        {
            return number
        }
        if !name.isEmpty, !name.utf8.contains(0), let number = groupID(name) { return number }
        field.refuse(
            "there is no user group \(SafeQuotation.quote(name)) on this machine; create it (groupadd) or name another")
        return nil
    }
}
