import JSON

/// What a client may ask (proto/client.md).
public struct ClientRequest: Sendable, Equatable {
    public var id: RequestIdentifier
    public var operation: Operation

    public enum Operation: Sendable, Equatable {
        case prompt(PromptRequest)
        case chain(ChainRequest)
        case toolResult(ToolResultRequest)
        case embed(EmbedRequest)
        /// Ends the request of this connection that has the id `target`.
        case cancel(target: RequestIdentifier)
        case groupBegin(GroupBeginRequest)
        case groupEnd(GroupEndRequest)
        case logs(LogsRequest)
        case requests(RequestsRequest)
        case models(ModelsRequest)
        /// The purposes that are configured.
        case purposes
        /// Whom the daemon takes the client for.
        case whoami
        /// How a request would be resolved.
        case explain(ExplainRequest)
        /// Something for an administrator to do with the store of secrets.
        case secrets(SecretsAction)
        case status
        /// Read the configuration anew.
        case reload
        /// Finish what is open, and stop.
        case drain
        case ping
    }

    public init(id: RequestIdentifier, operation: Operation) {
        self.id = id
        self.operation = operation
    }

    /// Operations that have a name in the protocol and no answer yet but `not_supported`.
    public static let reservedOperations = [
        "hello", "usage", "limits",
    ]

    static let operations = [
        "prompt", "chain", "tool_result", "embed", "cancel", "group_begin", "group_end", "logs", "requests", "models",
        "purposes", "whoami", "explain", "secrets", "status", "reload", "drain", "ping",
    ]

    /// Reads a request.
    ///
    /// - Throws: ``ClientRequestError``, which knows the id if there was one to be read.
    public init(decoding bytes: [UInt8]) throws(ClientRequestError) {
        let object: JSONObject
        do {
            object = try JSONObject(bytes)
        } catch {
            throw ClientRequestError(
                id: nil, Failure(.invalidJSON, "the frame is not a JSON object that can be read: \(error)"))
        }
        let id: RequestIdentifier
        do throws(MessageError) {
            id = try RequestIdentifier(decoding: try object.require("id"))
        } catch {
            throw ClientRequestError(id: nil, Failure(.invalidRequest, "a request needs an id: \(error)"))
        }
        do throws(Failure) {
            self.init(id: id, operation: try Self.decodeOperation(object))
        } catch {
            throw ClientRequestError(id: id, error)
        }
    }

    private static func decodeOperation(_ object: JSONObject) throws(Failure) -> Operation {
        do throws(MessageError) {
            let name = try object.require("op").expectString("op")
            switch name {
            case "prompt":
                return .prompt(try PromptRequest(decoding: object))
            case "chain":
                return .chain(try ChainRequest(decoding: object))
            case "tool_result":
                try object.expectOnly(ToolResultRequest.fields)
                return .toolResult(try ToolResultRequest(decoding: object))
            case "embed":
                return .embed(try EmbedRequest(decoding: object))
            case "cancel":
                try object.expectOnly(["id", "op", "target"])
                do throws(MessageError) {
                    return .cancel(target: try RequestIdentifier(decoding: try object.require("target")))
                } catch {
                    throw .invalidValue("target", "must be the id of an open request of this connection")
                }
            case "group_begin":
                return .groupBegin(try GroupBeginRequest(decoding: object))
            case "group_end":
                return .groupEnd(try GroupEndRequest(decoding: object))
            case "logs":
                try object.expectOnly(LogsRequest.fields)
                return .logs(try LogsRequest(decoding: object))
            case "requests":
                try object.expectOnly(RequestsRequest.fields)
                return .requests(try RequestsRequest(decoding: object))
            case "models":
                return .models(try ModelsRequest(decoding: object))
            case "explain":
                return .explain(try ExplainRequest(decoding: object))
            case "secrets":
                try object.expectOnly(["id", "op"] + SecretsAction.fields)
                return .secrets(try SecretsAction(decoding: object))
            case "purposes", "whoami", "status", "reload", "drain", "ping":
                try object.expectOnly(["id", "op"])
                switch name {
                case "purposes": return .purposes
                case "whoami": return .whoami
                case "status": return .status
                case "reload": return .reload
                case "drain": return .drain
                default: return .ping
                }
            default:
                throw .invalidValue("op", name)
            }
        } catch .invalidValue("op", let name) {
            if Self.reservedOperations.contains(name) {
                throw Failure(.notSupported, "this version does not support the op '\(name)'")
            }
            let nearest = name.nearest(of: Self.operations).map { "; did you mean '\($0)'?" } ?? ""
            throw Failure(.unknownOperation, "unknown op '\(name.truncated(toUTF8Length: 64))'\(nearest)")
        } catch {
            throw Failure(.invalidRequest, "\(error)")
        }
    }

    /// The request as a frame's payload.
    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("id", raw: self.id.encoded)
        switch self.operation {
        case .prompt(let prompt):
            object.add("op", "prompt")
            prompt.append(to: &object)
        case .chain(let chain):
            object.add("op", "chain")
            chain.append(to: &object)
        case .toolResult(let results):
            object.add("op", "tool_result")
            results.append(to: &object)
        case .embed(let embed):
            object.add("op", "embed")
            embed.append(to: &object)
        case .cancel(let target):
            object.add("op", "cancel")
            object.add("target", raw: target.encoded)
        case .groupBegin(let group):
            object.add("op", "group_begin")
            group.append(to: &object)
        case .groupEnd(let group):
            object.add("op", "group_end")
            group.append(to: &object)
        case .logs(let logs):
            object.add("op", "logs")
            logs.append(to: &object)
        case .requests(let requests):
            object.add("op", "requests")
            requests.append(to: &object)
        case .models(let models):
            object.add("op", "models")
            models.append(to: &object)
        case .explain(let explain):
            object.add("op", "explain")
            explain.append(to: &object)
        case .purposes: object.add("op", "purposes")
        case .whoami: object.add("op", "whoami")
        case .secrets(let action):
            object.add("op", "secrets")
            action.append(to: &object)
        case .status: object.add("op", "status")
        case .reload: object.add("op", "reload")
        case .drain: object.add("op", "drain")
        case .ping: object.add("op", "ping")
        }
        return object.finish()
    }
}

/// A request that could not be read. Without an id there is nothing to answer to, and the connection closes.
public struct ClientRequestError: Error, Equatable, Sendable {
    public var id: RequestIdentifier?
    public var failure: Failure

    init(id: RequestIdentifier?, _ failure: Failure) {
        self.id = id
        self.failure = failure
    }
}
