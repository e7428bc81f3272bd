import BulkheadClient

/// The daemon's status at a glance.
enum StatusText {
    static func make(_ status: DaemonStatus) -> String {
        Text.table([
            ["bulkheadd", Self.daemon(status)],
            ["requests", Self.requests(status.requests)],
            ["connections", "\(status.connections)"],
            ["memory", Self.memory(status.memory)],
            ["logger", Self.logger(status.logger)],
            ["reader", Self.reader(status.reader)],
            ["configuration", Self.configuration(status.configuration)],
        ]) + "\n" + Text.table([Self.providerTitles] + status.providers.map(Self.provider))
            + (status.hooks.isEmpty ? "" : "\n" + Text.table([Self.hookTitles] + status.hooks.map(Self.hook)))
    }

    private static func daemon(_ status: DaemonStatus) -> String {
        "\(status.version), pid \(status.pid), up \(Text.duration(milliseconds: status.uptimeMilliseconds)), "
            + "durability \(status.durability)\(status.isDraining ? ", draining" : "")"
    }

    private static func requests(_ requests: DaemonStatus.Requests) -> String {
        let waiting = requests.waiting > 0 ? ", \(requests.waiting) to be tried again" : ""
        let finishing = requests.finishing > 0 ? ", \(requests.finishing) whose clients have gone" : ""
        let groups = requests.groups > 0 ? ", \(requests.groups) groups" : ""
        return
            "\(requests.open) open (\(requests.queued) queued\(waiting)\(finishing)), \(requests.chains) chains\(groups); "
            + "\(requests.admitted) admitted: \(requests.done) done, "
            + "\(requests.error) failed, \(requests.cancelled) cancelled, \(requests.crashed) crashed; "
            + "\(requests.retries) retries, \(requests.fallbacks) fallbacks"
    }

    private static func memory(_ memory: DaemonStatus.Memory) -> String {
        "\(Text.size(bytes: memory.usedBytes)) of \(Text.size(bytes: memory.budgetBytes)) for frames"
    }

    private static func logger(_ logger: DaemonStatus.Logger) -> String {
        let pid = logger.pid.map { ", pid \($0)" } ?? ""
        return "\(logger.state)\(pid), restarts \(logger.restarts), \(logger.acknowledged) records on disk, "
            + "\(logger.backlogRecords) waiting (\(Text.size(bytes: logger.backlogBytes)))"
    }

    private static func reader(_ reader: DaemonStatus.Reader) -> String {
        let pid = reader.pid.map { ", pid \($0)" } ?? ""
        return "\(reader.state)\(pid), restarts \(reader.restarts), \(reader.questions) questions waiting"
    }

    private static func configuration(_ configuration: DaemonStatus.Configuration) -> String {
        let former = configuration.former > 0 ? ", \(configuration.former) earlier in use" : ""
        let refused = configuration.refused > 0 ? ", \(configuration.refused) refused" : ""
        let reloading = configuration.isReloading ? ", the next is being read" : ""
        return "number \(configuration.generation)\(former)\(refused)\(reloading)"
    }

    private static let providerTitles = [
        "PROVIDER", "TYPE", "STATE", "PID", "SLOTS", "QUEUED", "STARTS", "DEATHS", "NOTES",
    ]

    private static func provider(_ provider: DaemonStatus.Provider) -> [String] {
        let retired = provider.isRetired ? "retired: finishes what it has" : nil
        let retry = provider.retryInMilliseconds.map { "retry in \(Text.duration(milliseconds: $0))" }
        let exit = provider.lastExit.map { "last exit: \($0)" }
        return [
            provider.name, provider.type, provider.state, provider.pid.map(String.init) ?? "-",
            "\(provider.busy)/\(provider.slots)", "\(provider.queued)", "\(provider.starts)", "\(provider.deaths)",
            [retired, retry, exit].compactMap { $0 }.joined(separator: "; "),
        ]
    }

    private static let hookTitles = [
        "HOOK", "EVENTS", "STATE", "PID", "ANSWERS", "OPEN", "WAITING", "STARTS", "DEATHS", "NOTES",
    ]

    private static func hook(_ hook: DaemonStatus.Hook) -> [String] {
        let notes = [
            hook.isClosed ? "on_failure: closed" : nil,
            hook.failures > 0 ? "\(hook.failures) without an answer" : nil,
            hook.dropped > 0 ? "not told of \(hook.dropped)" : nil,
            hook.retryInMilliseconds.map { "retry in \(Text.duration(milliseconds: $0))" },
            hook.lastExit.map { "last exit: \($0)" },
        ]
        return [
            hook.name, hook.events.joined(separator: " "), hook.state, hook.pid.map(String.init) ?? "-",
            "\(hook.answers)", "\(hook.open)", "\(hook.waiting)", "\(hook.starts)", "\(hook.deaths)",
            notes.compactMap { $0 }.joined(separator: "; "),
        ]
    }
}
