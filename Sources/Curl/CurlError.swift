internal import CLibcurl
internal import Transport

/// The library as a whole.
public enum Curl {
    /// Prepares the library, once for the process (`curl_global_init`), and at best before it has threads.
    public static func initialize() { _ = Self.isInitialized }

    private static let isInitialized: Bool = {
        // SSL and, elsewhere than here, Win32: CURL_GLOBAL_ALL.
        let code = curl_global_init(3)
        precondition(code == CURLE_OK, "libcurl cannot be initialised")
        return true
    }()
}

/// The text that curl writes about an error (`CURLOPT_ERRORBUFFER`), kept where curl can find it.
@safe final class ErrorText {
    let pointer: UnsafeMutablePointer<CChar>

    init() {
        unsafe self.pointer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        self.clear()
    }

    deinit { unsafe self.pointer.deallocate() }

    func clear() { unsafe self.pointer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE)) }

    var text: String { unsafe String(cString: self.pointer) }
}

extension CURLcode {
    /// What a provider needs to know of a failed transfer.
    var kind: TransportError.Kind {
        switch self {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
        // The only timeout that is set is that of the connection.
        case CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT: .unconnected
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
            .insecure
        case CURLE_URL_MALFORMAT: .unusable
        case CURLE_WEIRD_SERVER_REPLY, CURLE_WRITE_ERROR, CURLE_BAD_CONTENT_ENCODING: .malformed
        default: .broken
        }
    }
}
