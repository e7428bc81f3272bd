import JSON

/// What the logger tells the supervisor (proto/logger.md).
public enum LoggerReply: Sendable, Equatable {
    /// The file is open and the session known. Everything up to `acknowledged` is on disk; 0 is nothing.
    case ready(protocolVersion: Int, version: String, acknowledged: Int)
    /// Every record up to this sequence number is on disk.
    case acknowledged(sequence: Int)

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes)
        switch try object.require("event").expectString("event") {
        case "ready":
            self = .ready(
                protocolVersion: try object.require("protocol").expectInteger("protocol", in: 0...Int(Int32.max)),
                version: try object.require("version").expectString("version"),
                acknowledged: try object.require("acknowledged").expectInteger("acknowledged", in: 0...Int.max))
        case "acknowledged":
            self = .acknowledged(sequence: try object.require("sequence").expectInteger("sequence", in: 0...Int.max))
        case let name: throw .invalidValue("event", "'\(name)' is not known")
        }
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        switch self {
        case .ready(let protocolVersion, let version, let acknowledged):
            object.add("event", "ready")
            object.add("protocol", protocolVersion)
            object.add("version", version)
            object.add("acknowledged", acknowledged)
        case .acknowledged(let sequence):
            object.add("event", "acknowledged")
            object.add("sequence", sequence)
        }
        return object.finish()
    }
}
