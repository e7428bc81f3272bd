import Messages

/// Adds to the providers what they listed as their models when they were last asked.
///
/// Nothing is refused because of it: a file that cannot be read is a warning, and what does not fit any more is passed over.
struct ListedModelsReader {
    let collector: ProblemCollector

    func add(_ file: ConfigurationFile, to providers: inout [ProviderSettings]) {
        var names = Set(providers.flatMap(\.models).flatMap { [$0.id] + $0.aliases })
        let listed: ListedModels
        do throws(MessageError) {
            listed = try ListedModels(decoding: file.bytes)
        } catch {
            self.collector.warn(
                "\(file.name) cannot be read (\(error)), so the models that providers listed are unknown; "
                    + "'bulkhead models --refresh' asks again")
            return
        }
        for index in providers.indices where providers[index].isOverHTTP {
            let settings = providers[index]
            guard
                let list = listed.providers.first(where: {
                    $0.name == settings.name && $0.kind == settings.kind && $0.baseURL == settings.baseURL
                })
            else { continue }
            for model in list.models.prefix(ModelListing.maximumModels)
            where !providers.claim(model.id, against: settings.name) && names.insert(model.id).inserted {
                // What the catalogue knows by now counts for more than what was known then.
                let known = ModelCatalogue.shipped.facts(of: model.id, settings.kind) ?? ModelFacts()
                providers[index].listedModels.append(
                    ModelDescription(
                        id: model.id, needsKey: settings.keyName != nil, facts: model.facts.changed(by: known)))
            }
        }
    }
}
