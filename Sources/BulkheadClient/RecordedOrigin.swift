import JSON

/// What a request on record was for, and on whose behalf it was made.
public struct RecordedOrigin: Equatable, Sendable {
    /// Whom the configuration took the asker for; `nil` where it named nobody.
    public var caller: String?
    /// Whom it was for, where the caller named somebody.
    public var actor: String?
    public var purpose: String?
    /// The group of prompts that it belonged to.
    public var group: String?

    init(_ row: JSONValue) {
        self.caller = row["caller"]?.string
        self.actor = row["actor"]?.string
        self.purpose = row["purpose"]?.string
        self.group = row["group"]?.string
    }
}
