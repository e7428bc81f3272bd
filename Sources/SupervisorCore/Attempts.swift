import Messages

/// What was tried of a request, and what may be tried next.
///
///     an attempt fails ──▶ the same model again ──no retry left, too long a wait──▶ the next model ──none left──▶ the end
///
/// A value without a clock: instants and random numbers are given in. Whether a request may be tried again at all (nothing of the
/// answer has left, its frame was kept) is for its owner to know.
public struct Attempts: Sendable {
    public struct Bounds: Sendable {
        /// Attempts of one request in all, those included that could not begin.
        public var count = 8
        /// The first wait of a model whose provider names none. It doubles with each further one.
        public var minimumWait = Duration.milliseconds(500)
        public var maximumWait = Duration.seconds(8)
        /// A provider that asks for a longer wait is not waited for.
        public var longestWait = Duration.seconds(60)
    }

    /// A model that may be asked, and who serves it.
    struct Candidate: Sendable, Equatable {
        var provider: Int
        var model: ModelDescription
    }

    enum Next: Equatable {
        /// The same model, at this instant.
        case retry(at: Instant)
        case nextModel
        case end
    }

    private let bounds: Bounds
    /// The models that may be asked when the present one fails, in order.
    private(set) var alternatives: ArraySlice<Candidate>
    /// Attempts that began, or could not begin.
    private(set) var count = 0
    /// Which models failed, how often, in the order of their first failures.
    private var failures: [(model: String, count: Int)] = []
    /// How often the present model may be asked again, and how often it was.
    private var retriesLeft: Int
    private var retries = 0

    /// - Parameters:
    ///   - retries: How often the first model may be asked again.
    ///   - alternatives: The models to be asked after it, in order.
    init(retries: Int = 0, alternatives: [Candidate] = [], bounds: Bounds = Bounds()) {
        self.bounds = bounds
        self.retriesLeft = retries
        self.alternatives = alternatives[...]
    }

    /// Whether there is anything left to try once the present attempt has failed.
    var hasMore: Bool { self.count < self.bounds.count && (self.retriesLeft > 0 || !self.alternatives.isEmpty) }

    /// How many there were, where there was more than one.
    var countIfSeveral: Int? { self.count > 1 ? self.count : nil }

    /// An attempt begins, or cannot begin and is on record for that.
    mutating func begin() { self.count += 1 }

    /// The present attempt failed.
    mutating func failed(_ model: String) {
        if let index = self.failures.firstIndex(where: { $0.model == model }) {
            self.failures[index].count += 1
        } else {
            self.failures.append((model, 1))
        }
    }

    /// What to try after a failure.
    ///
    /// - Parameter deadline: By when the request must be over; nothing is tried then or later.
    mutating func next(
        after failure: Failure, at now: Instant, deadline: Instant, using random: inout some RandomNumberGenerator
    ) -> Next {
        guard self.count < self.bounds.count else { return .end }
        if failure.code.isTriedAgain, self.retriesLeft > 0 {
            let wait = self.wait(after: failure, using: &random)
            if let wait, now + wait < deadline {
                self.retriesLeft -= 1
                self.retries += 1
                return .retry(at: now + wait)
            }
        }
        return failure.code.isTriedElsewhere && !self.alternatives.isEmpty ? .nextModel : .end
    }

    /// Takes the next model.
    mutating func takeNext() -> Candidate? {
        guard self.count < self.bounds.count else { return nil }
        return self.alternatives.popFirst()
    }

    /// The request goes to another model, which may be asked again so often.
    mutating func handedOn(retries: Int) {
        self.retriesLeft = retries
        self.retries = 0
    }

    /// How long to wait: at least as long as the provider said, and up to a tenth longer, so that those who were told the same do
    /// not come back together; else a time that doubles and is cut by up to a half. `nil` where the provider asks for too much.
    private func wait(after failure: Failure, using random: inout some RandomNumberGenerator) -> Duration? {
        if let milliseconds = failure.retryAfterMilliseconds, milliseconds > 0 {
            let asked = Duration.milliseconds(milliseconds)
            return asked <= self.bounds.longestWait
                ? asked * Int.random(in: 1000...1100, using: &random) / 1000 : nil
        }
        let full = min(self.bounds.minimumWait * (1 << min(self.retries, 16)), self.bounds.maximumWait)
        return full * Int.random(in: 500...1000, using: &random) / 1000
    }

    /// The failure as it is told to the client: that of the last attempt, and how many there were of which models.
    func told(_ failure: Failure) -> Failure {
        guard self.count > 1 else { return failure }
        let models = self.failures.map { "\($0.count) of '\($0.model)'" }.joined(separator: ", ")
        let suffix = " (\(self.count) attempts: \(models.truncated(toUTF8Length: 256)))"
        var told = failure
        told.message =
            failure.message.truncated(toUTF8Length: Failure.maximumMessageLength - suffix.utf8.count) + suffix
        return told
    }
}

extension ErrorCode {
    /// Whether the same model may answer a little later.
    fileprivate var isTriedAgain: Bool {
        switch self {
        case .providerRateLimited, .providerError, .providerUnreachable: true
        default: false
        }
    }

    /// Whether another model may answer what this one could not.
    fileprivate var isTriedElsewhere: Bool {
        switch self {
        case .providerRateLimited, .providerError, .providerUnreachable, .providerAuthentication, .providerUnavailable,
            .noKey, .overloaded:
            true
        default: false
        }
    }
}
