import Messages

/// The command line: `--database PATH [--durability commit|relaxed]`, `--read --database PATH`, or `--datasette-secrets PATH`.
struct Arguments {
    var database: String
    /// Whether the file is only read.
    var reads = false
    var durability = ServiceConfiguration.Durability.commit
    /// Whether the file is Datasette's, and its secrets are to be printed as they are: encrypted.
    var printsDatasetteSecrets = false

    static let usage = """
        usage: bulkhead-logger --database PATH [--durability commit|relaxed]
               bulkhead-logger --read --database PATH
               bulkhead-logger --datasette-secrets PATH

        bulkheadd starts the first two forms, with a channel on descriptor 3. The third is called by
        `bulkhead secrets import --datasette PATH`: it prints the encrypted secrets of a database of
        datasette-secrets, one JSON object a line.
        """

    /// - Parameter arguments: What follows the program's name.
    init(_ arguments: some Sequence<String>) throws(Fault) {
        var database: String?
        var durability: ServiceConfiguration.Durability?
        var iterator = arguments.makeIterator()
        while let option = iterator.next() {
            switch option {
            case "--database":
                guard let value = iterator.next(), !value.isEmpty else { throw Fault("--database needs a path") }
                database = value
            case "--datasette-secrets":
                guard let value = iterator.next(), !value.isEmpty else {
                    throw Fault("--datasette-secrets needs a path")
                }
                database = value
                self.printsDatasetteSecrets = true
            case "--durability":
                durability = iterator.next().flatMap(ServiceConfiguration.Durability.init)
                guard durability != nil else { throw Fault("--durability is commit or relaxed") }
            case "--read": self.reads = true
            default: throw Fault("'\(option)' is not known")
            }
        }
        guard let database else { throw Fault("--database is missing") }
        guard !self.printsDatasetteSecrets || (!self.reads && durability == nil) else {
            throw Fault("--datasette-secrets goes with no other option")
        }
        guard !self.reads || durability == nil else { throw Fault("--durability is for who writes, not for --read") }
        self.database = database
        self.durability = durability ?? .commit
    }

    struct Fault: Error {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
