import Messages

@testable import SupervisorCore

// Configurations that a scenario takes.
extension Scenario {
    /// The present configuration with other providers, and what else is changed.
    func configuration(
        _ providers: [ProviderSettings], _ change: (inout ServiceConfiguration) -> Void = { _ in }
    ) -> ServiceConfiguration {
        var configuration = self.core.configuration
        configuration.providers = providers
        change(&configuration)
        return configuration
    }

    /// SIGHUP, and the answer of bulkhead-config.
    @discardableResult
    mutating func takes(
        _ providers: [ProviderSettings], _ change: (inout ServiceConfiguration) -> Void = { _ in }
    ) -> [String] {
        let configuration = self.configuration(providers, change)
        return self.post(.reload) + self.post(.configurationRead(.configuration(configuration)))
    }

    /// What the operator's log says, each line with its fields.
    var lines: [String] {
        self.entries.map { entry in
            ([entry.message] + entry.fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
                .joined(separator: " ")
        }
    }
}
