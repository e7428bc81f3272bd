import Messages

/// Chooses between the command line, the file and the defaults, in this order.
struct PathResolver {
    let defaults: DefaultPaths
    let purpose: ConfigurationReader.Purpose
    let collector: ProblemCollector

    /// - Parameter path: The path in the file.
    func socket(_ path: String?, override: String?) -> String {
        self.choose(
            override: override, file: path, fallback: self.defaults.socket, option: "--socket", rules: .socket,
            missing: "no place for the socket: XDG_RUNTIME_DIR is not set; "
                + "name one with --socket PATH or 'socket' in the file")
    }

    func stateDirectory(_ field: YAMLValue?, override: String?) -> String {
        let path = field?.string("an absolute path")
        if let field, let path, let refusal = PathRules.stateDirectory.refusal(of: path) { field.refuse(refusal) }
        return self.choose(
            override: override, file: path, fallback: self.defaults.state, option: "--state-directory",
            rules: .stateDirectory,
            missing: "no place for the record: neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME is set; "
                + "name one with --state-directory DIR or 'state_directory' in the file")
    }

    private func choose(
        override: String?, file path: String?, fallback: String?, option: String, rules: PathRules, missing: String
    ) -> String {
        if let override {
            if let refusal = rules.refusal(of: override) { self.collector.refuse(refusal, file: option) }
            return override
        }
        if let path { return path }
        if let fallback {
            if let refusal = rules.refusal(of: fallback) {
                self.collector.refuse("the default for \(option): \(refusal); use \(option)", file: "environment")
            }
            return fallback
        }
        switch self.purpose {
        case .service: self.collector.refuse(missing, file: "environment")
        case .check: self.collector.warn(missing)
        }
        return ""
    }
}
