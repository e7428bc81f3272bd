internal import CLibcurl
internal import Transport

/// Where curl's callbacks put what they are given: the lines of the head, and the bytes of the body.
final class ResponseBuffer {
    /// What of the body has arrived and was not taken.
    private(set) var body: [UInt8] = []
    /// Whether curl was told to hold the rest back.
    var isPaused = false
    private(set) var isHeadComplete = false
    /// What of the head is not accepted, so that the transfer was ended.
    private(set) var objection: String?
    private var status = 0
    private var fields: [HTTPHeader] = []
    private var headLength = 0
    /// How many bytes of an unwanted body may still be thrown away; `nil` while it is wanted.
    private var discardable: Int?

    /// The bytes of a head, all responses of an exchange (1xx) together, and of what comes after the body.
    static let headBound = 64 << 10
    /// What is said where a head goes over it.
    static let headTooLong = "the response's header is longer than \(headBound) bytes"
    /// How much of a body may wait to be taken, in bytes. A last piece of 16 KiB at most may go over it.
    static let bodyBound = 256 << 10
    /// How much of a body that nobody reads is worth a connection that can be used again, in bytes.
    static let discardBound = 64 << 10

    func reset() {
        self.body = []
        self.isPaused = false
        self.isHeadComplete = false
        self.objection = nil
        self.status = 0
        self.fields = []
        self.headLength = 0
        self.discardable = nil
    }

    func takeBody() -> [UInt8] {
        let body = self.body
        self.body = []
        return body
    }

    /// Throws away what is here and what is still to come.
    func discardBody() {
        self.body = []
        self.discardable = Self.discardBound
    }

    func head(retryAfterMilliseconds: Int?) -> HTTPResponseHead {
        HTTPResponseHead(status: self.status, headers: self.fields, retryAfterMilliseconds: retryAfterMilliseconds)
    }

    // MARK: What curl calls

    /// `CURLOPT_WRITEFUNCTION`. Fewer bytes than were given end the transfer.
    static let onBody: CLibcurl_data_callback = { bytes, size, count, context in
        let buffer = unsafe Unmanaged<ResponseBuffer>.fromOpaque(context!).takeUnretainedValue()
        if let discardable = buffer.discardable {
            buffer.discardable = discardable - size * count
            return discardable < size * count ? 0 : size * count
        }
        guard buffer.body.count < ResponseBuffer.bodyBound else {
            buffer.isPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        unsafe buffer.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
        return size * count
    }

    /// `CURLOPT_HEADERFUNCTION`: one line of a head, or of a trailer, with its line break.
    static let onHeader: CLibcurl_data_callback = { bytes, size, count, context in
        let buffer = unsafe Unmanaged<ResponseBuffer>.fromOpaque(context!).takeUnretainedValue()
        let line = unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self)
        return buffer.append(line: line, length: size * count) ? size * count : 0
    }

    /// Takes one line; `false` if the response is not accepted.
    private func append(line: String, length: Int) -> Bool {
        self.headLength += length
        if self.headLength > Self.headBound { self.objection = Self.headTooLong }
        // The fields of a trailer, which nobody asked for.
        guard !self.isHeadComplete else { return self.objection == nil }
        let line = line.trimmed
        if line.isEmpty {
            self.isHeadComplete = self.status >= 200
        } else if line.hasPrefix("HTTP/") {
            let words = line.split(separator: " ", maxSplits: 2)
            self.status = words.count > 1 ? Int(words[1]) ?? 0 : 0
            self.fields = []
            // Nothing that HTTP says would follow.
            if self.status == 101 {
                self.objection = "the response changes to another protocol, which nobody asked for"
            }
        } else if let colon = line.firstIndex(of: ":") {
            let field = HTTPHeader(String(line[..<colon]), String(line[line.index(after: colon)...]).trimmed)
            self.fields.append(field)
            self.check(field)
        }
        return self.objection == nil
    }

    /// A compressed body would be taken apart by curl, a thousand times its length and as much at once as one read from the
    /// network holds, whether it was asked for or not.
    private func check(_ field: HTTPHeader) {
        guard field.name.lowercased() == "transfer-encoding",
            !["chunked", "identity"].contains(field.value.lowercased())
        else { return }
        self.objection =
            "the response's transfer encoding is not one that was asked for, but '\(field.value.prefix(64))'"
    }
}

extension String {
    /// The string without white space of ASCII at its ends.
    fileprivate var trimmed: String {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || ("\u{09}"..."\u{0D}").contains(scalar) }
        let scalars = self.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isSpace($0) }),
            let last = scalars.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(scalars[first...last])
    }
}
