/// Reads users or user groups: a name, a number, or a list of them.
struct AccountReader {
    /// `user` or `user group`.
    let what: String
    /// What creates one.
    let command: String
    let number: (String) -> Int?

    static let numbers = 0...Int(UInt32.max) - 1

    /// - Returns: Each number with where it stands; what is wrong has been reported and is left out.
    func read(_ field: YAMLValue) -> [(number: Int, field: YAMLValue)] {
        guard field.isList else { return self.readOne(field).map { [($0, field)] } ?? [] }
        let values = field.list(of: "\(self.what)s", maximumCount: ConfigurationBounds.accountsPerCaller) ?? []
        if field.isEmptyList { field.refuse("name at least one \(self.what), or remove the field") }
        return values.compactMap { value in self.readOne(value).map { ($0, value) } }
    }

    /// The largest 32-bit number means "none" to the kernel.
    func readOne(_ field: YAMLValue) -> Int? {
        if case .integer = field.kind { return field.integer(in: Self.numbers) }
        guard let name = field.string("the name or number of a \(self.what)") else { return nil }
        if !name.isEmpty, name.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(name),
            Self.numbers.contains(number)
        {
            return number
        }
        if !name.isEmpty, !name.utf8.contains(0), let number = self.number(name) { return number }
        field.refuse(
            "there is no \(self.what) \(SafeQuotation.quote(name)) on this machine; create it (\(self.command)) or name "
                + "another")
        return nil
    }

    static func users(_ surroundings: Surroundings) -> AccountReader {
        AccountReader(what: "user", command: "useradd", number: surroundings.userID)
    }

    static func groups(_ surroundings: Surroundings) -> AccountReader {
        AccountReader(what: "user group", command: "groupadd", number: surroundings.groupID)
    }
}
