import JSON
public import Messages

/// What a configuration says about the requests of one purpose, or about those without one.
///
/// Immutable and shared: every open request holds the rules that it began with.
public final class Rules: Sendable {
    /// `nil` for requests without a purpose, and for purposes that nothing is configured for.
    public let purpose: PurposeSettings?
    /// The id of the model of a prompt that names none.
    public let defaultModel: String?
    /// The models that answer in place of one that cannot; `nil`: as the configuration says for each model.
    public let fallbacks: [String]?
    /// The ids that may be asked; `nil`: any.
    private let allowed: Set<String>?
    /// Which lists these are, for the message.
    private let allowedBy: String
    /// The ids that may not, and the list that says so.
    private let blocked: [String: String]
    /// By id.
    private let keyNames: [String: String]
    private let options: [String: [UInt8]]
    /// The ids that come first where models are listed, in order.
    public let order: [String]

    /// What all purposes share.
    struct Shared {
        let models: [String]?
        let blocked: [String]
        let defaultModel: ModelReference?
        let defaults: [String]

        init(
            _ settings: PolicySettings, defaultModel: ModelReference?, defaultEmbeddingModel: String?,
            id: (String) -> String
        ) {
            self.models = settings.models?.map(id)
            self.blocked = settings.blockedModels.map(id)
            self.defaultModel = defaultModel.map { ModelReference(id($0.model), key: $0.key, options: $0.options) }
            self.defaults = [defaultModel?.model, defaultEmbeddingModel].compactMap { $0.map(id) }
        }
    }

    /// - Parameter isWithoutPurpose: Whether these are the rules of requests that name no purpose: only to their list the
    ///   default models are added.
    init(_ shared: Shared, purpose: PurposeSettings?, isWithoutPurpose: Bool, id: (String) -> String) {
        func resolved(_ reference: ModelReference) -> ModelReference {
            ModelReference(id(reference.model), key: reference.key, options: reference.options)
        }
        let own = purpose?.model.map(resolved)
        let list = purpose?.models?.map(resolved)
        self.purpose = purpose
        self.defaultModel = own?.model ?? shared.defaultModel?.model
        self.fallbacks = purpose?.fallbacks?.map(id)
        (self.allowed, self.allowedBy) = Self.allowed(
            list: list?.map(\.model), own: own?.model, purpose: purpose?.name, shared: shared,
            isWithoutPurpose: isWithoutPurpose)
        var blocked: [String: String] = [:]
        for model in shared.blocked { blocked[model] = "blocked_models" }
        for model in purpose?.blockedModels.map(id) ?? [] {
            blocked[model] = "blocked_models of the purpose '\(purpose!.name)'"
        }
        self.blocked = blocked
        // The first reference counts that says anything of a model; the levels do not mix.
        var keyNames: [String: String] = [:]
        var options: [String: [UInt8]] = [:]
        for reference in (list ?? []) + [own, shared.defaultModel].compactMap({ $0 }) {
            if let key = reference.key, keyNames[reference.model] == nil { keyNames[reference.model] = key }
            if let bytes = reference.options, options[reference.model] == nil { options[reference.model] = bytes }
        }
        self.keyNames = keyNames
        self.options = options
        self.order = [self.defaultModel].compactMap { $0 } + (list ?? []).map(\.model) + (shared.models ?? [])
    }

    /// The models that may be asked, and which list says so.
    private static func allowed(
        list: [String]?, own: String?, purpose: String?, shared: Shared, isWithoutPurpose: Bool
    ) -> (Set<String>?, by: String) {
        let ofPurpose = purpose.map { "models of the purpose '\($0)'" } ?? "models"
        // A list that is written, and empty, means what it says.
        if let list, list.isEmpty { return ([], ofPurpose) }
        guard list != nil || shared.models != nil else { return (nil, "") }
        if list == nil, shared.models == [] { return ([], "models") }
        let more = isWithoutPurpose ? shared.defaults : [own].compactMap { $0 }
        let lists = list == nil ? "models" : shared.models == nil ? ofPurpose : "\(ofPurpose) and models"
        return (Set((list ?? []) + more + (shared.models ?? [])), lists)
    }

    // MARK: Questions

    /// Why a model may not be asked, by its id; `nil` where it may.
    public func refusal(of model: String) -> Failure? {
        if let list = self.blocked[model] {
            return Failure(.notAllowed, "the model '\(model)' may not be used: it is in \(list)")
        }
        guard let allowed = self.allowed, !allowed.contains(model) else { return nil }
        return Failure(
            .notAllowed,
            "the model '\(model)' may not be used: it is not in \(self.allowedBy), which \(allowed.isEmpty ? "allow nothing" : "say what may"); see op models"
        )
    }

    /// The name of the key that a model is asked with, by its id; `nil` for its provider's own.
    public func keyName(for model: String) -> String? { self.keyNames[model] }

    /// The options that a model is asked with where a request does not say otherwise, a JSON object.
    public func options(for model: String) -> [UInt8]? { self.options.isEmpty ? nil : self.options[model] }

    /// Whether any model has options.
    public var hasOptions: Bool { !self.options.isEmpty }

    /// Models in the order in which they are listed: the default, those that the lists name, and the rest as they came.
    public func ordered<Model>(_ models: [Model], id: (Model) -> String) -> [Model] {
        var places: [String: Int] = [:]
        for model in self.order where places[model] == nil { places[model] = places.count }
        return models.enumerated().sorted { left, right in
            let (a, b) = (places[id(left.element)] ?? Int.max, places[id(right.element)] ?? Int.max)
            return a == b ? left.offset < right.offset : a < b
        }.map(\.element)
    }
}
