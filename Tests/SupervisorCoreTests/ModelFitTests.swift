import JSON
import Messages
import Testing

@testable import SupervisorCore

/// What a model can do, against what is asked of it.
@Suite struct ModelFitTests {
    private static let image = #"{"type":"image/png","content":"aGk="}"#

    private static func model(_ facts: String, id: String = "m") throws -> ModelDescription {
        ModelDescription(id: id, facts: try ModelFacts(decoding: try JSONValue(parsing: facts)))
    }

    /// The refusal of a prompt with these members, or nil.
    private static func refusal(_ members: String, _ facts: String, isContinued: Bool = false) throws -> Failure? {
        let request = try ClientRequest(decoding: Array(#"{"id":1,"op":"prompt"\#(members)}"#.utf8))
        guard case .prompt(let prompt) = request.operation else { throw MessageError.invalidValue("op", "no prompt") }
        do throws(Failure) {
            try ModelFit.check(prompt, of: try! Self.model(facts), title: "Some", isContinued: isContinued)
            return nil
        } catch {
            return error
        }
    }

    private static let everything =
        #","schema":{},"tools":[{"name":"t"}],"options":{"any":[1]},"attachments":[\#(image)],"messages":[{"role":"assistant","parts":[]}]"#

    @Test func whatIsNotKnownIsPassedOn() throws {
        #expect(try Self.refusal(Self.everything, "{}", isContinued: true) == nil)
    }

    @Test(arguments: [
        (#","schema":{}"#, #"{"schema":false}"#, "Some: m does not support schemas"),
        (#","schema":"name, age int""#, #"{"schema":false}"#, "Some: m does not support schemas"),
        (#","tools":[{"name":"t"}]"#, #"{"tools":false}"#, "Some: m does not support tools"),
        (
            #","messages":[{"role":"assistant","parts":[]}]"#, #"{"conversations":false}"#,
            "Some: m does not support conversations"
        ),
        (#","attachments":[\#(image)]"#, #"{"attachments":[]}"#, "Some: m does not support attachments"),
        (
            #","attachments":[\#(image),{"type":"Text/Plain; charset=utf-8","content":""}]"#,
            #"{"attachments":["image/png","image/jpeg"]}"#,
            "Some: m does not support attachments of type 'Text/Plain; charset=utf-8', only image/jpeg, image/png"
        ),
        (
            #","messages":[{"role":"user","parts":[{"type":"attachment","attachment":\#(image)}]}]"#,
            #"{"attachments":["image/gif"]}"#,
            "Some: m does not support attachments of type 'image/png', only image/gif"
        ),
        (
            #","tool_results":[{"name":"t","output":"","attachments":[\#(image)]}]"#, #"{"attachments":[]}"#,
            "Some: m does not support attachments"
        ),
        (
            "", #"{"prompts":false,"embeddings":true}"#,
            "Some: m does not answer prompts: it makes embeddings (op embed)"
        ),
        ("", #"{"prompts":false}"#, "Some: m does not answer prompts"),
    ])
    func whatAModelCannotDoIsRefusedInLLMsWords(members: String, facts: String, message: String) throws {
        let failure = try #require(try Self.refusal(members, facts))
        #expect(failure == Failure(.notSupported, message))
    }

    @Test(arguments: [
        (#","schema":null"#, #"{"schema":false}"#), (#","tools":[]"#, #"{"tools":false}"#),
        (#","attachments":[]"#, #"{"attachments":[]}"#), (#","system":"s""#, #"{"conversations":false}"#),
        (#","messages":[{"role":"user","parts":[]}]"#, #"{"conversations":false}"#),
        (#","attachments":[{"type":"IMAGE/PNG; q=1","content":""}]"#, #"{"attachments":["image/png"]}"#),
        (#","attachments":[{"url":"https://a/b"}]"#, #"{"attachments":["image/png"]}"#),
        (#","stream":true"#, #"{"streaming":false}"#),
    ])
    func whatIsNotAskedIsNotRefused(members: String, facts: String) throws {
        #expect(try Self.refusal(members, facts) == nil)
    }

    @Test func aConversationOnRecordCounts() throws {
        #expect(
            try Self.refusal("", #"{"conversations":false}"#, isContinued: true)?.message
                == "Some: m does not support conversations")
    }

    @Test func onlySomeModelsMakeEmbeddings() throws {
        for facts in ["{}", #"{"embeddings":true,"prompts":false}"#] {
            try ModelFit.checkEmbedding(options: nil, of: try Self.model(facts), title: "Some")
        }
        #expect(throws: Failure(.notSupported, "Some: m does not make embeddings")) {
            try ModelFit.checkEmbedding(options: nil, of: try Self.model(#"{"embeddings":false}"#), title: "Some")
        }
        #expect(throws: Failure.self) {
            try ModelFit.checkEmbedding(
                options: Array(#"{"a":1}"#.utf8), of: try Self.model(#"{"options":{}}"#), title: "Some")
        }
    }

    // MARK: Options

    private static let options =
        #"{"options":{"temperature":{"type":"number","minimum":0,"maximum":2},"top_k":{"type":"integer","minimum":1},"#
        + #""json":{"type":"boolean"},"stop":{"type":["string","array"]},"effort":{"type":"enum","values":["low","high"]},"#
        + #""meta":{"type":"object"},"bias":{"type":"number","minimum":-0.5}}}"#
    private static let names = "bias, effort, json, meta, stop, temperature, top_k"

    @Test(arguments: [
        "{}", #"{"temperature":0}"#, #"{"temperature":2.0}"#, #"{"temperature":1e0}"#, #"{"top_k":1,"json":false}"#,
        #"{"stop":"x"}"#, #"{"stop":["x"]}"#, #"{"effort":"low","meta":{}}"#, #"{"temperature":null,"json":null}"#,
        #"{"bias":-0.5}"#, #"{"top_k":9007199254740993}"#,
    ])
    func anOptionThatFitsPasses(options: String) throws {
        #expect(try Self.refusal(",\"options\":\(options)", Self.options) == nil)
    }

    @Test(arguments: [
        (
            #"{"temprature":1}"#,
            "the model 'm' has no option 'temprature' (did you mean 'temperature'?). Valid options: \(names)"
        ),
        (#"{"x":1}"#, "the model 'm' has no option 'x'. Valid options: \(names)"),
        (#"{"temperature":"1"}"#, "option 'temperature' must be a number from 0 to 2"),
        (#"{"temperature":2.01}"#, "option 'temperature' must be a number from 0 to 2"),
        (#"{"temperature":1e999}"#, "option 'temperature' must be a number from 0 to 2"),
        (
            #"{"temperature":-1,"json":1}"#,
            "option 'temperature' must be a number from 0 to 2; option 'json' must be true or false"
        ),
        (#"{"top_k":1.0}"#, "option 'top_k' must be an integer from 1 on"),
        (#"{"top_k":0}"#, "option 'top_k' must be an integer from 1 on"),
        (#"{"stop":1}"#, "option 'stop' must be a string or an array"),
        (#"{"effort":"Low"}"#, "option 'effort' must be one of low, high"),
        (#"{"meta":[]}"#, "option 'meta' must be an object"),
        (#"{"bias":-1}"#, "option 'bias' must be a number from -0.5 on"),
    ])
    func anOptionThatDoesNotFitIsRefused(options: String, message: String) throws {
        let failure = try #require(try Self.refusal(",\"options\":\(options)", Self.options))
        #expect(failure == Failure(.invalidOptions, message))
    }

    @Test func aModelMayHaveNoOptionsAtAll() throws {
        let failure = try Self.refusal(#","options":{"a":1}"#, #"{"options":{}}"#)
        #expect(failure?.message == "the model 'm' has no option 'a'. It has no options")
    }

    @Test func optionsThatAreNotToBeCheckedAreNot() throws {
        let facts = Self.options.dropLast() + #","checks_options":false}"#
        #expect(try Self.refusal(#","options":{"x":1,"temperature":"hot"}"#, String(facts)) == nil)
    }
}
