import Messages

/// When each key was last handed to a worker, and whether that is on disk.
struct KeyUseLedger: Sendable {
    private(set) var file: KeyUse
    /// Whether something was used since it was written.
    private(set) var isDirty = false

    init(_ file: KeyUse) { self.file = file }

    /// - Returns: Whether this is the first use since the file was written, which is the time to plan the next writing.
    mutating func used(_ name: String, atMilliseconds now: Int) -> Bool {
        self.file.used(name, atMilliseconds: now)
        defer { self.isDirty = true }
        return !self.isDirty
    }

    /// The file to be written; `nil` where what is there is up to date.
    mutating func takeFile() -> [UInt8]? {
        guard self.isDirty else { return nil }
        self.isDirty = false
        return self.file.encoded
    }
}

extension SupervisorCore {
    /// A request that carries the key of this name goes to a worker.
    mutating func keyWasUsed(_ name: String, at now: Now) {
        guard self.keyUse.used(name, atMilliseconds: now.wallMilliseconds) else { return }
        self.setDeadline(.keyUse, at: now.instant + self.bounds.keyUseInterval)
    }

    /// Writes down what was used since it was last written down.
    mutating func saveKeyUse() {
        self.setDeadline(.keyUse, at: nil)
        if let file = self.keyUse.takeFile() { self.actions.append(.saveKeyUse(file)) }
    }
}
