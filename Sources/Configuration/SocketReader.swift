import Messages

/// Reads the field `socket`: a path, or `{path, mode, group}`.
struct SocketReader {
    /// As it is written, even where it was refused.
    private(set) var path: String?
    private(set) var mode = 0o660
    private(set) var group: Int?

    init(_ field: YAMLValue?, groups: AccountReader) {
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
        self.group = fields["group"].flatMap(groups.readOne)
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
}
