import Messages

/// The command line: `--database PATH [--durability commit|relaxed]`.
struct Arguments {
    var database: String
    var durability = ServiceConfiguration.Durability.commit

    static let usage = "usage: bulkhead-logger --database PATH [--durability commit|relaxed]"

    /// - Parameter arguments: What follows the program's name.
    init(_ arguments: some Sequence<String>) throws(Fault) {
        var database: String?
        var iterator = arguments.makeIterator()
        while let option = iterator.next() {
            switch option {
            case "--database":
                guard let value = iterator.next(), !value.isEmpty else { throw Fault("--database needs a path") }
                database = value
            case "--durability":
                guard let value = iterator.next(), let durability = ServiceConfiguration.Durability(rawValue: value)
                else {
                    throw Fault("--durability is commit or relaxed")
                }
                self.durability = durability
            default: throw Fault("'\(option)' is not known")
            }
        }
        guard let database else { throw Fault("--database is missing") }
        self.database = database
    }

    struct Fault: Error {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
