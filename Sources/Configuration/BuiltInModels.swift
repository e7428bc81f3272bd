import Messages

/// The models that need no configuration.
enum BuiltInModels {
    static var echo: [ModelDescription] { ModelCatalogue.shipped.models(of: .echo) }
    /// The variable that llm-echo reads.
    static let echoKeyName = "LLM_ECHO_NEEDS_KEY_KEY"

    static var echoFault: [ModelDescription] { ModelCatalogue.shipped.models(of: .echoFault) }

    /// The models of a provider over HTTP.
    ///
    /// - Parameter preset: The provider's, which is OpenAI's too where its chat completions are asked under its name. Of those
    ///   only what does not depend on the API is known.
    static func models(of kind: ProviderSettings.Kind, _ preset: ProviderPreset?) -> [ModelDescription] {
        let models = ModelCatalogue.shipped.models(of: preset?.kind ?? kind)
        guard let preset, preset.kind != kind else { return models }
        return models.map { model in
            var model = model
            model.facts.options = nil
            model.facts.attachments = nil
            return model
        }
    }
}
