import JSON
import Messages
import Policy

/// The options that a configuration has for a model, where a request does not say otherwise.
enum OptionDefaults {
    /// A request's options and those of the defaults that it does not name.
    ///
    /// - Returns: Also the names of those that were added, so that they can be told from the request's own later.
    static func fill(_ own: [UInt8]?, with defaults: [UInt8]?) -> (options: [UInt8]?, added: [String]) {
        guard let defaults, let members = try? JSONValue(parsing: defaults).members else { return (own, []) }
        var options = own.flatMap { try? JSONValue(parsing: $0).members } ?? []
        let names = Set(options.map(\.name))
        let added = members.filter { !names.contains($0.name) }
        guard !added.isEmpty else { return (own, []) }
        options += added
        return (JSONValue.object(options).serialized(), added.map(\.name))
    }
}

extension PromptRequest {
    /// The prompt with the options that it does not name itself.
    func filled(with defaults: [UInt8]?) -> (prompt: PromptRequest, added: [String]) {
        guard let defaults else { return (self, []) }
        var prompt = self
        let added: [String]
        (prompt.options, added) = OptionDefaults.fill(self.options, with: defaults)
        return (prompt, added)
    }
}

extension SlotRequest {
    /// The options of a frame as another model gets them: without those that were added for the first, and with its own.
    ///
    /// - Returns: No options where they stay as they are.
    static func options(
        of frame: [UInt8], but removed: [String], filledWith defaults: [UInt8]?
    ) -> (options: JSONValue?, added: [String]) {
        guard !removed.isEmpty || defaults != nil else { return (nil, []) }
        let own = JSONValue.object(Self.options(of: frame).filter { !removed.contains($0.name) }).serialized()
        let (filled, added) = OptionDefaults.fill(own, with: defaults)
        return (filled.flatMap { try? JSONValue(parsing: $0) }, added)
    }
}

extension KeyChoice {
    /// Why a model cannot be asked for want of a key; `nil` where it can.
    func failure(_ model: String) -> Failure? {
        switch self {
        case .notNeeded, .key: return nil
        case .missing(let names):
            let hint =
                names.isEmpty
                ? ""
                : ": set \(names.joined(separator: " or ")) (bulkhead secrets set \(names[0]), or the daemon's environment)"
            return Failure(.noKey, "the model '\(model)' needs a key and there is none\(hint)")
        case .unusable(let name, let reason):
            return Failure(.noKey, "the key \(name) of the model '\(model)' cannot be used: \(reason)")
        }
    }
}
