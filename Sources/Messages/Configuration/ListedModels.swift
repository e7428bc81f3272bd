import JSON

/// What providers listed as their models when they were last asked: the file `models.json` in the state directory.
///
/// The supervisor writes it and bulkhead-config reads it at the next start. It is a convenience: without it the models are
/// unknown until the next refresh.
public struct ListedModels: Sendable, Equatable {
    public static let fileName = "models.json"
    /// The longest file that is read, in bytes.
    public static let maximumLength = 8 << 20

    public struct Provider: Sendable, Equatable {
        public var name: String
        public var kind: ProviderSettings.Kind
        public var baseURL: String
        public var models: [ModelDescription]

        public init(name: String, kind: ProviderSettings.Kind, baseURL: String, models: [ModelDescription]) {
            self.name = name
            self.kind = kind
            self.baseURL = baseURL
            self.models = models
        }
    }

    public var providers: [Provider]

    public init(providers: [Provider]) { self.providers = providers }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: 1 << 16)
        object.add(
            "providers",
            rawElements: self.providers.map { provider in
                var object = JSONObjectBuilder(minimumCapacity: 1 << 12)
                object.add("name", provider.name)
                object.add("type", provider.kind.rawValue)
                object.add("base_url", provider.baseURL)
                object.add("models", rawElements: provider.models.map(\.encoded))
                return object.finish()
            })
        return object.finish()
    }

    /// Reads the file. A type of provider that is not known any more is passed over.
    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes)
        self.providers = []
        for value in try object.require("providers").expectArray("providers") {
            guard let name = value["name"]?.string, let type = value["type"]?.string,
                let baseURL = value["base_url"]?.string, let elements = value["models"]?.array
            else { throw .wrongType("providers", expected: "an array of {name, type, base_url, models}") }
            guard let kind = ProviderSettings.Kind(rawValue: type) else { continue }
            let models = try elements.map { element throws(MessageError) in try ModelDescription(decoding: element) }
            self.providers.append(
                Provider(
                    name: name, kind: kind, baseURL: baseURL,
                    models: models.filter { ModelListing.isUsable($0.id) }))
        }
    }
}
