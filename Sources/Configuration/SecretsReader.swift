import Messages

/// Reads the field `secrets`: where keys are kept.
struct SecretsReader {
    private(set) var llmKeys: String?
    private(set) var masterKeyFile: String?
    /// Where `llm_keys` is written.
    private(set) var llmKeysField: YAMLValue?

    init(_ field: YAMLValue?) {
        guard let field,
            let fields = field.mapping(
                SupportedFields.secrets, expected: "a mapping such as {llm_keys: /etc/bulkhead/keys.json}")
        else { return }
        self.llmKeysField = fields["llm_keys"]
        self.llmKeys = fields["llm_keys"].flatMap(Self.readPath)
        self.masterKeyFile = fields["master_key_file"].flatMap(Self.readPath)
    }

    private static func readPath(_ field: YAMLValue) -> String? {
        guard let path = field.string("an absolute path") else { return nil }
        if let refusal = PathRules.file.refusal(of: path) {
            field.refuse(refusal)
            return nil
        }
        return path
    }
}
