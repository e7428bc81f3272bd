public import Messages

/// Runs a slot's requests with the slot's provider, one after the other.
public struct RequestRunner {
    private var provider: any Provider
    private let channel: any SlotChannel

    public init(_ provider: any Provider, channel: any SlotChannel) {
        self.provider = provider
        self.channel = channel
    }

    /// Runs `request` and writes its events, of which exactly one, the last, is `done` or `error`.
    ///
    /// - Returns: `false` if the slot was closed, so that no last frame could be written.
    public mutating func run(_ request: ModelRequest) -> Bool {
        self.write(key: request.key) { runner throws(RequestEnd) in .done(try runner.complete(request)) }
    }

    /// Asks the provider which models it has and writes the one event that says so, or why not.
    ///
    /// - Returns: `false` if the slot was closed.
    public mutating func list(_ listing: ModelListing) -> Bool {
        self.write(key: listing.key) { runner throws(RequestEnd) in
            .models(try runner.provider.listModels(key: listing.key))
        }
    }

    /// Writes the last event that `body` makes, or how it failed.
    private mutating func write(
        key: String?, _ body: (inout RequestRunner) throws(RequestEnd) -> SlotEvent
    ) -> Bool {
        let last: SlotEvent
        do throws(RequestEnd) {
            last = try body(&self)
        } catch {
            switch error {
            case .failed(let failure, let usage): last = .error(failure.withoutKey(key), usage: usage)
            case .cancelled: last = .error(Failure(.cancelled, "the request was cancelled"), usage: nil)
            case .slotClosed: return false
            }
        }
        return self.write(last)
    }

    /// Ends a request that could not even be read.
    public func refuse(_ failure: Failure) -> Bool { self.write(.error(failure, usage: nil)) }

    private mutating func complete(_ request: ModelRequest) throws(RequestEnd) -> SlotCompletion {
        guard self.provider.serves(request.model) else {
            throw .failed(.modelError, "this provider serves no model '\(request.model)'")
        }
        let output = AnswerOutput(for: request, channel: self.channel)
        var completion = try self.provider.run(request, into: output)
        completion.answer = output.takeAnswer()
        completion.providerRequestID = completion.providerRequestID?.withoutKey(request.key)
        return completion
    }

    private func write(_ event: SlotEvent) -> Bool {
        do throws(RequestEnd) {
            try self.channel.write(event.encoded)
            try self.channel.flush()
        } catch {
            return false
        }
        return true
    }
}

extension Failure {
    /// The failure without the key of the request, should its provider have repeated it.
    fileprivate func withoutKey(_ key: String?) -> Failure {
        Failure(
            self.code, self.message.withoutKey(key), retryAfterMilliseconds: self.retryAfterMilliseconds,
            providerRequestID: self.providerRequestID?.withoutKey(key))
    }
}

extension String {
    /// The text with `[key]` wherever it holds the key.
    ///
    /// Whoever cuts a text short does this first, or a part of the key could stay.
    func withoutKey(_ key: String?) -> String {
        guard let key = key.map({ Array($0.utf8) }), !key.isEmpty else { return self }
        let text = Array(self.utf8)
        var clean: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == key[0], text[index...].starts(with: key) {
                clean.append(contentsOf: "[key]".utf8)
                index += key.count
            } else {
                clean.append(text[index])
                index += 1
            }
        }
        return String(decoding: clean, as: UTF8.self)
    }
}
