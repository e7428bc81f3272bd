import BulkheadClient

/// What may be asked by whom, written for people.
enum PolicyText {
    static func table(_ purposes: [PurposeDescription]) -> String {
        guard !purposes.isEmpty else { return "The configuration names no purpose that you may use.\n" }
        return Text.table(
            [["PURPOSE", "MODEL", "DESCRIPTION"]]
                + purposes.map { purpose in
                    let description = [purpose.description, purpose.isAllowed ? nil : "(not for you)"]
                    return [purpose.name, purpose.model ?? "-", description.compactMap { $0 }.joined(separator: " ")]
                })
    }

    static func make(_ caller: CallerDescription) -> String {
        let peer = caller.peer
        let name = LocalUser.name(of: peer.uid).map { " (\($0))" } ?? ""
        let groups = ([peer.gid] + peer.groups).map(String.init).joined(separator: " ")
        var rights = [caller.isAllowed ? "ask" : "nothing: no entry of 'callers' is about this user"]
        if caller.mayNameActor { rights.append("name actors") }
        if caller.isAdministrator { rights.append("administer") }
        return Text.table([
            ["caller", caller.name ?? "-"],
            ["user", "\(peer.uid)\(name), groups \(groups)"],
            ["process", "\(peer.pid)" + (peer.unit.map { ", unit \($0)" } ?? "")],
            ["may", rights.joined(separator: ", ")],
            ["purposes", Self.list(caller.purposes, any: "any, or none")],
            ["models", Self.list(caller.models, any: "those of the purpose")],
            ["limits", Self.limits(caller.maximumConnections, caller.maximumRequests)],
        ])
    }

    static func make(_ explanation: Explanation) -> String {
        var rows: [[String]] = []
        func add(_ title: String, _ text: String?) { if let text { rows.append([title, text]) } }
        let refusal = explanation.refusal.map { "no: \($0.code.rawValue): \($0.message)" }
        add("allowed", refusal ?? (explanation.isAllowed ? "yes" : "no"))
        add("caller", explanation.caller ?? "-")
        add("actor", explanation.actor)
        let remark = explanation.isConfigured == false ? " (nothing is configured for it)" : ""
        add("purpose", (explanation.purpose ?? "-") + remark)
        for passed in explanation.passedOver {
            add("passed over", "\(passed.model): \(passed.failure.code.rawValue): \(passed.failure.message)")
        }
        add("model", explanation.model.map { "\($0)\(explanation.provider.map { " of \($0)" } ?? "")" })
        if explanation.model != nil { add("key", Self.key(explanation)) }
        add("options", explanation.options.map { String(decoding: $0, as: UTF8.self) })
        if explanation.isAllowed { add("fallbacks", Self.list(explanation.fallbacks, any: "")) }
        add("limits", Self.limits(explanation.maximumConnections, explanation.maximumRequests))
        return Text.table(rows)
    }

    private static func key(_ explanation: Explanation) -> String {
        guard explanation.needsKey == true else { return "none is needed" }
        let places = [
            "credential": "a systemd credential", "environment": "the daemon's environment",
            "store": "the daemon's secrets", "llm_keys": "llm's keys.json",
        ]
        let source = explanation.keySource.map { ", from \(places[$0] ?? $0)" } ?? ""
        guard let name = explanation.keyName else { return source.isEmpty ? "none" : "its own\(source)" }
        return name + source
    }

    private static func list(_ names: [String]?, any: String) -> String {
        guard let names else { return any }
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    private static func limits(_ connections: Int?, _ requests: Int?) -> String {
        let parts = [connections.map { "\($0) connections" }, requests.map { "\($0) open requests" }].compactMap { $0 }
        return parts.isEmpty ? "those of every connection" : parts.joined(separator: ", ")
    }
}
