import JSON

/// What the supervisor says on a worker's control channel (proto/worker.md).
public enum WorkerControl: Sendable, Equatable {
    /// The first frame: which provider this process is.
    case configure(ProviderSettings)
    /// Are you alive? Answered by a thread of its own, whatever the slots are doing.
    case ping(number: Int)

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes)
        switch try object.require("op").expectString("op") {
        case "configure": self = .configure(try ProviderSettings(decoding: try object.require("provider")))
        case "ping": self = .ping(number: try object.require("number").expectInteger("number", in: 0...Int.max))
        case let name: throw .invalidValue("op", "'\(name)' is not known")
        }
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        switch self {
        case .configure(let settings):
            object.add("op", "configure")
            object.add("provider", raw: settings.encodedForWorker)
        case .ping(let number):
            object.add("op", "ping")
            object.add("number", number)
        }
        return object.finish()
    }
}

/// What a worker says on its control channel.
public enum WorkerReport: Sendable, Equatable {
    /// The worker is ready: every slot reads.
    case hello(WorkerHello)
    case pong(number: Int)

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes)
        switch try object.require("event").expectString("event") {
        case "hello": self = .hello(try WorkerHello(decoding: object))
        case "pong": self = .pong(number: try object.require("number").expectInteger("number", in: 0...Int.max))
        case let name: throw .invalidValue("event", "'\(name)' is not known")
        }
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        switch self {
        case .hello(let hello):
            object.add("event", "hello")
            object.add("protocol", hello.protocolVersion)
            object.add("provider", hello.provider)
            object.add("version", hello.version)
            object.add("slots", hello.slots)
            object.add("models", rawElements: hello.models.map(\.encoded))
        case .pong(let number):
            object.add("event", "pong")
            object.add("number", number)
        }
        return object.finish()
    }
}

/// A worker's first word: it is ready, and this is what it serves.
public struct WorkerHello: Sendable, Equatable {
    public var protocolVersion = ProtocolVersion.current
    public var provider: String
    public var version = SoftwareVersion.current
    public var slots: Int
    public var models: [ModelDescription]

    public init(provider: String, slots: Int, models: [ModelDescription]) {
        self.provider = provider
        self.slots = slots
        self.models = models
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.protocolVersion = try object.require("protocol").expectInteger("protocol", in: 0...Int(Int32.max))
        self.provider = try object.require("provider").expectString("provider")
        self.version = try object.require("version").expectString("version")
        self.slots = try object.require("slots").expectInteger("slots", in: 1...ProviderSettings.maximumSlots)
        self.models = try ModelDescription.list(decoding: try object.require("models"))
    }
}

extension JSONObject {
    /// Reads a frame that one of our own processes sent.
    static func internalMessage(
        _ bytes: [UInt8], bounds: JSONBounds = .internalMessage
    ) throws(MessageError) -> JSONObject {
        do { return try JSONObject(bytes, bounds: bounds) } catch { throw .invalidValue("frame", "\(error)") }
    }
}
