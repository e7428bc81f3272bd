public import Foundation

/// What a recorded body says, read by another reader of JSON than Bulkhead's and in the plainest way.
public struct ExpectedAnswer {
    public internal(set) var text = ""
    public internal(set) var reasoning = ""
    /// The calls of the client's tools.
    public internal(set) var calls: [Call] = []
    /// The calls of tools that the provider ran; `nil` where ``serverPartCount`` says enough.
    public internal(set) var serverCalls: [Call]? = []
    /// How many parts are of tools that the provider ran, both calls and results; `nil` where it is not known.
    public internal(set) var serverPartCount: Int?
    public internal(set) var finishReason: String?
    public internal(set) var resolvedModel: String?
    public internal(set) var inputTokens: Int?
    public internal(set) var outputTokens: Int?
    /// What is said of usage beside, and has to be among the details as it is; `nil` for nothing.
    public internal(set) var details: NSDictionary?
    /// The error that ends it.
    public internal(set) var failure: Failure?

    public struct Call: Equatable, Sendable {
        /// `nil` where the provider gave none.
        public var id: String?
        /// `nil` where it is not to be compared.
        public var name: String?
        /// An object of JSON; `nil` where it is not to be compared.
        nonisolated(unsafe) public var arguments: NSDictionary?
    }

    public struct Failure: Equatable, Sendable {
        public var code: String
        /// What the message holds: the provider's own words.
        public var message: String
        public var isRetryable: Bool
    }

    public init(_ recording: Recording) throws {
        switch recording.folder {
        case "chat-completions": try self.readChat(recording)
        case "responses": try self.readResponses(recording)
        case "messages": try self.readMessages(recording)
        default: try self.readGemini(recording)
        }
    }

    // MARK: Comparing

    /// What `answer` says otherwise, a sentence each.
    ///
    /// - Parameter isStreamed: Whether it was streamed: of a whole one that failed there is nothing but the error.
    public func differences(from answer: ReadAnswer, isStreamed: Bool) -> [String] {
        var differences: [String] = []
        func compare<Value: Equatable>(_ what: String, _ actual: Value, _ expected: Value) {
            if actual != expected { differences.append("\(what) is \(actual) and should be \(expected)") }
        }
        compare("error", answer.error?.code, self.failure?.code)
        if let failure = self.failure {
            let message = answer.error?.message ?? ""
            if !message.contains(failure.message) { differences.append("'\(message)' lacks '\(failure.message)'") }
            if let isRetryable = answer.error?.isRetryable { compare("retryable", isRetryable, failure.isRetryable) }
        } else {
            compare("finish reason", answer.finishReason, self.finishReason)
            if let model = self.resolvedModel { compare("resolved model", answer.resolvedModel, model) }
        }
        compare("input", answer.inputTokens, self.inputTokens)
        compare("output", answer.outputTokens, self.outputTokens)
        compare("details", answer.details, self.details)
        guard isStreamed || self.failure == nil else { return differences }
        compare("text", answer.text, self.text)
        compare("reasoning", answer.reasoning, self.reasoning)
        differences += Self.differences(answer.calls.filter { !$0.isServerExecuted }, self.calls)
        if let calls = self.serverCalls {
            differences += Self.differences(answer.calls.filter(\.isServerExecuted), calls)
        }
        if let count = self.serverPartCount {
            compare("server parts", answer.calls.count(where: \.isServerExecuted) + answer.serverResultCount, count)
        }
        return differences
    }

    /// In the order of their ids: of items without an end of their own a stream tells at its end.
    private static func differences(_ actual: [ReadAnswer.Call], _ expected: [Call]) -> [String] {
        guard actual.count == expected.count else {
            return ["\(actual.count) calls (\(actual.map(\.name))) and should be \(expected.count)"]
        }
        let hasIDs = expected.allSatisfy { $0.id != nil }
        let actual = hasIDs ? actual.sorted { $0.id < $1.id } : actual
        let expected = hasIDs ? expected.sorted { $0.id! < $1.id! } : expected
        return zip(actual, expected).compactMap { actual, expected in
            let isID = expected.id.map { $0 == actual.id } ?? actual.id.hasPrefix("tc_")
            let isName = expected.name == nil || expected.name == actual.name
            let isWhole = expected.arguments == nil || expected.arguments == actual.arguments
            return isID && isName && isWhole ? nil : "call \(actual) and should be \(expected)"
        }
    }

    // MARK: What the readers share

    static func count(_ value: Any?) -> Int? { (value as? NSNumber)?.intValue }

    static func arguments(_ text: String) throws -> NSDictionary {
        guard !text.isEmpty else { return [:] }
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary ?? [:]
    }

    /// What of usage is neither of `names`, nor zero, null or empty.
    static func details(_ usage: [String: Any], without names: [String]) -> NSDictionary? {
        (Self.cleaned(usage.filter { !names.contains($0.key) }) as? [String: Any]).map(NSDictionary.init)
    }

    /// The value without what is zero, null or empty; booleans stay.
    private static func cleaned(_ value: Any) -> Any? {
        switch value {
        case is NSNull: return nil
        case let object as [String: Any]:
            let kept = object.compactMapValues { Self.cleaned($0) }
            return kept.isEmpty ? nil : kept
        case let number as NSNumber:
            let isBoolean = String(cString: number.objCType) == "c"
            return !isBoolean && number.doubleValue == 0 ? nil : number
        default: return value
        }
    }
}
