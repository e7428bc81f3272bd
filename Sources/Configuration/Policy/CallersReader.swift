import Messages

/// Reads the field `callers`: which local users there are, and what they may do.
struct CallersReader {
    let surroundings: Surroundings
    let models: ServedModels
    /// Those that are configured. Others work too, by the rules of requests without a purpose.
    let purposes: [String]
    let collector: ProblemCollector

    /// Who has claimed a number first, and where.
    private typealias Claims = [Int: (caller: String, position: Position)]

    func read(_ field: YAMLValue) -> [CallerSettings] {
        let example = "a mapping of names and callers, such as {web: {user: www-data}}"
        guard let entries = field.namedEntries(expected: example) else { return [] }
        if entries.isEmpty {
            field.refuse(
                "name at least one caller, or remove the field: then everybody who can open the socket may do all")
        }
        guard entries.count <= ConfigurationBounds.callers else {
            field.refuse("has \(entries.count) callers; at most \(ConfigurationBounds.callers) are possible")
            return []
        }
        var (users, groups): (Claims, Claims) = ([:], [:])
        var defaultPlace: Position?
        var callers: [CallerSettings] = []
        for entry in entries {
            guard SettingName.check(entry.name, of: "a caller", at: entry.position, self.collector),
                let fields = entry.value.mapping(SupportedFields.caller)
            else { continue }
            var caller = CallerSettings(name: entry.name)
            caller.users = self.readAccounts(fields["user"], .users(self.surroundings), entry.name, &users)
            caller.groups = self.readAccounts(fields["group"], .groups(self.surroundings), entry.name, &groups)
            caller.isDefault = fields["default"]?.bool() ?? false
            if caller.isDefault {
                if let place = defaultPlace {
                    self.collector.refuse(
                        "there is a caller with 'default: true' already (line \(place.line), column \(place.column)): "
                            + "only one can be everybody else", at: entry.position)
                }
                defaultPlace = defaultPlace ?? entry.position
            } else if fields["user"] == nil, fields["group"] == nil {
                self.collector.refuse(
                    "the caller '\(entry.name)' is nobody: give it a 'user', a 'group' or 'default: true'",
                    at: entry.position)
            }
            self.readRights(fields, of: &caller)
            callers.append(caller)
        }
        return callers
    }

    private func readAccounts(
        _ field: YAMLValue?, _ reader: AccountReader, _ caller: String, _ claims: inout Claims
    ) -> [Int] {
        guard let field else { return [] }
        var numbers: [Int] = []
        for (number, value) in reader.read(field) {
            if let other = claims[number] {
                let owner = other.caller == caller ? "this caller" : "the caller '\(other.caller)'"
                value.refuse(
                    "\(owner) has the \(reader.what) \(number) already (line \(other.position.line), column "
                        + "\(other.position.column))")
            } else {
                claims[number] = (caller, value.position)
                numbers.append(number)
            }
        }
        return numbers
    }

    private func readRights(_ fields: YAMLMapping, of caller: inout CallerSettings) {
        caller.purposes = fields["purposes"].flatMap(self.readPurposes)
        caller.models = fields["models"].flatMap { field in
            if field.isEmptyList { field.warn("the list is empty, so that this caller may ask no model") }
            return ModelNameList.read(field, models: self.models)
        }
        caller.mayNameActor = fields["may_name_actor"]?.bool() ?? false
        caller.isAdministrator = fields["administrator"]?.bool() ?? false
        caller.maximumConnections = fields["max_connections"]?.integer(in: ConfigurationBounds.callerConnections)
        caller.maximumRequests = fields["max_requests"]?.integer(in: ConfigurationBounds.callerRequests)
    }

    private func readPurposes(_ field: YAMLValue) -> [String]? {
        guard let values = field.list(of: "purposes", maximumCount: ConfigurationBounds.purposes) else { return nil }
        if values.isEmpty { field.warn("the list is empty, so that this caller may ask for nothing") }
        return values.compactMap { value in
            guard let name = value.string("the name of a purpose") else { return nil }
            guard SettingName.isUsable(name) else {
                value.refuse("\(SafeQuotation.quote(name)) is no name for a purpose: use \(SettingName.rules)")
                return nil
            }
            if !self.purposes.contains(name) {
                let nearest = name.nearest(of: self.purposes).map { "; did you mean '\($0)'?" } ?? ""
                value.warn("no purpose '\(name)' is configured, so that it has no rules of its own\(nearest)")
            }
            return name
        }
    }
}
