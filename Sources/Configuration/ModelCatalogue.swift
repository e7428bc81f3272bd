import JSON
public import Messages

/// The models that are known of each type of provider, and what is known of them: `models.json`, which ships in this program.
///
///     {"options":   {"a set": {"temperature": {"type": "number", "minimum": 0, "maximum": 2}}},
///      "profiles":  {"what some models share": {"schema": true, "options": ["a set"]}},
///      "providers": {"openai": [{"id": "gpt-4o", "aliases": ["4o"], "profile": "what some models share", "context": 128000}]}}
///
/// Only facts are in it that are documented or were seen. What it leaves open is not checked.
public struct ModelCatalogue: Sendable {
    /// Why a catalogue cannot be read.
    public struct Flaw: Error, CustomStringConvertible {
        public var description: String
    }

    private var models: [ProviderSettings.Kind: [ModelDescription]] = [:]

    /// The one that ships.
    public static let shipped: ModelCatalogue = {
        do { return try ModelCatalogue(PackageResources.models_json) } catch {
            preconditionFailure("models.json: \(error)")
        }
    }()

    /// The models of a type of provider, in the order in which they are listed.
    public func models(of kind: ProviderSettings.Kind) -> [ModelDescription] { self.models[kind] ?? [] }

    /// What is known of the model that a provider of this type calls so.
    func facts(of id: String, _ kind: ProviderSettings.Kind) -> ModelFacts? {
        self.models(of: kind).first { $0.id == id }?.facts
    }

    /// The type of provider that has a model of this id.
    func kind(serving id: String) -> ProviderSettings.Kind? {
        ProviderSettings.Kind.allCases.first { kind in self.models(of: kind).contains { $0.id == id } }
    }

    public init(_ bytes: [UInt8]) throws(Flaw) {
        let document: JSONValue
        do throws(JSONError) { document = try JSONValue(parsing: bytes) } catch { throw Flaw(description: "\(error)") }
        let reader = CatalogueReader(document)
        for (name, models) in reader.members("providers") {
            guard let kind = ProviderSettings.Kind(rawValue: name) else {
                throw Flaw(description: "there is no provider of type '\(name)'")
            }
            var descriptions: [ModelDescription] = []
            for model in models.array ?? [] { descriptions.append(try reader.model(model)) }
            self.models[kind] = descriptions
        }
    }
}

/// Puts a model together out of what the file says of it, of its profile, and of sets of options.
private struct CatalogueReader {
    private let document: JSONValue

    init(_ document: JSONValue) { self.document = document }

    func members(_ section: String) -> [(name: String, value: JSONValue)] {
        (self.document[section]?.members ?? []).map { ($0.name, $0.value) }
    }

    func model(_ value: JSONValue) throws(ModelCatalogue.Flaw) -> ModelDescription {
        guard let id = value["id"]?.string else { throw ModelCatalogue.Flaw(description: "a model without an id") }
        var facts = ModelFacts()
        if let name = value["profile"]?.string {
            guard let profile = self.document["profiles"]?[name] else {
                throw ModelCatalogue.Flaw(description: "the model '\(id)' has an unknown profile '\(name)'")
            }
            facts = try self.facts(profile, of: id)
        }
        return ModelDescription(
            id: id, aliases: value["aliases"]?.array?.compactMap(\.string) ?? [],
            needsKey: value["needs_key"]?.bool ?? false, facts: facts.changed(by: try self.facts(value, of: id)))
    }

    private func facts(_ value: JSONValue, of id: String) throws(ModelCatalogue.Flaw) -> ModelFacts {
        var members = value.members ?? []
        if let place = members.firstIndex(where: { $0.name == "options" }), let names = members[place].value.array {
            var options: [JSONValue.Member] = []
            for name in names.compactMap(\.string) {
                guard let set = self.document["options"]?[name]?.members else {
                    throw ModelCatalogue.Flaw(description: "the model '\(id)' has unknown options '\(name)'")
                }
                options += set
            }
            members[place].value = .object(options)
        }
        do throws(MessageError) { return try ModelFacts(decoding: .object(members)) } catch {
            throw ModelCatalogue.Flaw(description: "the model '\(id)': \(error)")
        }
    }
}
