import JSON
import Messages
import Transport

/// A part of what a provider lists as its models.
struct ModelPage {
    var models: [ModelDescription]
    /// What names the next part; `nil` in the last.
    var next: String?

    /// How many parts are asked for: a provider that always has one more is not waited for forever.
    static let maximumCount = 50
}

extension HTTPProvider {
    mutating func listModels(key: String?) throws(RequestEnd) -> [ModelDescription] {
        var models: [ModelDescription] = []
        var ids: Set<String> = []
        var next: String?
        for _ in 0..<ModelPage.maximumCount {
            let page = try self.modelPage(next, key: key)
            for model in page.models where ModelListing.isUsable(model.id) && ids.insert(model.id).inserted {
                models.append(model)
            }
            next = page.next
            if next == nil || models.count >= ModelListing.maximumModels { break }
        }
        return Array(models.prefix(ModelListing.maximumModels))
    }

    private func modelPage(_ cursor: String?, key: String?) throws(RequestEnd) -> ModelPage {
        let call = API.modelsCall(after: cursor, key: key, to: self.kind)
        let http = HTTPRequest(
            method: "GET", url: self.baseURL + call.path,
            headers: [
                HTTPHeader("accept", "application/json"),
                HTTPHeader("user-agent", "bulkhead/\(SoftwareVersion.current)"),
            ] + call.headers,
            connectTimeoutMilliseconds: self.connectTimeoutMilliseconds)
        let head = try self.transported { transport throws(TransportError) in try transport.start(http) }
        defer { self.environment.transport.finish() }
        guard (200..<300).contains(head.status) else {
            throw .failed(ProviderFailure.refused(head, body: try self.errorBody(), key: key))
        }
        guard let body = try self.body() else {
            throw .invalidResponse("it is longer than \(HTTPBounds.body) bytes")
        }
        let value = try ProviderJSON.value(body, key: key)
        guard let page = API.modelPage(value) else { throw .invalidResponse("it is no list of models") }
        return page
    }
}

extension String {
    /// The text as a value in a URL's query, every byte as `%XX` that RFC 3986 does not call unreserved.
    var escapedForQuery: String {
        var text = ""
        for byte in self.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return text
    }
}

extension ModelFacts {
    /// Takes what a provider says of a number of tokens; nonsense is passed over.
    mutating func setContext(_ value: JSONValue?) {
        if let count = value?.integer, (1...Int(Int32.max)).contains(count) { self.context = count }
    }

    mutating func setMaximumOutput(_ value: JSONValue?) {
        if let count = value?.integer, (1...Int(Int32.max)).contains(count) { self.maximumOutput = count }
    }

    mutating func set(_ ability: Ability, _ value: Bool?) {
        if let value { self.abilities[ability] = value }
    }
}
