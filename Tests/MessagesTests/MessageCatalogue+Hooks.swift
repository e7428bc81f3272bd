import JSON
import Messages

// What hooks are asked, and what they answer.
extension CataloguedMessage {
    private static let subject = HookQuestion.Subject(
        caller: "c", uid: 1, gid: 2, pid: 3, unit: "u", actor: "a", purpose: "p", group: request)

    static let hooks: [CataloguedMessage] = [
        .question("FilterModels", .filterModels(.models, models: ["m"])),
        .question("DefaultModel", .defaultModel(.prompt)),
        .question("BeforePrompt", .beforePrompt(.prompt, model: "m", provider: "p", asked: Array(everything.utf8))),
        .question(
            "AfterResponse",
            .afterResponse(
                .prompt, model: "m", provider: "p",
                .init(request: request, state: .error, usage: usage, durationMilliseconds: 1, failure: failure))),
        .question("GroupExit", .groupExit(requests: 1)),
        .hookAnswer("FilterModelsAnswer", to: .filterModels, HookAnswer.encode(.models(["m"]), number: 1)),
        .hookAnswer("DefaultModelAnswer", to: .defaultModel, HookAnswer.encode(.model("m"), number: 1)),
        .hookAnswer(
            "BeforePromptAnswer", to: .beforePrompt,
            JSONValue.object([
                .init("id", .integer(1)), .init("refuse", .string("r")), .init("annotate", .object([])),
            ]).serialized()),
        .hookAnswer("PlainAnswer", to: .afterResponse, HookAnswer.encode(.nothing, number: 1)),
    ]

    /// All that may stand there, though what is truncated has none of it.
    private static let everything = #"""
        {"truncated":true,"prompt":"p","system":"s","messages":[],"options":{},"attachments":[],"schema":{},"tools":[],
         "tool_results":[],"input":["i"]}
        """#

    private static func question(_ name: String, _ content: HookQuestion.Content) -> CataloguedMessage {
        CataloguedMessage(
            name: name,
            recode: { bytes in
                let (number, question) = try HookQuestion.decode(bytes)
                return HookQuestion.frame(question.body, number: number)
            }, fullest: HookQuestion.frame(HookQuestion(subject, content).body, number: 1))
    }

    private static func hookAnswer(_ name: String, to event: HookEvent, _ fullest: [UInt8]) -> CataloguedMessage {
        CataloguedMessage(
            name: name,
            recode: { bytes in
                let answer = try HookAnswer(decoding: bytes)
                return HookAnswer.encode(try answer.content(of: event), number: answer.number)
            }, fullest: fullest)
    }
}
