public import Messages

/// Makes a service's configuration out of a file, the environment and the command line.
///
/// It is a function of its arguments: it reads no file and no environment of its own, so that a test runs on values.
/// Everything that is wrong with a file is reported at once, in the order of the file, and no message holds a key.
public struct ConfigurationReader {
    public enum Purpose: Sendable {
        /// To serve with it: what cannot be found is refused.
        case service
        /// To check a file, maybe as another user and elsewhere: what only the surroundings lack is a warning.
        case check
    }

    private let surroundings: Surroundings

    public init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
    }

    /// Where a service's file is when its command line names none: `$CONFIGURATION_DIRECTORY/bulkhead.yaml`, `nil` without
    /// that variable. There need not be such a file.
    public var defaultFile: String? { DefaultPaths(self.surroundings).configuration }

    /// - Parameter file: `nil` serves the defaults.
    public func read(
        _ file: ConfigurationFile?, overrides: ConfigurationOverrides = ConfigurationOverrides(),
        for purpose: Purpose = .service
    ) -> ConfigurationReply {
        let collector = ProblemCollector(file: file?.name ?? "environment")
        var fields = YAMLMapping()
        if let file {
            do throws(ConfigurationProblem) {
                if let root = try YAMLDocument.parse(file) {
                    let value = YAMLValue(node: root, name: "", collector: collector)
                    fields = value.mapping(SupportedFields.top) ?? fields
                }
            } catch {
                return .refused([error])
            }
        }
        if let refusal = UserNamespace.refusal(of: self.surroundings.identityMaps) {
            switch purpose {
            case .service: collector.refuse(refusal, file: "environment")
            case .check: collector.warn(refusal)
            }
        }
        let paths = PathResolver(
            defaults: DefaultPaths(self.surroundings), purpose: purpose, collector: collector)
        let reading = FieldsReader(
            fields: fields, surroundings: self.surroundings, overrides: overrides, paths: paths, collector: collector)
        let configuration = reading.read()
        guard collector.problemCount == 0 else { return .refused(collector.problems) }
        return .configuration(configuration)
    }
}
