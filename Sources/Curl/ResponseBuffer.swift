internal import CLibcurl
internal import Transport

/// Where curl's callbacks put what they are given: the lines of the head, and the bytes of the body.
final class ResponseBuffer {
    /// What of the body has arrived and was not taken.
    private(set) var body: [UInt8] = []
    /// Whether curl was told to hold the rest back.
    var isPaused = false
    private(set) var isHeadComplete = false
    private(set) var isHeadTooLong = false
    private var status = 0
    private var fields: [HTTPHeader] = []
    private var headLength = 0
    /// How many bytes of an unwanted body may still be thrown away; `nil` while it is wanted.
    private var discardable: Int?

    /// The bytes of a head, all responses of an exchange (1xx) together.
    static let headBound = 64 << 10
    /// How much of a body may wait to be taken, in bytes. A last piece of 16 KiB at most may go over it.
    static let bodyBound = 256 << 10
    /// How much of a body that nobody reads is worth a connection that can be used again, in bytes.
    static let discardBound = 64 << 10

    func reset() {
        self.body = []
        self.isPaused = false
        self.isHeadComplete = false
        self.isHeadTooLong = false
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

    /// Takes one line; `false` if the head has become too long.
    private func append(line: String, length: Int) -> Bool {
        self.headLength += length
        guard self.headLength <= Self.headBound else {
            self.isHeadTooLong = true
            return false
        }
        // The fields of a trailer, which nobody asked for.
        guard !self.isHeadComplete else { return true }
        let line = line.trimmed
        if line.isEmpty {
            self.isHeadComplete = self.status >= 200
        } else if line.hasPrefix("HTTP/") {
            let words = line.split(separator: " ", maxSplits: 2)
            self.status = words.count > 1 ? Int(words[1]) ?? 0 : 0
            self.fields = []
        } else if let colon = line.firstIndex(of: ":") {
            let value = String(line[line.index(after: colon)...]).trimmed
            self.fields.append(HTTPHeader(String(line[..<colon]), value))
        }
        return true
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
