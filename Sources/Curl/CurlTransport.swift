internal import CLibcurl
public import Transport

/// HTTP by libcurl, for one thread.
///
/// It owns one easy handle and one multi handle, both kept for its whole life, so that a connection serves the next
/// request too. It waits on the transfer and on one descriptor more, by which a cancel is noticed while the upstream
/// says nothing (`curl_multi_poll`). What arrives and is not yet asked for is bounded: beyond the bound the transfer is
/// paused, and the kernel makes the upstream wait.
@safe public final class CurlTransport: HTTPTransport {
    private let multi: UnsafeMutableRawPointer
    private let easy: UnsafeMutableRawPointer
    private let interruptionDescriptor: CInt
    private let isInterrupted: () -> Bool
    private let response = ResponseBuffer()
    private let errorText = ErrorText()
    private var headers = HeaderList()
    private var isActive = false
    /// How the transfer ended, once it has.
    private var outcome: CURLcode?

    /// How long a wait may last before curl is asked again, in milliseconds. Nothing depends on it: descriptors end a
    /// wait.
    private static let pollMilliseconds: CInt = 1000
    /// How long ``finish()`` may wait for the end of a body that nobody reads, so that its connection can be used
    /// again.
    private static let lingerMilliseconds: CInt = 50

    /// - Parameters:
    ///   - descriptor: Waited on together with the transfer. It stays the caller's.
    ///   - isInterrupted: Asked whenever the descriptor may have something to read, and before each piece of a
    ///     body; it reads the descriptor, and says whether the request is to end.
    public init(waitingOn descriptor: CInt, isInterrupted: @escaping () -> Bool) {
        Curl.initialize()
        guard let multi = unsafe curl_multi_init(), let easy = unsafe curl_easy_init() else {
            preconditionFailure("libcurl has no memory for a handle")
        }
        // A slot has one upstream, so that one connection is all that is worth being kept.
        unsafe CLibcurl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, 1)
        unsafe self.multi = multi
        unsafe self.easy = easy
        self.interruptionDescriptor = descriptor
        self.isInterrupted = isInterrupted
    }

    deinit {
        if self.isActive { unsafe curl_multi_remove_handle(self.multi, self.easy) }
        unsafe curl_easy_cleanup(self.easy)
        unsafe curl_multi_cleanup(self.multi)
    }

    public func start(_ request: HTTPRequest) throws(TransportError) -> HTTPResponseHead {
        precondition(!self.isActive, "an exchange is not over yet")
        try self.prepare(request)
        let code = unsafe curl_multi_add_handle(self.multi, self.easy)
        precondition(code == CURLM_OK, "a fresh easy handle can always be added")
        self.isActive = true
        do throws(TransportError) {
            try self.advance { $0.isHeadComplete }
            // curl takes a connection that closes inside of the head for an answer without a body.
            guard self.response.isHeadComplete else {
                throw TransportError(.broken, "it was closed inside of the response's header")
            }
            return self.response.head(retryAfterMilliseconds: self.retryAfterMilliseconds)
        } catch {
            self.end()
            throw error
        }
    }

    public func nextPiece() throws(TransportError) -> [UInt8]? {
        precondition(self.isActive, "no exchange")
        do throws(TransportError) {
            // The descriptor is looked at for each piece, because a fast upstream may never make us wait.
            if self.isInterrupted() { throw .interrupted }
            self.resume()
            try self.advance { !$0.body.isEmpty }
        } catch {
            self.end()
            throw error
        }
        let piece = self.response.takeBody()
        guard piece.isEmpty else { return piece }
        self.end()
        return nil
    }

    public func finish() {
        guard self.isActive else { return }
        self.response.discardBody()
        self.resume()
        let deadline = ContinuousClock.now + .milliseconds(Self.lingerMilliseconds)
        while self.perform(), self.outcome == nil, ContinuousClock.now < deadline {
            unsafe curl_multi_poll(self.multi, nil, 0, Self.lingerMilliseconds, nil)
        }
        self.end()
    }

    // MARK: The transfer

    /// Lets curl work until `condition` holds or the transfer is over.
    private func advance(until condition: (ResponseBuffer) -> Bool) throws(TransportError) {
        while true {
            let isWorking = self.perform()
            if condition(self.response) { return }
            if let outcome = self.outcome {
                guard outcome == CURLE_OK else { throw self.error(outcome) }
                return
            }
            guard isWorking else { throw TransportError(.broken, "libcurl cannot go on") }
            var extra = curl_waitfd(fd: self.interruptionDescriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0)
            unsafe curl_multi_poll(self.multi, &extra, 1, Self.pollMilliseconds, nil)
            if extra.revents != 0, self.isInterrupted() { throw .interrupted }
        }
    }

    /// Lets curl do what can be done without waiting; `false` if it cannot do anything any more.
    private func perform() -> Bool {
        var running: CInt = 0
        let code = unsafe curl_multi_perform(self.multi, &running)
        var remaining: CInt = 0
        while let message = unsafe curl_multi_info_read(self.multi, &remaining) {
            if unsafe message.pointee.msg == CURLMSG_DONE { self.outcome = unsafe message.pointee.data.result }
        }
        return code == CURLM_OK
    }

    /// Lets a paused transfer go on.
    private func resume() {
        guard self.response.isPaused else { return }
        self.response.isPaused = false
        unsafe curl_easy_pause(self.easy, CURLPAUSE_CONT)
    }

    /// Forgets the exchange, its key above all. A connection whose response is complete stays open for the next one.
    private func end() {
        unsafe curl_multi_remove_handle(self.multi, self.easy)
        unsafe curl_easy_reset(self.easy)
        self.headers = HeaderList()
        self.response.reset()
        self.outcome = nil
        self.isActive = false
    }

    private var retryAfterMilliseconds: Int? {
        var seconds: curl_off_t = 0
        unsafe CLibcurl_getinfo_offset(self.easy, CURLINFO_RETRY_AFTER, &seconds)
        guard seconds > 0 else { return nil }
        return Int(min(seconds, curl_off_t(Int32.max) / 1000)) * 1000
    }

    private func error(_ code: CURLcode) -> TransportError {
        if let objection = self.response.objection { return TransportError(.malformed, objection) }
        switch code {
        // curl has a bound of its own for one line of a head, and no other words for it.
        case CURLE_OUT_OF_MEMORY where !self.response.isHeadComplete:
            return TransportError(.malformed, ResponseBuffer.headTooLong)
        // The scheme of the URL was checked before: this is a response that does not begin with "HTTP/".
        case CURLE_UNSUPPORTED_PROTOCOL:
            return TransportError(.malformed, "it is not a response of HTTP/1.0 or HTTP/1.1")
        default: break
        }
        let text = self.errorText.text
        return TransportError(code.kind, text.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : text)
    }

    // MARK: The request

    private func prepare(_ request: HTTPRequest) throws(TransportError) {
        let scheme = request.url.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw TransportError(.unusable, "the URL must begin with http:// or https://")
        }
        var headers = HeaderList()
        for header in request.headers { try headers.append(header) }
        // Without this curl asks before it sends a long body, and waits a second for an upstream that does not answer.
        headers.appendLine("Expect:")
        self.headers = headers
        self.errorText.clear()

        self.set(CURLOPT_URL, request.url)
        self.set(CURLOPT_PROTOCOLS_STR, "http,https")
        self.set(CURLOPT_FOLLOWLOCATION, 0)
        // A proxy would see every key that is not encrypted: none is taken from the environment.
        self.set(CURLOPT_PROXY, "")
        self.set(CURLOPT_SSL_VERIFYPEER, 1)
        self.set(CURLOPT_SSL_VERIFYHOST, 2)
        self.set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        // One request at a time is all that a slot does, so HTTP/2 would bring nothing.
        self.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        // Without this a slow resolver raises SIGALRM.
        self.set(CURLOPT_NOSIGNAL, 1)
        self.set(CURLOPT_TCP_NODELAY, 1)
        self.set(CURLOPT_TCP_KEEPALIVE, 1)
        self.set(CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeoutMilliseconds)
        unsafe CLibcurl_setopt_pointer(self.easy, CURLOPT_ERRORBUFFER, self.errorText.pointer)
        unsafe CLibcurl_setopt_pointer(self.easy, CURLOPT_HTTPHEADER, self.headers.pointer)
        self.set(CURLOPT_CUSTOMREQUEST, request.method)
        if !request.body.isEmpty {
            // In this order: the length is that of what is then copied.
            unsafe CLibcurl_setopt_offset(self.easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
            unsafe CLibcurl_setopt_pointer(self.easy, CURLOPT_COPYPOSTFIELDS, request.body)
        }
        let context = unsafe Unmanaged.passUnretained(self.response).toOpaque()
        unsafe CLibcurl_setopt_pointer(self.easy, CURLOPT_WRITEDATA, context)
        unsafe CLibcurl_setopt_callback(self.easy, CURLOPT_WRITEFUNCTION, ResponseBuffer.onBody)
        unsafe CLibcurl_setopt_pointer(self.easy, CURLOPT_HEADERDATA, context)
        unsafe CLibcurl_setopt_callback(self.easy, CURLOPT_HEADERFUNCTION, ResponseBuffer.onHeader)
    }

    private func set(_ option: CURLoption, _ value: Int) {
        let code = unsafe CLibcurl_setopt_long(self.easy, option, value)
        precondition(code == CURLE_OK, "libcurl 7.88 knows every option that is set")
    }

    /// curl copies the text.
    private func set(_ option: CURLoption, _ value: String) {
        let code = unsafe value.withCString { unsafe CLibcurl_setopt_pointer(self.easy, option, $0) }
        precondition(code == CURLE_OK, "libcurl 7.88 knows every option that is set")
    }
}

extension TransportError {
    static let interrupted = TransportError(.interrupted, "the request was cancelled")
}
