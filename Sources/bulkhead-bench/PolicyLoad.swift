import Glibc

/// A configuration with so many purposes, models and callers that looking them up would show, and requests that name them.
enum PolicyLoad {
    /// Those that acceptance speaks of.
    static let purposes = 50
    static let models = 200
    static let callers = 100
    /// Actors that are named in turn.
    static let actors = 100

    /// What a purpose is called, counted from 0.
    static func purpose(_ number: Int) -> String { "purpose-\(number % Self.purposes)" }

    static func actor(_ number: Int) -> String { "actor-\(number % Self.actors)" }

    /// The models that nobody asks; with the one that is asked they are all.
    private static func model(_ number: Int) -> String { "model-\(number % (Self.models - 1))" }

    /// The lines of the configuration that say so: lists, keys' names and options at every level, and callers by user and by
    /// group, of whom the one who measures comes last.
    ///
    /// - Parameter model: The model of every purpose, which the requests get without naming it.
    static func yaml(model: String) -> String {
        var lines = ["default_model: \(model)", "models: [\((0..<10).map(Self.model).joined(separator: ", "))]"]
        lines.append("blocked_models: [\((150..<170).map(Self.model).joined(separator: ", "))]")
        lines.append("purposes:")
        for number in 0..<Self.purposes {
            let models = (0..<8).map { Self.model(number * 8 + $0) }
            lines.append(
                "  \(Self.purpose(number)): {model: {model: \(model), options: {example_bool: true}}, models: [{model: \(models[0]), "
                    + "key: BENCH_KEY_\(number)}, \(models.dropFirst().joined(separator: ", "))], "
                    + "blocked_models: [\(Self.model(number + 100))], description: One of many}")
        }
        let purposes = "[\((0..<Self.purposes).map(Self.purpose).joined(separator: ", "))]"
        lines.append("callers:")
        for number in 0..<Self.callers - 1 {
            let who = number % 2 == 0 ? "user" : "group"
            lines.append("  caller-\(number): {\(who): \(60_000 + number), purposes: \(purposes)}")
        }
        lines.append("  bench: {user: \(getuid()), may_name_actor: true, purposes: \(purposes)}")
        return lines.joined(separator: "\n")
    }

    /// The line of the provider whose models nobody asks.
    static var provider: String {
        let models = (0..<Self.models - 1).map(Self.model).joined(separator: ", ")
        return "many: {type: openai-compatible, base_url: \"http://127.0.0.1:9/v1\", slots: 1, models: [\(models)]}"
    }
}
