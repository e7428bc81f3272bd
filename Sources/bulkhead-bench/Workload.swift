import ArgumentParser

/// Who answers the prompts.
enum Upstream: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// The provider echo, or echo-fault where pieces are asked for: nothing leaves the worker.
    case echo
    /// A server of chat completions on the loopback interface, through libcurl.
    case http
}

enum Durability: String, ExpressibleByArgument, CaseIterable, Sendable {
    case commit
    case relaxed
}

/// What is asked, by how many at once.
struct Workload: Sendable, Equatable {
    var connections = 1
    /// Open requests on each connection.
    var depth = 1
    var promptBytes = PromptTemplate.minimumLength
    var isStreamed = true
    /// Into how many pieces an answer is cut; `nil` leaves that to the model.
    var chunks: Int?
    var chunkBytes: Int?
    /// The model that is asked; `nil` for the daemon's default.
    var model: String?
    /// Whether `chunks` and `chunkBytes` are said in the request, as options of echo-fault.
    var directsChunks = false
    /// Whether each names a purpose and an actor, and no model (``PolicyLoad``).
    var namesPurposes = false

    /// Requests that are open at once.
    var openRequests: Int { self.connections * self.depth }
}

/// When a measurement ends. The requests that are open then are still waited for, and count.
struct LoadBound: Sendable, Equatable {
    /// No more requests than this: each leaves two samples of 8 bytes.
    static let mostRequests = 4_000_000

    var requests = Self.mostRequests
    /// How long new requests are sent, in nanoseconds.
    var nanoseconds: UInt64?
}
