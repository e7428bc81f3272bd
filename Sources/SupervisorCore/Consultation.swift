import Messages

/// What a client wants and hooks are asked about first, until it is let in.
///
///     choosing ──a model──▶ filtering ──all agree──▶ judging ──nobody objects──▶ (admitted)
///
/// Each state but the first asks all hooks of its event at once, and is left when all have answered; in the first they are asked one
/// after the other. It has no row yet. Whatever ends it before its admission is answered with an error and leaves nothing.
struct Consultation: Sendable {
    enum State: Sendable, Equatable {
        /// Which model is to answer, of a request that names none. These hooks are yet to be asked.
        case choosing([HookID])
        /// Which models may.
        case filtering
        /// Whether the request may go on.
        case judging
    }

    /// What is wanted.
    enum Wish: Sendable {
        /// A prompt, or the chain that begins with it.
        case prompt(PromptRequest, chain: ChainRequest?, following: Precedent?)
        case embed(EmbedRequest)
        /// A list of the models that may be asked: which is the default, where a hook has said so; and what became of the
        /// providers that were asked for theirs, if they were.
        case models(ModelsRequest, usual: String? = nil, refreshed: [[UInt8]]? = nil)
        /// To know what would become of a request.
        case explain(ExplainRequest)
    }

    let clientID: RequestIdentifier
    let connection: ConnectionID
    let terms: Terms
    /// On whose behalf it is, as hooks are told.
    let subject: HookQuestion.Subject
    var wish: Wish
    let receivedAt: Instant
    /// By when it must be admitted, where its client has said so.
    let deadline: Instant?
    var state: State
    /// The hooks that have not answered the present question.
    var awaited: Set<HookID> = []
    /// The models that hooks allow.
    var filters: [HookFilter] = []
    /// What hooks noted, by their names.
    private var notes: [String: [UInt8]] = [:]

    init(
        _ wish: Wish, under terms: Terms, for subject: HookQuestion.Subject, choosing hooks: [HookID],
        id: RequestIdentifier, from connection: ConnectionID, at now: Instant
    ) {
        self.clientID = id
        self.connection = connection
        self.terms = terms
        self.subject = subject
        self.wish = wish
        self.state = .choosing(hooks)
        let receivedAt = wish.precedent?.continuation.receivedAt ?? now
        self.receivedAt = receivedAt
        self.deadline = wish.timeoutMilliseconds.map { receivedAt + .milliseconds($0) }
    }

    mutating func note(_ annotation: [UInt8], by hook: String) { self.notes[hook] = annotation }

    /// What goes on record of what hooks noted: an object with a member for each, in this order; and whose notes find no room there.
    func annotations(inOrder hooks: [String]) -> (object: [UInt8]?, leftOut: [String]) {
        guard !self.notes.isEmpty else { return (nil, []) }
        var object: [UInt8] = []
        var leftOut: [String] = []
        for hook in hooks {
            guard let note = self.notes[hook] else { continue }
            // A hook's name needs no escape; its quotes, the colon, a comma and the braces come on top.
            guard object.count + hook.utf8.count + note.count + 6 <= ProtocolBounds.annotations else {
                leftOut.append(hook)
                continue
            }
            object += (object.isEmpty ? "{\"\(hook)\":" : ",\"\(hook)\":").utf8
            object += note
        }
        return (object.isEmpty ? nil : object + [UInt8(ascii: "}")], leftOut)
    }
}

/// The models that a hook allows, of those that it was asked about.
struct HookFilter: Sendable, Equatable {
    let hook: String
    let models: Set<String>

    /// Why a model may not be used; `nil` where it may.
    func refusal(of model: String) -> Failure? {
        guard !self.models.contains(model) else { return nil }
        return Failure(
            .notAllowed, "the model '\(model)' may not be used: hook '\(self.hook)' leaves it out; see op models")
    }
}

extension Consultation.Wish {
    var operation: HookQuestion.Operation {
        switch self {
        case .prompt(_, let chain, _): chain == nil ? .prompt : .chain
        case .embed: .embed
        case .models: .models
        case .explain: .explain
        }
    }

    var precedent: Precedent? {
        switch self {
        case .prompt(_, _, let precedent): precedent
        case .embed, .models, .explain: nil
        }
    }

    /// Whom it is about, where that is another than who asks.
    var identity: Identity? {
        switch self {
        case .prompt, .embed: nil
        case .models(let request, _, _): request.identity
        case .explain(let request): request.identity
        }
    }

    var timeoutMilliseconds: Int? {
        switch self {
        case .prompt(let prompt, _, _): prompt.timeoutMilliseconds
        case .embed(let embed): embed.timeoutMilliseconds
        case .models, .explain: nil
        }
    }

    /// What it holds, in bytes of JSON, what it follows apart.
    var length: Int {
        switch self {
        case .prompt(let prompt, _, _): prompt.length
        case .embed(let embed): embed.input.count + (embed.options?.count ?? 0)
        case .models(_, _, let refreshed): refreshed?.reduce(0) { $0 + $1.count } ?? 0
        case .explain: 0
        }
    }

    /// The model that it names.
    var model: String? {
        get {
            let name =
                switch self {
                case .prompt(let prompt, _, _): prompt.model
                case .embed(let embed): embed.model
                case .models(_, let usual, _): usual
                case .explain(let request): request.model
                }
            return name == "" ? nil : name
        }
        set {
            switch self {
            case .prompt(var prompt, var chain, let precedent):
                prompt.model = newValue
                chain?.prompt.model = newValue
                self = .prompt(prompt, chain: chain, following: precedent)
            case .embed(var embed):
                embed.model = newValue
                self = .embed(embed)
            case .models(let request, _, let refreshed):
                self = .models(request, usual: newValue, refreshed: refreshed)
            case .explain(var request):
                request.model = newValue
                self = .explain(request)
            }
        }
    }

    /// What hooks are shown of it: the members as its client sent them; `nil` where they are too long, or nothing is sent.
    var asked: [UInt8]? {
        guard self.length <= ProtocolBounds.hookPrompt else { return nil }
        return switch self {
        case .prompt(let prompt, _, _): prompt.asked
        case .embed(let embed): embed.asked
        case .models, .explain: nil
        }
    }
}
