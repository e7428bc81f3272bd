import JSON
import LogStore
import Messages
import Testing

/// What llm itself has written, and what it makes of our file, read by both.
@Suite(.enabled(if: LLM.executable != nil, LLM.isMissing)) struct ReaderLLMTests {
    let file: RecordedFile

    init() throws { self.file = try RecordedFile() }

    /// Runs a script that gets the path of the file, and returns the JSON that it prints.
    private func python(_ script: String) throws -> JSONValue {
        let run = try LLM.python(script, self.file.directory.database, in: self.file.directory)
        try #require(run.status == 0, "\(run.errors)")
        return try JSONValue(parsing: run.output)
    }

    @Test func aHistoryIsWhatLLMWouldSend() throws {
        let messages = try self.python(
            """
            import json, sys, llm, sqlite_utils
            from llm.logs import LogStore
            from llm.parts import *
            from llm.utils import Fragment
            db = sqlite_utils.Database(sys.argv[1])
            store = LogStore(db)
            novel = Fragment("It was a dark and stormy night. \\U0001f6a2", "novel")
            image = llm.Attachment(type="image/png", content=bytes(range(250)))
            link = llm.Attachment(url="https://example.org/x.png", type="image/png")
            store.create_thread(id="mixed")
            store.append("mixed", [Message("system", [TextPart("Be brief \\x00.")])])
            tip = store.ensure_chain([
                Message("user", [TextPart("Read: " + str(novel) + "!"), AttachmentPart(image), AttachmentPart(link)]),
                Message("assistant", [
                    ReasoningPart("", redacted=True, provider_metadata={"s": {"b": 1.0, "a": [1e22, None]}}),
                    ReasoningPart("Hm."), TextPart("", provider_metadata={"x": True}),
                    ToolCallPart("f", {"z": 1, "a": -0.0}, "t1", True), ToolCallPart("g", {}, None)], {"m": "\\u00e9"}),
                Message("tool", [ToolResultPart("f", "out", "t1", True, [image, link], "ValueError: x", {"y": 2})]),
                Message("assistant", []),
            ], parent=store.thread_tip("mixed"), fragments=[novel])
            db["threads"].update("mixed", {"tip_message_hash": tip})
            print(json.dumps([m.to_dict() for m in store.thread_messages("mixed")]))
            """)
        let history = try self.file.history("mixed")
        #expect(try JSONValue(parsing: history.messages) == messages)
        #expect(history.system == "Be brief \u{0}.")
        #expect(history.tip != nil && history.model == nil)
    }

    @Test func aRowSaysWhatLLMSays() throws {
        let first = try self.file.exchange(
            "Name a ship.", "Endurance", system: "One word.", usage: Usage(input: 1, output: 2))
        let failed = try self.file.open("two", in: first.conversation)
        try self.file.end(failed, .error, events: #"[{"event":"reasoning","text":"Hm."},{"event":"text","text":"Fr"}]"#)
        try self.file.end(try self.file.open("three", in: first.conversation))
        try self.file.exchange("four", "4", in: first.conversation)
        try self.file.exchange("", "5", system: "only a system prompt")
        let theirs = try self.python(
            """
            import json, sys, sqlite_utils
            from llm.logs import LogStore, log_rows
            rows = log_rows(LogStore(sqlite_utils.Database(sys.argv[1])))
            names = ["id", "model", "conversation_id", "conversation_name", "prompt", "system", "response", "reasoning"]
            print(json.dumps([{name: row[name] for name in names} for row in rows]))
            """)
        let ours = try self.file.logs().rows.map { row in
            JSONValue.object(
                [
                    ("id", row["id"]), ("model", row["model"]), ("conversation_id", row["conversation"]),
                    ("conversation_name", row["conversation_name"]), ("prompt", row["prompt"]),
                    ("system", row["system"]), ("response", row["response"]), ("reasoning", row["reasoning"]),
                ].map { JSONValue.Member($0, $1 ?? .null) })
        }
        #expect(JSONValue.array(ours) == theirs)
        #expect(ours.count == 5)
    }
}
