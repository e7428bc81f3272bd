import Messages

// What hooks are told of that has ended: requests, and groups.
extension SupervisorCore {
    /// A request that was on record has ended.
    mutating func tellHooks(of request: Request, _ record: EndRecord, at now: Now) {
        guard !self.hooks.isEmpty, let subject = request.subject else { return }
        let operation: HookQuestion.Operation =
            request.embeddings != nil ? .embed : request.round != nil ? .chain : .prompt
        let content = HookQuestion.Content.afterResponse(
            operation, model: request.model, provider: self.providers[request.provider].settings.name,
            HookQuestion.End(
                request: request.ulid, state: record.state, usage: record.usage,
                durationMilliseconds: record.durationMilliseconds, failure: record.failure))
        self.tellHooks(.afterResponse, HookQuestion(subject, content).body, at: now)
    }
}
