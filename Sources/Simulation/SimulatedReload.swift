import Messages
import SupervisorCore

/// The process that reads the configuration.
struct SimulatedConfigurationReader {
    let startedAt: Instant
    /// It never ends by itself.
    var hangs = false
    var isKilled = false
}

// Configurations that come and go. What a provider is called is its number in all of them; whether it is the same one tells its
// connect timeout, which no two settings share.
extension Simulation {
    /// What new requests are admitted under, as far as the core has taken it.
    var configuration: ServiceConfiguration { self.configurations.last! }

    /// What a prompt was admitted under.
    func rules(of prompt: SimulatedPrompt) -> ServiceConfiguration { self.configurations[prompt.configuration] }

    /// The provider with a number, as the configuration of a prompt has it.
    func settings(of provider: Int, for prompt: SimulatedPrompt) -> ProviderSettings? {
        self.rules(of: prompt).providers.first { $0.name == "p\(provider)" }
    }

    /// The number of a provider that clients ask for: rarely one that is not configured.
    mutating func drawnProvider() -> Int {
        if self.chance(4) { return Int.random(in: 0...4, using: &self.random) }
        return self.configuration.providers.randomElement(using: &self.random)!.number
    }

    // MARK: What the core does

    mutating func configurationIsRead() {
        if self.configurationReader != nil { self.fail("two processes read the configuration") }
        if self.isDraining { self.fail("the configuration was read after the drain began") }
        self.configurationReader = SimulatedConfigurationReader(startedAt: self.now, hangs: self.chance(10))
    }

    mutating func configurationReaderIsKilled() {
        guard let reader = self.configurationReader, !reader.isKilled else {
            return self.fail("a process that reads no configuration was killed")
        }
        if !self.isDraining, self.now < reader.startedAt + self.bounds.reloadTimeout {
            self.fail("a process was killed that had time to read the configuration")
        }
        self.mark(self.isDraining ? "reload ended by a drain" : "reload too slow")
        self.configurationReader!.isKilled = true
    }

    // MARK: What the process does

    mutating func reloadActs() {
        guard let reader = self.configurationReader else {
            if self.chance(30) { self.post(.reload) }
            return
        }
        guard reader.isKilled || !reader.hangs else { return }
        self.configurationReaderBehaves()
        // Several in a row, so that what is open under one has not ended when the next comes.
        while self.chance(50), self.configurationReader == nil {
            self.post(.reload)
            self.configurationReaderBehaves()
        }
    }

    /// It ends, with whatever answer.
    mutating func configurationReaderBehaves() {
        guard let reader = self.configurationReader, reader.isKilled || !reader.hangs else { return }
        self.configurationReader = nil
        let problem = ConfigurationProblem(file: "b.yaml", line: 1, column: 1, message: "no")
        self.isReloadRefused = true
        switch Int.random(in: 0..<10, using: &self.random) {
        case 0: self.post(.configurationNotRead(reason: "signal 9"))
        case 1: self.post(.configurationRead(.refused([problem, problem])))
        case 2:
            var other = self.drawnConfiguration()
            other.stateDirectory = "/var/lib/other"
            self.post(.configurationRead(.configuration(other)))
        default:
            self.isReloadRefused = reader.isKilled
            self.post(.configurationRead(.configuration(self.drawnConfiguration())))
        }
        self.isReloadRefused = false
    }

    /// The present configuration with some changes, or none.
    private mutating func drawnConfiguration() -> ServiceConfiguration {
        var new = self.configuration
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self.random) }
        for place in new.providers.indices {
            switch draw(0...9) {
            case 0: new.providers[place] = self.changed(new.providers[place])
            case 1: if new.providers[place].key != nil { new.providers[place].key = "secret \(draw(0...9))" }
            default: break
            }
        }
        if new.providers.count > 1, draw(0...9) == 0 { new.providers.remove(at: draw(0...new.providers.count - 1)) }
        let missing = (0...3).filter { number in !new.providers.contains { $0.number == number } }
        if draw(0...4) == 0, let number = missing.randomElement(using: &self.random) {
            // One that was there before may come back as it was.
            let known = self.configurations.flatMap(\.providers).last { $0.number == number }
            var provider = known ?? ProviderSettings.drawn(number, using: &self.random)
            if known == nil || draw(0...1) == 0 { provider = self.changed(provider) }
            new.providers.insert(provider, at: draw(0...new.providers.count))
        }
        if draw(0...9) == 0 { new.durability = new.durability == .commit ? .relaxed : .commit }
        if draw(0...3) == 0 { new.drainTimeoutMilliseconds = draw(0...3000) }
        let models = new.providers.flatMap(\.models).map(\.id)
        new.defaultModel = ModelReference(models[0])
        new.defaultEmbeddingModel = models[0]
        if draw(0...4) == 0 { new.fallbacks = ServiceConfiguration.drawnFallbacks(of: models, using: &self.random) }
        // No fallback names a model that is not there.
        new.fallbacks = new.fallbacks.filter { models.contains($0.key) }.mapValues { $0.filter(models.contains) }
        return new
    }

    private mutating func changed(_ provider: ProviderSettings) -> ProviderSettings {
        var changed = ProviderSettings.drawn(provider.number, using: &self.random)
        self.lastStamp += 1
        changed.connectTimeoutMilliseconds = self.lastStamp
        return changed
    }

    // MARK: Books

    /// Called when the core has heard of a configuration, before what it does because of it.
    mutating func configurationWasRead(_ reply: ConfigurationReply, generationBefore: Int, retiredBefore: Int) {
        guard case .configuration(let new) = reply, !self.isReloadRefused else {
            if self.core.footprint.generation != generationBefore { self.fail("a bad configuration was taken") }
            if !self.isDraining { self.mark("configuration refused") }
            return
        }
        guard !self.isDraining else {
            if self.core.footprint.generation != generationBefore { self.fail("a configuration was taken in a drain") }
            return
        }
        let old = self.configuration
        let isSame = new.rules == old.rules && new.providers.map(\.stamp) == old.providers.map(\.stamp)
        guard isSame || self.core.footprint.generation == generationBefore + 1 else {
            self.isReloadRefused = true
            if retiredBefore == 0, self.core.footprint.formerGenerations < self.bounds.formerGenerations {
                self.fail("a good configuration was refused")
            }
            return self.mark("reload refused while too much is open")
        }
        self.mark(isSame ? "configuration of other keys taken" : "configuration taken")
        if self.prompts.values.contains(where: { $0.slot != nil && !$0.isOver }) { self.mark("reload under load") }
        if self.workers.values.contains(where: { $0.isKilled }) { self.mark("reload while workers die") }
        for provider in new.providers {
            self.settings[provider.stamp] = provider
            if let key = provider.key { self.keys[provider.stamp, default: []].insert(key) }
            // One that comes back goes on where it was, or begins afresh: only the core knows whether it was gone.
            guard !old.providers.contains(where: { $0.stamp == provider.stamp }) else { continue }
            self.starts[provider.stamp]?.earliest = self.now
            self.starts[provider.stamp]?.isCertain = false
        }
        self.configurations.append(new)
        self.mustBeStarted = Set(new.providers.map(\.stamp))
    }

    /// What a client is told that asked for a reload.
    mutating func reloadIsAnswered(_ report: ReloadReport?, _ failure: Failure?, uid: Int) {
        guard report != nil || failure?.code == .invalidConfiguration || failure?.code == .notAllowed else { return }
        if let failure, failure.code == .notAllowed {
            if uid == 0 { self.fail("an administrator may not: \(failure)") }
            return
        }
        if uid != 0 { self.fail("somebody reloads who may not") }
        let isLate = self.configurationReader?.isKilled ?? false
        if report != nil, self.isReloadRefused { self.fail("a client was told that a configuration was taken") }
        if report == nil, !self.isReloadRefused, !isLate {
            self.fail("a client was told that no configuration was taken")
        }
        self.mark(report != nil ? "reload answered" : "reload answered with problems")
    }

    /// Every provider of the present configuration has a process, or will; one that is not in it any more has one only while
    /// something is open that may ask for it.
    mutating func checkProviders() {
        for stamp in self.mustBeStarted where self.starts[stamp] == nil {
            self.fail("provider \(stamp) of a new configuration was not started")
        }
        self.mustBeStarted = []
        let footprint = self.core.footprint
        if footprint.formerGenerations > self.bounds.formerGenerations {
            self.fail("\(footprint.formerGenerations) earlier configurations are kept")
        }
        if let since = self.configurationReader?.startedAt, self.configurationReader?.isKilled == false,
            since + self.bounds.reloadTimeout < self.now
        {
            self.fail("the configuration is read for too long")
        }
        let present = Set(self.configuration.providers.map(\.stamp))
        let former = self.workers.values.filter { !present.contains($0.stamp) && !$0.isClosed && !$0.isKilled }
        guard !former.isEmpty, !self.isDraining else { return }
        let needed = Set(
            (self.prompts.values.map(\.configuration) + self.chains.values.map(\.configuration))
                .flatMap { self.configurations[$0].providers.map(\.stamp) })
        for worker in former where !needed.contains(worker.stamp) {
            self.fail("a process of \(worker.provider) outlives all that may ask for it")
        }
        self.mark("retired provider alive")
    }
}

extension ServiceConfiguration {
    /// All but providers and what does not count for requests.
    fileprivate var rules: ServiceConfiguration {
        var rules = self
        (rules.providers, rules.drainTimeoutMilliseconds) = ([], 0)
        return rules
    }
}

extension ProviderSettings {
    var number: Int { Int(self.name.dropFirst())! }
    /// Tells two settings of one name apart.
    var stamp: Int { self.connectTimeoutMilliseconds }
}
