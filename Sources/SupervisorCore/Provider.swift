import Messages

/// A provider: its configuration, the process that takes its requests, and the requests that wait for a slot.
///
///     starting ──hello──▶ ready ──death──▶ waiting ──back-off──▶ starting
///                                   └─ too many ─▶ parked ──┘
struct Provider: Sendable {
    enum State: Sendable, Equatable {
        /// A process was started and has not said hello.
        case starting
        /// A process takes requests.
        case ready
        /// The last process died; the next one starts then.
        case waiting(until: Instant)
        /// Processes died too often; requests are refused until then.
        case parked(until: Instant)
        /// The daemon stops, or nothing may ask for this provider any more: no process is started.
        case stopped
    }

    /// Of what was configured only the key changes under what is open.
    private(set) var settings: ProviderSettings
    /// Whether the present configuration has it no more, or has changed it: only what began before may ask for it.
    var isRetired = false
    /// What the provider listed when it was asked last, and no model of the configuration has the name of.
    var listedModels: [ModelDescription] = []
    var state = State.starting
    /// The process that takes new requests, or will.
    var current: WorkerID?
    /// Processes that only finish what they have, oldest first.
    var retiring: [WorkerID] = []
    var backoff: Backoff
    var queue = RequestQueue()
    /// How many of its requests wait for their rows to be on disk, to wait for a slot then.
    var recording = 0
    /// How many of its requests wait for their next attempt, to wait for a slot then.
    var retrying = 0
    /// What the small requests hold that no slot has taken yet, in bytes.
    var smallRequestBytes = 0

    // For the operator.
    var starts = 0
    var deaths = 0
    var lastExit: String?

    init(settings: ProviderSettings, bounds: SupervisorBounds) {
        self.settings = settings
        self.backoff = Backoff(bounds: bounds.backoff)
    }

    /// Whether it is over: it was retired, and its last process has ended.
    var isGone: Bool { self.isRetired && self.state == .stopped && self.current == nil && self.retiring.isEmpty }

    /// Whether its process can go on under other settings: they differ in nothing but the key, and what it listed itself.
    func goesOn(under settings: ProviderSettings) -> Bool { self.settings.withoutKey == settings.withoutKey }

    mutating func takeKey(of settings: ProviderSettings) {
        self.settings.key = settings.key
        self.settings.keyName = settings.keyName
        self.settings.keySource = settings.keySource
        self.settings.keyProblem = settings.keyProblem
    }

    /// Whether its very first process has neither said hello nor ended.
    var isInFirstStart: Bool { self.state == .starting && self.starts <= 1 }

    /// The instant at which a process may be started, while none may.
    var deadline: Instant? {
        switch self.state {
        case .waiting(let until), .parked(let until): until
        case .starting, .ready, .stopped: nil
        }
    }
}

/// Requests in the order of their admission.
///
/// One that ends while it waits is forgotten where it stands; the places of the forgotten are bounded by those of the living.
struct RequestQueue: Sendable {
    private var places: [RequestNumber?] = []
    private var positions: [RequestNumber: Int] = [:]
    private var head = 0

    var count: Int { self.positions.count }

    /// Places in memory, those of the forgotten included.
    var placeCount: Int { self.places.count }

    mutating func append(_ request: RequestNumber) {
        self.positions[request] = self.places.count
        self.places.append(request)
    }

    /// The request that has waited longest.
    var first: RequestNumber? {
        mutating get {
            while self.head < self.places.count {
                if let request = self.places[self.head] { return request }
                self.head += 1
            }
            return nil
        }
    }

    mutating func remove(_ request: RequestNumber) {
        guard let position = self.positions.removeValue(forKey: request) else { return }
        self.places[position] = nil
        guard self.places.count > 64, self.places.count > 2 * self.positions.count else { return }
        self.places = self.places.filter { $0 != nil }
        self.head = 0
        for (index, request) in self.places.enumerated() { self.positions[request!] = index }
    }

    /// Every request that waits, oldest first.
    var all: [RequestNumber] { self.places.compactMap { $0 } }
}

extension ProviderSettings {
    /// What the provider is, without its key and what it listed.
    var withoutKey: ProviderSettings {
        var settings = self
        settings.key = nil
        settings.keyName = nil
        settings.keySource = nil
        settings.keyProblem = nil
        settings.listedModels = []
        return settings
    }
}
