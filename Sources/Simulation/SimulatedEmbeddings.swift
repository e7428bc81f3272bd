import Messages
import SupervisorCore

// Requests for embeddings: prompts that are asked for whole, and of which nothing is stored.
extension Simulation {
    mutating func clientEmbeds(_ id: ConnectionID, _ newID: Int64) {
        let provider = self.drawnProvider()
        let model = [nil, "m\(provider)", "alias\(provider)", "k\(provider)"].randomElement(using: &self.random)!
        let length = self.chance(90) ? 10 : Int.random(in: 100...self.bounds.memory, using: &self.random)
        let count = Int.random(in: 1...4, using: &self.random)
        let key = SimulatedPrompt.Key(connection: id, id: newID)
        let first = key.text + " " + String(repeating: "x", count: length)
        var embed = EmbedRequest([first] + Array(repeating: "", count: count - 1), model: model)
        if self.chance(10) { embed.timeoutMilliseconds = Int.random(in: 1...500, using: &self.random) }
        if self.chance(20) { embed.mandate.purpose = "finish" }
        let asked = self.drawGroup(of: key, &embed.mandate, model: model)
        var prompt = SimulatedPrompt(
            arrivedAt: self.now, isStreamed: false, system: nil, namedModel: asked, model: "", provider: 0,
            conversation: nil, timeout: embed.timeoutMilliseconds.map { .milliseconds($0) })
        prompt.embeddings = count
        prompt.configuration = self.configurations.count - 1
        prompt.finishes = self.finishes(key, embed.mandate)
        self.prompts[key] = prompt
        self.comesToTheDoor(key)
        self.send(id, ClientRequest(id: .number(newID), operation: .embed(embed)), expecting: .number(newID))
        self.checkCount(of: id)
        if self.isDraining, self.prompts[key] != nil { self.fail("a request was admitted after the drain began") }
    }

    mutating func embeddingsAreDispatched(_ embed: EmbeddingRequest, to slot: SlotID, of worker: SimulatedWorker) {
        let request = ModelRequest(
            request: embed.request, model: embed.model, stream: false, prompt: embed.input[0], key: embed.key)
        if let key = SimulatedPrompt.Key(request.prompt), let prompt = self.prompts[key],
            prompt.embeddings != embed.input.count
        {
            self.fail("request \(embed.request) lost a text")
        }
        self.promptIsDispatched(request, to: slot, of: worker)
    }

    /// The slot has made a batch.
    mutating func slotProgresses(_ slot: SlotID) {
        guard let key = self.workers[slot.worker]?.slots[slot.index].prompt else { return }
        self.mark("batch of embeddings done")
        self.prompts[key]?.lastHeard = self.now
        self.post(.slotEvent(slot, EmbeddingEvent.progress.encoded))
    }

    /// The last event of a slot that made so many vectors.
    func embeddingsDone(_ count: Int, _ usage: Usage) -> [UInt8] {
        let vectors = Array(repeating: "[1.0,-2e-3]", count: count).joined(separator: ",")
        return EmbeddingEvent.done(EmbeddingCompletion(embeddings: Array("[\(vectors)]".utf8), usage: usage)).encoded
    }

    mutating func embeddingsAreDelivered(_ completion: ClientEvent.Completion, of key: SimulatedPrompt.Key) {
        let prompt = self.prompts[key]!
        self.mark("embeddings delivered")
        if self.tried[key]!.count > 1 { self.mark("embeddings tried again") }
        if completion.embeddings?.count != prompt.embeddings || completion.text != nil {
            self.fail("there are not as many vectors as texts")
        }
        if completion.conversation != nil { self.fail("embeddings are in a conversation") }
    }
}
