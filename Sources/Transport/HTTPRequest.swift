/// A request over HTTP, as a provider asks for it.
public struct HTTPRequest: Sendable, Equatable {
    public var method: String
    /// An absolute `http` or `https` URL.
    public var url: String
    /// In the order in which they are sent. A value may hold a key: a transport neither logs nor keeps it.
    public var headers: [HTTPHeader]
    public var body: [UInt8]
    /// How long a connection may take to be made, in milliseconds.
    public var connectTimeoutMilliseconds: Int

    public init(
        method: String = "POST", url: String, headers: [HTTPHeader] = [], body: [UInt8] = [],
        connectTimeoutMilliseconds: Int = 10_000
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
    }
}

/// One header field.
public struct HTTPHeader: Sendable, Equatable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What comes before a response's body.
public struct HTTPResponseHead: Sendable, Equatable {
    /// The status of the final response: never 1xx.
    public var status: Int
    public var headers: [HTTPHeader]
    /// What `Retry-After` asks for, in milliseconds from now, whether it gave seconds or a date; `nil` for none, and
    /// for now.
    public var retryAfterMilliseconds: Int?

    public init(status: Int, headers: [HTTPHeader] = [], retryAfterMilliseconds: Int? = nil) {
        self.status = status
        self.headers = headers
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// The value of the first field `name`, which must be lowercase; the field's own case does not matter.
    public func header(_ name: String) -> String? {
        self.headers.first { $0.name.lowercased() == name }?.value
    }
}
