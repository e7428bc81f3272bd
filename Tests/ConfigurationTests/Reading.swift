import Configuration
import Messages
import Testing

/// One reading of a text under the name `b.yaml`, with an environment and groups that a test chooses.
struct Reading {
    var environment = ["XDG_RUNTIME_DIR": "/run/user/1000", "HOME": "/home/ada"]
    var isRoot = false
    var groups = ["bulkhead": 998, "bulkhead-admin": 997]
    var users = ["datasette": 990, "www-data": 33]
    /// The files that may hold keys, by path.
    var keyFiles: [String: KeyFile] = [:]
    var secrets: [String: StoredSecret] = [:]
    var identityMaps: [(path: String, text: String)] = []
    var overrides = ConfigurationOverrides()
    var purpose = ConfigurationReader.Purpose.service

    func reply(to text: String?) -> ConfigurationReply {
        self.reply(toFile: text.map { ConfigurationFile(name: "b.yaml", text: $0) })
    }

    func reply(toFile file: ConfigurationFile?) -> ConfigurationReply {
        let surroundings = Surroundings(
            environment: self.environment, isRoot: self.isRoot, userID: { self.users[$0] },
            groupID: { self.groups[$0] }, keyFile: { self.keyFiles[$0] ?? .absent },
            secretStore: { _ in { self.secrets[$0] ?? .absent } },
            isExecutable: { $0.hasPrefix("/usr/") }, identityMaps: self.identityMaps)
        return ConfigurationReader(surroundings).read(file, overrides: self.overrides, for: self.purpose)
    }

    /// The lines that a person would see; none where the text is accepted.
    func problems(_ text: String?) -> [String] {
        switch self.reply(to: text) {
        case .configuration: []
        case .refused(let problems): problems.map(\.description)
        }
    }

    func configuration(_ text: String?) throws -> ServiceConfiguration {
        switch self.reply(to: text) {
        case .configuration(let configuration):
            return configuration
        case .refused(let problems):
            throw Refused(problems: problems.map(\.description))
        }
    }

    struct Refused: Error {
        var problems: [String]
    }

    static func with(_ environment: [String: String]) -> Reading {
        var reading = Reading()
        reading.environment.merge(environment) { $1 }
        return reading
    }
}
