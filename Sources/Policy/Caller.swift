public import Messages

/// A local user as the configuration knows it, and what it may do.
///
/// Immutable and shared: every open request holds the one that it began with.
public final class Caller: Sendable {
    /// `nil` where nobody is configured.
    public let settings: CallerSettings?
    private let purposes: Set<String>?
    /// Ids.
    private let models: Set<String>?

    /// Who may do all but administer: everybody where nobody is configured, and administrators whom no entry names.
    static let anybody = Caller()

    private init() {
        (self.settings, self.purposes, self.models) = (nil, nil, nil)
    }

    init(_ settings: CallerSettings, id: (String) -> String) {
        self.settings = settings
        self.purposes = settings.purposes.map { Set($0) }
        self.models = settings.models.map { Set($0.map(id)) }
    }

    public var name: String? { self.settings?.name }
    public var isAdministrator: Bool { self.settings?.isAdministrator ?? false }
    public var mayNameActor: Bool { self.settings?.mayNameActor ?? true }

    /// Whether it may name a purpose, or none.
    public func checkPurpose(_ purpose: String?) throws(Failure) {
        guard let purposes = self.purposes else { return }
        if let purpose, purposes.contains(purpose) { return }
        let asked = purpose.map { "use the purpose '\($0)'" } ?? "ask without a purpose"
        let may = purposes.isEmpty ? "none" : purposes.sorted().prefix(16).joined(separator: ", ")
        throw Failure(.notAllowed, "the caller '\(self.name ?? "")' may not \(asked); its purposes: \(may)")
    }

    /// Whether it may use a purpose, where purposes are listed.
    public func mayUse(purpose: String) -> Bool { self.purposes?.contains(purpose) ?? true }

    /// Why it may not ask a model, by its id; `nil` where it may.
    public func refusal(of model: String) -> Failure? {
        guard let models = self.models, !models.contains(model) else { return nil }
        return Failure(
            .notAllowed,
            "the model '\(model)' may not be used: it is not in models of the caller '\(self.name ?? "")'; see op models"
        )
    }

    /// Whom a user's requests are for where it names nobody.
    public static func ownActor(uid: Int) -> String { "uid:\(uid)" }

    /// Whom a request is for: whom it names, where its caller may, or else the user who asks.
    ///
    /// A user's own name is its number, which nobody else can take: names that begin like one are refused.
    public func actor(named name: String?, uid: Int) throws(Failure) -> String {
        let own = Self.ownActor(uid: uid)
        guard let name, name != own else { return own }
        guard self.mayNameActor else {
            throw Failure(
                .notAllowed,
                "the caller '\(self.name ?? "")' may not name an actor: it is its own, \(own); leave out 'actor', or configure may_name_actor"
            )
        }
        guard !name.hasPrefix("uid:") else {
            throw Failure(.invalidRequest, "field 'actor': names that begin with 'uid:' belong to local users")
        }
        return name
    }
}
