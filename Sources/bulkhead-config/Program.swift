import BlockingChannel
import Configuration
import Foundation
import Messages

/// Reads the configuration for the supervisor, or checks a file for a person.
struct Program {
    /// Exit codes; 64 and 74 are those of sysexits.h.
    enum ExitCode: Int32 {
        case success = 0
        case refused = 1
        case usage = 64
        case inputOutput = 74
    }

    /// The descriptor of the channel to the supervisor.
    private static let channel: CInt = 3

    private let reader: ConfigurationReader
    private let credentialsDirectory: String?

    /// - Parameter environment: What this process was started with.
    init(environment: [String: String]) {
        let credentials = environment["CREDENTIALS_DIRECTORY"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        self.credentialsDirectory = credentials
        self.reader = ConfigurationReader(
            Surroundings(
                environment: environment, isRoot: geteuid() == 0,
                homeDirectory: SystemUsers.homeDirectory(geteuid()), userID: SystemUsers.userID,
                groupID: SystemGroups.groupID, listedModels: Self.listedModels, keyFile: KeyFile.load,
                secretStore: { SecretsProgram.lookup($0, credentialsDirectory: credentials) },
                isExecutable: { access($0, X_OK) == 0 }, identityMaps: Self.identityMaps))
    }

    func run(_ arguments: some Sequence<String>) -> ExitCode {
        do throws(Arguments.UsageError) {
            switch try Arguments.parse(arguments) {
            case .serve(let file, let socketPath, let stateDirectory):
                let overrides = ConfigurationOverrides(
                    socketPath: socketPath, stateDirectory: stateDirectory,
                    currentDirectory: FileManager.default.currentDirectoryPath)
                return self.serve(file: file, overrides: overrides)
            case .check(let file):
                return self.check(file)
            case .secrets(let stateDirectory, let masterKeyFile):
                return self.keepSecrets(in: stateDirectory, masterKeyFile: masterKeyFile)
            case .convert(let file):
                return Self.convert(file)
            case .providers:
                print(ProvidersPage(), terminator: "")
            case .help:
                print(Arguments.usage)
            case .version:
                print("bulkhead-config \(SoftwareVersion.current)")
            }
            return .success
        } catch {
            Self.complain("bulkhead-config: \(error.message)\n\n\(Arguments.usage)")
            return .usage
        }
    }

    private func serve(file: String?, overrides: ConfigurationOverrides) -> ExitCode {
        guard self.hasChannel else { return .usage }
        var reply = self.read(file ?? self.defaultFile, overrides: overrides, for: .service)
        if case .configuration(var configuration) = reply {
            configuration.keyUse = KeyUse.kept(in: configuration.stateDirectory)
            reply = .configuration(configuration)
        }
        // What the supervisor could not read would be a riddle there.
        if reply.encoded.count > ProtocolBounds.configurationFrame
            || (try? ConfigurationReply(decoding: reply.encoded)) == nil
        {
            let name = file ?? self.defaultFile ?? "environment"
            reply = .refused([
                ConfigurationProblem(
                    file: name, line: 0, column: 0,
                    message:
                        "all that it says is more than one frame holds; say less of models and purposes"
                )
            ])
        }
        var channel = BlockingChannel(
            adopting: Self.channel, maximumPayloadLength: ProtocolBounds.configurationFrame)
        do throws(ChannelError) {
            try channel.write(reply.encoded)
        } catch {
            Self.complain("bulkhead-config: the supervisor cannot be answered: \(error)")
            return .inputOutput
        }
        switch reply {
        case .configuration: return .success
        case .refused: return .refused
        }
    }

    private func keepSecrets(in stateDirectory: String, masterKeyFile: String?) -> ExitCode {
        guard self.hasChannel else { return .usage }
        return SecretsProgram.run(
            on: Self.channel, stateDirectory: stateDirectory, masterKeyFile: masterKeyFile,
            credentialsDirectory: self.credentialsDirectory)
    }

    /// Whether the supervisor has started this program; a person is told how to use it.
    private var hasChannel: Bool {
        if Self.isSocket(Self.channel) { return true }
        Self.complain(
            "bulkhead-config: there is no channel on descriptor 3: bulkheadd starts this program; "
                + "to check a file yourself, run bulkhead-config --check FILE")
        return false
    }

    private func check(_ file: String) -> ExitCode {
        switch self.read(file, overrides: ConfigurationOverrides(), for: .check) {
        case .configuration(let configuration):
            print("\(file): ok")
            for warning in configuration.warnings { print("warning: \(warning)") }
            print(ConfigurationSummary(configuration))
            return .success
        case .refused(let problems):
            for problem in problems { Self.complain(problem.description) }
            return .refused
        }
    }

    private static func convert(_ file: String) -> ExitCode {
        let outcome: DatasetteImport.Outcome
        do throws(ConfigurationProblem) {
            outcome = DatasetteImport.convert(try ConfigurationFile.load(file))
        } catch {
            outcome = .refused([error])
        }
        switch outcome {
        case .converted(let text, let notes):
            for note in notes { Self.complain(note.description) }
            print(text, terminator: "")
            return .success
        case .refused(let problems):
            for problem in problems { Self.complain(problem.description) }
            return .refused
        }
    }

    private func read(
        _ file: String?, overrides: ConfigurationOverrides, for purpose: ConfigurationReader.Purpose
    ) -> ConfigurationReply {
        do throws(ConfigurationProblem) {
            return self.reader.read(
                try file.map { name throws(ConfigurationProblem) in try ConfigurationFile.load(name) },
                overrides: overrides, for: purpose)
        } catch {
            return .refused([error])
        }
    }

    /// The file that a service reads when nobody names one, unless it does not exist. One that may not be read is not passed
    /// over.
    private var defaultFile: String? {
        self.reader.defaultFile.flatMap { access($0, F_OK) != 0 && errno == ENOENT ? nil : $0 }
    }

    /// The file that the supervisor keeps in its state directory; one that cannot be opened is a file of nothing, and a warning.
    private static func listedModels(in directory: String) -> ConfigurationFile? {
        let path = "\(directory)/\(ListedModels.fileName)"
        guard access(path, F_OK) == 0 else { return nil }
        do throws(ConfigurationProblem) {
            return try ConfigurationFile.load(path, maximumLength: ListedModels.maximumLength)
        } catch {
            return ConfigurationFile(name: path, bytes: [])
        }
    }

    /// Which numbers of users and groups the kernel tells this process apart.
    private static var identityMaps: [(path: String, text: String)] {
        ["/proc/self/uid_map", "/proc/self/gid_map"].compactMap { path in
            (try? String(contentsOfFile: path, encoding: .utf8)).map { (path, $0) }
        }
    }

    private static func isSocket(_ descriptor: CInt) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    private static func complain(_ message: String) {
        FileHandle.standardError.write(Data("\(message)\n".utf8))
    }
}
