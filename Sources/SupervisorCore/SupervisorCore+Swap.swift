import Messages
import Policy

// A new configuration in the place of the present one.
extension SupervisorCore {
    /// Whether a configuration can be taken while the daemon runs.
    func check(_ new: ServiceConfiguration) throws(Failure) {
        let old = self.configuration
        func refuse(_ what: String, _ old: String, _ new: String) -> Failure {
            Failure(
                .invalidConfiguration,
                "\(what) cannot change while the daemon runs: it is \(old), the configuration says \(new); "
                    + "restart the daemon, or leave it as it is")
        }
        if new.socketPath != old.socketPath { throw refuse("socket.path", old.socketPath, new.socketPath) }
        if new.socketMode != old.socketMode {
            throw refuse("socket.mode", String(old.socketMode, radix: 8), String(new.socketMode, radix: 8))
        }
        if new.socketGroup != old.socketGroup {
            func text(_ group: Int?) -> String { group.map { "\($0)" } ?? "not set" }
            throw refuse("socket.group", text(old.socketGroup), text(new.socketGroup))
        }
        if new.stateDirectory != old.stateDirectory {
            throw refuse("state_directory", old.stateDirectory, new.stateDirectory)
        }
        try self.checkRoom(for: new)
    }

    /// Whether there is room for the processes that the new configuration has no more, and for what began under this one.
    ///
    /// One change is always possible, however many providers it retires; further ones while its processes live only within bounds.
    private func checkRoom(for new: ServiceConfiguration) throws(Failure) {
        let entries = self.entries(for: new).compactMap { $0 }
        let leaving = self.generation.entries.count { !entries.contains($0) }
        let coming = entries.count { self.providers[$0].isRetired }
        let already = self.retiredProviders - coming
        guard already == 0 || leaving == 0 || already + leaving <= self.bounds.retiredProviders else {
            throw Failure(
                .overloaded,
                "\(already) providers of earlier configurations still finish what they have, and this one would add \(leaving) to them (\(self.bounds.retiredProviders) are possible); try again when their requests have ended, see op status"
            )
        }
        guard
            self.generation.open == 0 || self.isSameGeneration(new, self.entries(for: new))
                || self.formerGenerations.count < self.bounds.formerGenerations
        else {
            throw Failure(
                .overloaded,
                "requests are open that began under \(self.formerGenerations.count) earlier configurations, which is the bound; try again when some have ended"
            )
        }
    }

    /// Whether requests are admitted under another configuration as under the present one.
    private func isSameGeneration(_ new: ServiceConfiguration, _ entries: [Int?]) -> Bool {
        entries == self.generation.entries && new.rules == self.configuration.rules
    }

    /// The provider that goes on for each of a configuration; `nil` where there is none yet. One that was retired and still
    /// lives can come back.
    private func entries(for new: ServiceConfiguration) -> [Int?] {
        let alive =
            self.generation.entries
            + self.providers.indices.filter { self.providers[$0].isRetired && self.providers[$0].state != .stopped }
        return new.providers.map { settings in
            alive.first { self.providers[$0].goesOn(under: settings) }
        }
    }

    /// Takes a configuration that was checked, at once and whole.
    mutating func take(_ new: ServiceConfiguration, at now: Now) -> ReloadReport {
        let old = self.generation
        let isSame = self.isSameGeneration(new, self.entries(for: new))
        var report = ReloadReport(warnings: ReloadReport.bounded(new.warnings))
        var entries: [Int] = []
        var started: [Int] = []
        for (settings, entry) in zip(new.providers, self.entries(for: new)) {
            if let entry {
                self.providers[entry].takeKey(of: settings)
                if self.providers[entry].isRetired { self.providers[entry].listedModels = settings.listedModels }
                entries.append(entry)
            } else {
                var provider = Provider(settings: settings, bounds: self.bounds)
                provider.listedModels = settings.listedModels
                entries.append(self.place(provider))
                started.append(entries.last!)
            }
            if let entry, old.entries.contains(entry) { continue }
            if old.provider(named: settings.name) != nil {
                report.changed.append(settings.name)
            } else {
                report.added.append(settings.name)
            }
        }
        report.removed = old.configuration.providers.map(\.name).filter { name in
            !new.providers.contains { $0.name == name }
        }
        self.generation = Generation(number: old.number + (isSame ? 0 : 1), configuration: new, entries: entries)
        if isSame { self.generation.open = old.open } else { self.formerGenerations.append(old) }
        for index in old.entries where !entries.contains(index) { self.retireProvider(index, at: now) }
        for index in entries { self.providers[index].isRetired = false }
        self.listModelsAnew()
        self.takeKeys()
        self.introduceAnew()
        for index in started { self.startWorker(of: index, at: now) }
        self.replaceHooks(at: now)
        self.keepLoggerDurable(at: now)
        return report
    }

    /// Puts a provider where there was one that is over, or at the end.
    private mutating func place(_ provider: Provider) -> Int {
        if let index = self.providers.firstIndex(where: \.isGone) {
            self.providers[index] = provider
            return index
        }
        self.providers.append(provider)
        return self.providers.count - 1
    }

    /// New requests do not ask for the provider any more. Those that may go on: its process is replaced if it dies.
    private mutating func retireProvider(_ index: Int, at now: Now) {
        self.providers[index].isRetired = true
        self.providers[index].listedModels = []
        self.endListings(
            ofRetired: index,
            Failure(
                .providerUnavailable,
                "provider '\(self.providers[index].settings.name)' was changed by a reload while it was asked"), at: now
        )
    }

    /// What providers listed themselves, under the names that the new configuration leaves.
    private mutating func listModelsAnew() {
        for index in self.generation.entries {
            let listed = self.providers[index].listedModels
            self.providers[index].listedModels = []
            self.putList(listed, of: index)
        }
        self.compilePolicy()
    }

    /// A key that has changed is the one that is used, by what is open too.
    private mutating func takeKeys() {
        for place in self.formerGenerations.indices {
            self.formerGenerations[place].policy.takeKeys(of: self.policy)
        }
    }

    /// The logger forces what it writes to the disk where any configuration says so under which something is open.
    mutating func keepLoggerDurable(at now: Now) {
        let isCommitted = ([self.generation] + self.formerGenerations).contains {
            $0.configuration.durability == .commit
        }
        self.replaceLogger(durability: isCommitted ? .commit : .relaxed, at: now)
    }
}

extension ServiceConfiguration {
    /// What requests are admitted under, besides the providers themselves: two configurations that differ in nothing of this are
    /// one generation.
    fileprivate var rules: ServiceConfiguration {
        var rules = self
        rules.providers = []
        rules.policy.keys = []
        rules.drainTimeoutMilliseconds = 0
        rules.warnings = []
        return rules
    }
}
