import Messages

/// Adds to the providers what they listed as their models when they were last asked.
///
/// Nothing is refused because of it: a file that cannot be read is a warning, and what does not fit any more is passed over.
struct ListedModelsReader {
    let collector: ProblemCollector

    /// - Parameters:
    ///   - names: The ids and aliases of all models of the configuration. What is listed is added to them.
    func add(_ file: ConfigurationFile, to providers: inout [ProviderSettings], names: inout Set<String>) {
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
            for model in list.models.prefix(ModelListing.maximumModels) where names.insert(model.id).inserted {
                // What the catalogue knows by now counts for more than what was known then.
                let known = ModelCatalogue.shipped.facts(of: model.id, settings.kind) ?? ModelFacts()
                providers[index].listedModels.append(
                    ModelDescription(
                        id: model.id, needsKey: settings.keyName != nil, facts: model.facts.changed(by: known)))
            }
        }
    }
}
