import JSON

// What hooks are shown of a request (proto/hooks.md, "BeforePrompt"): what a model would see of it, as the client sent it.

extension PromptRequest {
    public var asked: [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: self.length + 128)
        if let prompt = self.prompt { object.add("prompt", raw: prompt) }
        if let system = self.system { object.add("system", raw: system) }
        if let options = self.options { object.add("options", raw: options) }
        self.appendContent(to: &object)
        return object.finish()
    }
}

extension EmbedRequest {
    public var asked: [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: self.input.count + 128)
        object.add("input", raw: self.input)
        if let options = self.options { object.add("options", raw: options) }
        return object.finish()
    }
}
