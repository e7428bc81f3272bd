"""Tests of the module against a daemon at $BULKHEAD_SOCKET that has echo and, under `testing: true`, echo-fault.

$BULKHEAD_TEST_MODEL, where it is set, is a model that calls `add` twice in each of 49 rounds, and ends in the 50th.
"""

import json
import os
import threading
import typing
import unittest

from bulkhead import Bulkhead, BulkheadError, CancelToolCall, Pause, Tool, ToolOutput


def directions(*calls, prompt="p"):
    """A prompt that has echo call tools."""
    return json.dumps({"prompt": prompt, "tool_calls": [{"name": name, "arguments": given} for name, given in calls]})


def outputs(text):
    return [result["output"] for result in json.loads(text)["tool_results"]]


class ModuleTests(unittest.TestCase):
    def setUp(self):
        self.daemon = Bulkhead()
        self.addCleanup(self.daemon.close)

    def test_an_answer_comes_in_pieces_and_as_a_whole(self):
        answer = self.daemon.prompt('{"raw": "hello"}')
        self.assertEqual("".join(answer), "hello")
        self.assertEqual(answer.text, "hello")
        self.assertEqual(answer.message, {"role": "assistant", "parts": [{"type": "text", "text": "hello"}]})
        self.assertEqual(answer.done["event"], "done")
        whole = self.daemon.prompt('{"raw": "hello"}', stream=False)
        self.assertEqual(whole.text, "hello")
        self.assertEqual(whole.message, answer.message)

    def test_a_conversation_goes_on(self):
        first = self.daemon.prompt("one")
        first.text
        second = self.daemon.prompt("two", conversation=first.conversation)
        self.assertEqual(json.loads(second.text)["previous"], [{"prompt": "one"}])

    def test_an_error_has_a_code_and_half_a_text_is_none(self):
        with self.assertRaises(BulkheadError) as caught:
            self.daemon.prompt("hello", model="ecko").text
        self.assertEqual(caught.exception.code, "unknown_model")
        self.assertFalse(caught.exception.retryable)
        fault = {"chunks": 1, "after_chunks": 1, "fault": "error"}
        broken = self.daemon.prompt("hello", model="echo-fault", options=fault)
        for _ in range(2):
            with self.assertRaises(BulkheadError):
                broken.text
        self.daemon.ping()

    def test_leaving_an_answer_cancels_it(self):
        for _ in self.daemon.prompt("hello", model="echo-fault", options={"fault": "flood"}):
            break
        self.assertEqual(self.daemon.prompt('{"raw": "untouched"}').text, "untouched")

    def test_answers_may_be_read_in_any_order(self):
        one, two = self.daemon.prompt('{"raw": "one"}'), self.daemon.prompt('{"raw": "two"}')
        self.assertEqual([two.text, one.text], ["two", "one"])

    def test_models_status_and_logs_answer(self):
        self.assertIn("echo", [model["id"] for model in self.daemon.models()])
        self.assertIn("version", self.daemon.status())
        self.daemon.prompt('{"raw": "kept"}').text
        self.assertEqual(self.daemon.logs(limit=1)[0]["response"], "kept")

    def test_what_may_be_asked_is_said(self):
        self.assertTrue(self.daemon.whoami()["allowed"])
        self.assertEqual(self.daemon.whoami()["uid"], os.getuid())
        self.assertEqual(self.daemon.purposes(), [])
        explanation = self.daemon.explain("extract", model="echo", actor="ada")
        self.assertEqual((explanation["allowed"], explanation["actor"], explanation["model"]), (True, "ada", "echo"))
        self.assertEqual(self.daemon.explain(model="ecko")["refusal"]["code"], "unknown_model")
        self.assertEqual(self.daemon.explain(model="echo", operation="embed")["refusal"]["code"], "not_supported")
        own = self.daemon.models("extract", as_={"uid": 1}, all=True)
        self.assertTrue(all(model["available"] or model["reason"] for model in own))
        self.daemon.prompt("one", purpose="extract", actor="ada").text
        self.assertEqual(self.daemon._ask("requests", limit=1, actor="ada")["requests"][0]["purpose"], "extract")

    # Groups.

    def test_a_group_ends_when_its_requests_have(self):
        with self.daemon.group(purpose="work", model="echo") as group:
            unread = group.prompt('{"raw": "unread"}')
            self.assertEqual(group.prompt('{"raw": "hello"}').text, "hello")
            with self.assertRaises(BulkheadError) as caught:
                group.prompt("hello", purpose="play").text
            self.assertEqual(caught.exception.code, "invalid_request")
        self.assertEqual(group.requests, 2)
        self.assertEqual(unread.text, "unread")
        with self.assertRaises(BulkheadError) as caught:
            group.prompt("too late").text
        self.assertEqual(caught.exception.code, "not_found")

    def test_a_group_ends_with_what_was_raised_in_it(self):
        with self.assertRaises(KeyError):
            with self.daemon.group() as group:
                group.prompt('{"raw": "hello"}')
                raise KeyError("first")
        self.assertEqual(group.requests, 1)

    # Tools.

    def test_functions_are_described_by_their_signatures(self):
        def mixed(
            text, count: int, ratio: float = 0.5, flags: typing.List[bool] = (), unit: typing.Literal["C", "F"] = "C",
            more: typing.Optional[str] = None, llm_tool_call=None,
        ):
            "Does things"

        definition = Tool.of(mixed).definition
        self.assertEqual(definition["description"], "Does things")
        schema = definition["input_schema"]
        self.assertEqual(schema["required"], ["text", "count"])
        self.assertEqual(schema["properties"]["text"], {"type": "string"})
        self.assertEqual(schema["properties"]["count"], {"type": "integer"})
        self.assertEqual(schema["properties"]["ratio"], {"type": "number", "default": 0.5})
        self.assertEqual(schema["properties"]["flags"]["items"], {"type": "boolean"})
        self.assertEqual(schema["properties"]["unit"], {"enum": ["C", "F"], "default": "C"})
        self.assertEqual(schema["properties"]["more"]["anyOf"], [{"type": "string"}, {"type": "null"}])
        self.assertNotIn("llm_tool_call", schema["properties"])
        with self.assertRaises(ValueError):
            Tool.of(lambda x: x)

    def test_every_outcome_of_a_call_is_a_result(self):
        def say(x):
            return f"got {x}"

        def value():
            return ToolOutput({"k": [1, None, "é"]}, [{"type": "image/png", "content": "iVBORw0KGgo="}])

        def fail():
            raise ValueError("boom")

        def name(llm_tool_call):
            return llm_tool_call["tool_call_id"][:3]

        seen = []
        calls = [("say", {"x": "1"}), ("value", {}), ("fail", {}), ("gone", {}), ("say", {"bad": 1}), ("name", {})]
        chain = self.daemon.chain(
            directions(*calls),
            tools=[say, value, fail, name], after_call=lambda tool, call, result: seen.append(tool.name),
        )
        chain.text
        results = outputs(chain.message["parts"][0]["text"])
        self.assertEqual(results[:3], ["got 1", '{"k": [1, null, "\\u00e9"]}', "Error: boom"])
        self.assertEqual(results[3], 'Error: tool "gone" does not exist')
        self.assertIn("unexpected keyword argument 'bad'", results[4])
        self.assertEqual(results[5], "tc_")
        self.assertEqual(sorted(seen), ["fail", "name", "say", "say", "value"])
        parts = chain.messages[2]["parts"]
        exceptions = [part.get("exception", "").split(":")[0] for part in parts]
        self.assertEqual(exceptions, ["", "", "ValueError", "KeyError", "TypeError", ""])
        self.assertEqual([message["role"] for message in chain.messages], ["user", "assistant", "tool", "assistant"])

    def test_calls_of_a_round_run_at_the_same_time(self):
        both = threading.Barrier(2, timeout=60)

        def meet():
            both.wait()
            return "met"

        chain = self.daemon.chain(directions(("meet", {}), ("meet", {})), tools=[meet])
        chain.text
        self.assertEqual([part["output"] for part in chain.messages[2]["parts"]], ["met", "met"])

    def test_a_call_may_be_forbidden(self):
        def before(tool, call):
            raise CancelToolCall("not today")

        chain = self.daemon.chain(directions(("meet", {})), tools=[Tool(print, "meet", None, {})], before_call=before)
        chain.text
        part = chain.messages[2]["parts"][0]
        self.assertEqual((part["output"], part["exception"]), ("Cancelled: not today", "CancelToolCall: not today"))

    def test_a_pause_leaves_what_is_needed_to_go_on(self):
        allowed = []

        def ask():
            if not allowed:
                raise Pause("needs consent")
            return "yes"

        def know(n: int):
            return f"known {n}"

        calls = directions(("know", {"n": 1}), ("ask", {}), ("know", {"n": 3}))
        chain = self.daemon.chain(calls, tools=[ask, know], system="S")
        with self.assertRaises(Pause) as caught:
            chain.text
        self.assertEqual(caught.exception.call["name"], "ask")
        self.assertEqual([message["role"] for message in chain.messages][:3], ["system", "user", "assistant"])
        allowed.append(True)
        with Bulkhead() as other:
            resumed = other.chain(messages=json.loads(json.dumps(chain.messages)), tools=[ask, know])
            resumed.text
            messages = [message for message in resumed.messages if message["role"] == "tool"]
            self.assertEqual({part["output"] for message in messages for part in message["parts"]}, {"known 1", "yes", "known 3"})

    def test_what_a_hook_raises_stops_the_chain(self):
        def before(tool, call):
            raise RuntimeError("a bug")

        chain = self.daemon.chain(directions(("meet", {})), tools=[Tool(print, "meet", None, {})], before_call=before)
        with self.assertRaises(RuntimeError):
            chain.text
        self.daemon.ping()

    def test_the_limit_is_the_daemons(self):
        def again():
            return "x"

        chain = self.daemon.chain(directions(("again", {})), tools=[again], chain_limit=1)
        with self.assertRaises(BulkheadError) as caught:
            chain.text
        self.assertEqual(caught.exception.code, "chain_limit_exceeded")
        self.assertEqual(len(chain.messages), 2)
        self.assertEqual(outputs(self.daemon.chain(messages=chain.messages, tools=[again]).text), ["x"])

    @unittest.skipUnless("BULKHEAD_TEST_MODEL" in os.environ, "there is no model that calls tools")
    def test_fifty_rounds(self):
        def add(n: int, part: int):
            return f"{n}+{part}"

        model = os.environ["BULKHEAD_TEST_MODEL"]
        for stream in (True, False):
            chain = self.daemon.chain("p", tools=[add], chain_limit=0, model=model, stream=stream)
            self.assertEqual(chain.text, " ".join([f"Round {n}." for n in range(1, 50)] + ["End."]))
            self.assertEqual(len(chain.messages), 100)
            self.assertEqual(chain.usage, {"input": 500, "output": 50})
            self.assertEqual(chain.done["round"], 50)


if __name__ == "__main__":
    unittest.main()
