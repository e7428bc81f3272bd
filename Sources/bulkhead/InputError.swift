/// What the command line names cannot be read, or is not what it is said to be. Nothing was sent.
struct InputError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
