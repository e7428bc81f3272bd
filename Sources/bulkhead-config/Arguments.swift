/// What the command line asks of bulkhead-config.
enum Arguments: Equatable {
    /// Answer the supervisor on the channel.
    case serve(file: String?, socketPath: String?, stateDirectory: String?)
    /// Tell a person what is wrong with a file.
    case check(file: String)
    /// Do for the supervisor what it says on the channel with the store of secrets.
    case secrets(stateDirectory: String, masterKeyFile: String?)
    /// Write the bulkhead.yaml that a datasette.yaml comes to.
    case convert(file: String)
    /// Write docs/providers.md.
    case providers
    case help
    case version

    /// Why a command line cannot be understood.
    struct UsageError: Error, Equatable {
        let message: String
    }

    static let usage = """
        Usage: bulkhead-config --check FILE
               bulkhead-config --import FILE
               bulkhead-config --providers
               bulkhead-config [--config FILE] [--socket PATH] [--state-directory DIR]
               bulkhead-config --secrets --state-directory DIR [--master-key-file FILE]

        The first form checks a configuration file; `bulkhead config check FILE` calls it. It says
        what the file means, or each thing that is wrong with it by file, line and column.

        The second writes the bulkhead.yaml that the settings of datasette-llm in a datasette.yaml
        come to; `bulkhead config import FILE` calls it. It says what it leaves out.

        The third writes what is known of providers and their models, as docs/providers.md has it.

        The fourth form is for bulkheadd, which starts it with a channel on descriptor 3. It reads
        the file and the environment and answers with one frame.

        So is the fifth: it reads one frame, works on the secrets in DIR and answers with one frame.
        `bulkhead secrets` is how a person has it called.

          --check FILE           check FILE and exit: 0 if it can be used, 1 if not
          --import FILE          convert FILE and exit: 0 if the outcome can be used, 1 if not
          --config FILE          the configuration; without it, $CONFIGURATION_DIRECTORY/bulkhead.yaml
                                 where there is one, else the defaults
          --socket PATH          counts for more than `socket` in the file
          --state-directory DIR  counts for more than `state_directory` in the file
          --secrets              work on the store of secrets
          --master-key-file FILE its master key, unless that is a credential
          --help                 show this
          --version              show the version
        """

    /// - Parameter arguments: Without the name of the program.
    static func parse(_ arguments: some Sequence<String>) throws(UsageError) -> Arguments {
        var values: [String: String] = [:]
        var isForSecrets = false
        var iterator = arguments.makeIterator()
        while let argument = iterator.next() {
            if argument == "--help" || argument == "-h" { return .help }
            if argument == "--version" { return .version }
            if argument == "--providers" { return .providers }
            if argument == "--secrets" {
                isForSecrets = true
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard
                ["--check", "--import", "--config", "--socket", "--state-directory", "--master-key-file"].contains(name)
            else {
                throw UsageError(
                    message: name.hasPrefix("-") ? "unknown option \(name)" : "unexpected argument '\(argument)'")
            }
            guard let value = parts.count == 2 ? String(parts[1]) : iterator.next(), !value.isEmpty else {
                throw UsageError(message: "\(name) needs a value")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw UsageError(message: "\(name) is given twice")
            }
        }
        if isForSecrets {
            guard let directory = values.removeValue(forKey: "--state-directory") else {
                throw UsageError(message: "--secrets needs --state-directory")
            }
            let keyFile = values.removeValue(forKey: "--master-key-file")
            if let other = values.keys.min() { throw UsageError(message: "\(other) does not go with --secrets") }
            return .secrets(stateDirectory: directory, masterKeyFile: keyFile)
        }
        guard values["--master-key-file"] == nil else {
            throw UsageError(message: "--master-key-file goes with --secrets")
        }
        for option in ["--check", "--import"] {
            guard let file = values[option] else { continue }
            guard values.count == 1 else { throw UsageError(message: "\(option) goes with no other option") }
            return option == "--check" ? .check(file: file) : .convert(file: file)
        }
        return .serve(
            file: values["--config"], socketPath: values["--socket"], stateDirectory: values["--state-directory"])
    }
}
