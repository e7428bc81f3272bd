internal import CLibcurl
internal import Transport

/// The header lines of one request, `curl_slist`. They hold the key, and are freed with their owner.
@safe struct HeaderList: ~Copyable {
    private(set) var pointer: UnsafeMutablePointer<curl_slist>?

    init() { unsafe self.pointer = nil }

    deinit { unsafe curl_slist_free_all(self.pointer) }

    /// Appends a field.
    ///
    /// - Throws: ``TransportError/Kind/unusable`` for a character that would end the line, and so smuggle in another.
    mutating func append(_ header: HTTPHeader) throws(TransportError) {
        let isLine = { (text: String) in text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } }
        guard isLine(header.name), isLine(header.value), !header.name.isEmpty, !header.value.isEmpty else {
            throw TransportError(.unusable, "header '\(header.name)' is empty or holds a control character")
        }
        self.appendLine("\(header.name): \(header.value)")
    }

    /// Appends a line as it is; curl copies it.
    mutating func appendLine(_ line: String) {
        guard let list = unsafe curl_slist_append(self.pointer, line) else {
            preconditionFailure("libcurl has no memory for a header line")
        }
        unsafe self.pointer = list
    }
}
