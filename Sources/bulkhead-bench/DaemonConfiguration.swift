/// The bulkhead.yaml of a daemon that is started for a measurement.
struct DaemonConfiguration: Sendable, Equatable {
    var durability = Durability.commit
    /// Whether prompts and answers go on record, or only the rows of requests.
    var storesPrompts = true
    var slots = 16
    var provider = Provider.echo
    /// Whether there are many purposes, models and callers (``PolicyLoad``).
    var hasPolicy = false

    enum Provider: Sendable, Equatable {
        case echo
        /// Echo that cuts its answers into pieces as the request's options say.
        case echoFault
        /// The server of chat completions on this port of the loopback interface.
        case http(port: UInt16)
    }

    var yaml: String {
        let provider =
            switch self.provider {
            case .echo: "echo: {type: echo, slots: \(self.slots)}"
            case .echoFault: "echo-fault: {type: echo-fault, slots: \(self.slots)}"
            case .http(let port):
                "upstream: {type: openai-compatible, base_url: \"http://127.0.0.1:\(port)/v1\", models: [bench], "
                    + "slots: \(self.slots)}"
            }
        return """
            log: {durability: \(self.durability.rawValue), prompts: \(self.storesPrompts)}
            providers:
              \(provider)
              \(self.hasPolicy ? PolicyLoad.provider : "")
            testing: true
            \(self.hasPolicy ? PolicyLoad.yaml(model: self.model) : "")

            """
    }

    /// The model that its provider serves.
    var model: String {
        switch self.provider {
        case .echo: "echo"
        case .echoFault: "echo-fault"
        case .http: "bench"
        }
    }
}
