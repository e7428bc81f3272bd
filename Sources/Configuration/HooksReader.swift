import Messages

/// Reads the field `hooks`: programs that are asked about requests.
struct HooksReader {
    /// Whether the service could run the program at a path.
    let isExecutable: (String) -> Bool

    func read(_ field: YAMLValue) -> [HookSettings] {
        guard let values = field.list(of: "hooks", maximumCount: ConfigurationBounds.hooks) else { return [] }
        var names: Set<String> = []
        return values.compactMap { value in
            guard let hook = self.readHook(value) else { return nil }
            if !names.insert(hook.name).inserted { value.refuse("there is a hook '\(hook.name)' already") }
            return hook
        }
    }

    private func readHook(_ value: YAMLValue) -> HookSettings? {
        let example = "a mapping such as {name: pii, command: [/usr/local/lib/pii.py], events: [before_prompt]}"
        guard let fields = value.mapping(SupportedFields.hook, expected: example) else { return nil }
        let name = self.require("name", of: value, fields).flatMap(Self.readName)
        let command = self.require("command", of: value, fields).flatMap(self.readCommand)
        let events = self.require("events", of: value, fields).flatMap(Self.readEvents)
        let timeout = fields["timeout"]?.duration(in: 1...ConfigurationBounds.hookTimeoutMilliseconds)
        let onFailure = fields["on_failure"]?.choice(of: ["open", "closed"])
        guard let name, let command, let events else { return nil }
        var hook = HookSettings(name: name, command: command, events: events, isClosed: onFailure == "closed")
        if let timeout { hook.timeoutMilliseconds = timeout }
        return hook
    }

    private func require(_ name: String, of value: YAMLValue, _ fields: YAMLMapping) -> YAMLValue? {
        if let field = fields[name] { return field }
        value.refuse("a hook needs '\(name)'")
        return nil
    }

    private static func readName(_ field: YAMLValue) -> String? {
        guard let name = field.string("a name for the hook") else { return nil }
        if SettingName.isUsable(name) { return name }
        field.refuse("\(SafeQuotation.quote(name)) is no name for a hook: use \(SettingName.rules)")
        return nil
    }

    private func readCommand(_ field: YAMLValue) -> [String]? {
        if case .string = field.kind {
            field.refuse("write the program and its arguments as a list, such as [/usr/local/lib/pii.py, --strict]")
            return nil
        }
        guard let values = field.list(of: "words", maximumCount: ConfigurationBounds.hookWords) else { return nil }
        guard let first = values.first else {
            field.refuse("name the program, by an absolute path")
            return nil
        }
        var words: [String] = []
        for value in values {
            guard let word = value.string("a word of the command") else { return nil }
            if word.utf8.contains(0) || word.utf8.count > ConfigurationBounds.hookWordLength {
                value.refuse("a word has at most \(ConfigurationBounds.hookWordLength) bytes, and none that is zero")
                return nil
            }
            words.append(word)
        }
        guard words[0].hasPrefix("/") else {
            first.refuse("the path of the program must be absolute: begin it with '/'")
            return nil
        }
        if !self.isExecutable(words[0]) {
            first.warn("there is no program at \(SafeQuotation.quote(words[0])) that this user can run")
        }
        return words
    }

    private static func readEvents(_ field: YAMLValue) -> [HookEvent]? {
        let choices = HookEvent.allCases.map(\.rawValue)
        guard let values = field.list(of: "events", maximumCount: choices.count) else { return nil }
        if values.isEmpty { field.refuse("name at least one of \(choices.joined(separator: ", "))") }
        var events: [HookEvent] = []
        for value in values {
            guard let event = value.choice(of: choices).flatMap(HookEvent.init) else { continue }
            if events.contains(event) { value.refuse("the event '\(event.rawValue)' stands in this list already") }
            events.append(event)
        }
        return events
    }
}
