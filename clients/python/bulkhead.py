"""Language models through the bulkheadd of this host. One file, Python 3.9 or later, nothing to install.

    from bulkhead import Bulkhead

    with Bulkhead() as daemon:
        for text in daemon.prompt("Ten names for a pelican"):
            print(text, end="", flush=True)

A model may call Python functions; their signatures say what arguments they take:

    def high_water(harbour: str) -> list:
        "When the tide is high today"
        return ["03:12", "15:40"]

        print(daemon.chain("When is high water in Cuxhaven?", tools=[high_water]).text)

An object serves one thread: connect once for each. Everything else about the fields of a request is in proto/client.md.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import socket
import struct
import threading
import typing
from typing import Any, Callable, Iterable, Iterator, Optional, Sequence, Union

__all__ = [
    "Answer", "Bulkhead", "BulkheadError", "CancelToolCall", "Chain", "ConnectionLost", "Group", "Pause", "Tool",
    "ToolOutput",
]

JSON = typing.Dict[str, Any]
"""A JSON object: a frame, a message, a part of one."""

FRAME_BOUND = 16 << 20
CONCURRENT_CALLS = 16


class BulkheadError(Exception):
    """The daemon ended a request, or refused it."""

    def __init__(self, error: JSON):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: str = error["code"]
        self.message: str = error["message"]
        self.retryable: bool = error.get("retryable", False)
        """Whether the same request may succeed later."""
        self.retry_after_seconds: Optional[float] = (
            error["retry_after_ms"] / 1000 if "retry_after_ms" in error else None
        )


class ConnectionLost(Exception):
    """The connection ended before the request did: the daemon stopped, or was stopped."""


class CancelToolCall(Exception):
    """Raised by `before_call`: the tool is not run, and the model reads why."""


class Pause(Exception):
    """Raised by a tool, it stops the chain once the other calls have ended. `chain.messages` is what to go on from."""

    call: Optional[JSON] = None


@dataclasses.dataclass
class ToolOutput:
    """What a tool has to say, with attachments: `{"type": "image/png", "content": "<base64>"}` or with a `url`."""

    output: Any
    attachments: Sequence[JSON] = ()


@dataclasses.dataclass
class Tool:
    """A function that a model may call."""

    run: Callable[..., Any]
    name: str
    description: Optional[str]
    input_schema: JSON

    @classmethod
    def of(cls, function: Union[Tool, Callable[..., Any]]) -> Tool:
        """A tool with the function's name, its docstring, and the schema of its signature.

        A parameter without an annotation is a string, one with a default may be left out, and one called
        `llm_tool_call` is given the call itself.
        """
        if isinstance(function, Tool):
            return function
        name = getattr(function, "__name__", "<lambda>")
        if name == "<lambda>":
            raise ValueError("a lambda has no name: write Tool(run=…, name=…, description=…, input_schema=…)")
        return cls(function, name, inspect.getdoc(function), _schema(function))

    @property
    def definition(self) -> JSON:
        definition: JSON = {"name": self.name, "input_schema": self.input_schema}
        if self.description:
            definition["description"] = self.description
        return definition

    def call(self, call: JSON) -> Any:
        arguments = dict(call["arguments"])
        if "llm_tool_call" in inspect.signature(self.run).parameters:
            arguments["llm_tool_call"] = call
        return self.run(**arguments)


class Bulkhead:
    """A connection to the daemon."""

    def __init__(self, path: Optional[str] = None):
        """Connects to the daemon at `path`; without one, at $BULKHEAD_SOCKET, or where it listens by default."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path or _default_path())
        self._stream = self._socket.makefile("rb")
        self._sending = threading.Lock()
        self._last_id = 0
        self._waiting: dict[int, list[JSON]] = {}
        self._on_last: dict[int, Callable[[JSON], None]] = {}

    def __enter__(self) -> Bulkhead:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; the daemon cancels what is open on it."""
        self._stream.close()
        self._socket.close()

    def prompt(self, prompt: Optional[str] = None, **fields: Any) -> Answer:
        """Asks a model. Fields are those of the protocol: `model`, `system`, `options`, `conversation`, `purpose` (what
        for), `actor` (for whom, where the caller may say so), …"""
        return Answer(self, "prompt", {"prompt": prompt, **fields})

    def chain(
        self,
        prompt: Optional[str] = None,
        tools: Iterable[Union[Tool, Callable[..., Any]]] = (),
        chain_limit: int = 5,
        before_call: Optional[Callable[[Tool, JSON], None]] = None,
        after_call: Optional[Callable[[Tool, JSON, JSON], None]] = None,
        **fields: Any,
    ) -> Chain:
        """Asks a model that may call `tools`, again and again until it calls none, but no more than `chain_limit` times
        (0: any number). Without a prompt, `messages` or a `conversation` that end in calls are gone on with.

        `before_call(tool, call)` may raise CancelToolCall; `after_call(tool, call, result)` sees what came of it. What
        else they raise stops the chain.
        """
        fields = {"prompt": prompt, "chain_limit": chain_limit, **fields}
        return Chain(self, [Tool.of(tool) for tool in tools], before_call, after_call, fields)

    def group(
        self, purpose: Optional[str] = None, model: Optional[str] = None, actor: Optional[str] = None
    ) -> Group:
        """Requests that are one piece of work, for one purpose and one actor:

            with daemon.group(purpose="enrichments") as group:
                for row in rows:
                    row["summary"] = group.prompt(row["text"]).text

        With a `model` all of them ask it; without one each may name its own.
        """
        return Group(self, {"purpose": purpose, "model": model, "actor": actor})

    def models(self, purpose: Optional[str] = None, as_: Optional[JSON] = None, all: bool = False) -> list[JSON]:
        """The models that can be asked for a purpose, the default first; with `all` the others too, each with a `reason`.

        An administrator may ask for another user: `as_={"uid": 1000, "gid": 1000, "groups": [27]}`.
        """
        models: list[JSON] = self._ask("models", purpose=purpose, all=all or None, **{"as": as_})["models"]
        return models

    def purposes(self) -> list[JSON]:
        """The purposes that are configured and may be used."""
        purposes: list[JSON] = self._ask("purposes")["purposes"]
        return purposes

    def whoami(self) -> JSON:
        """Whom the daemon takes this process for, and what it may do."""
        whoami: JSON = self._ask("whoami")["whoami"]
        return whoami

    def explain(
        self,
        purpose: Optional[str] = None,
        model: Optional[str] = None,
        actor: Optional[str] = None,
        operation: Optional[str] = None,
        as_: Optional[JSON] = None,
    ) -> JSON:
        """How a prompt, or with `operation="embed"` a request for embeddings, would be resolved, without sending it.

        One that would be refused has `allowed` False and a `refusal`.
        """
        fields = {"purpose": purpose, "model": model, "actor": actor, "operation": operation, "as": as_}
        explanation: JSON = self._ask("explain", **fields)["explanation"]
        return explanation

    def status(self) -> JSON:
        """How the daemon does."""
        status: JSON = self._ask("status")["status"]
        return status

    def logs(self, **fields: Any) -> list[JSON]:
        """What was asked and answered, newest first: a page."""
        rows: list[JSON] = self._ask("logs", **fields)["logs"]
        return rows

    def ping(self) -> None:
        """Asks for a sign of life."""
        self._ask("ping")

    # Frames: 4 bytes of length, and as many of JSON.

    def _ask(self, op: str, **fields: Any) -> JSON:
        for frame in self._frames(self._send(op, **fields)):
            if frame["event"] == "error":
                raise BulkheadError(frame["error"])
        return frame

    def _send(self, op: str, on_last: Optional[Callable[[JSON], None]] = None, **fields: Any) -> int:
        """Sends a request. Its frames are read with `_frames`, unless `on_last` is there to see its only one."""
        with self._sending:
            self._last_id += 1
            frame = {"id": self._last_id, "op": op, **{k: v for k, v in fields.items() if v is not None}}
            payload = json.dumps(frame, ensure_ascii=False).encode()
            if len(payload) > FRAME_BOUND:
                raise ValueError(f"the request has {len(payload)} bytes, and a frame holds at most {FRAME_BOUND}")
            if on_last:
                self._on_last[self._last_id] = on_last
            else:
                self._waiting[self._last_id] = []
            self._socket.sendall(struct.pack(">I", len(payload)) + payload)
            return self._last_id

    def _read(self) -> JSON:
        header = self._stream.read(4)
        payload = self._stream.read(*struct.unpack(">I", header)) if len(header) == 4 else b""
        if not payload:
            raise ConnectionLost("the daemon closed the connection before the answer was complete")
        frame: JSON = json.loads(payload)
        if frame["id"] is None:
            raise BulkheadError(frame["error"])
        return frame

    def _frames(self, id: int) -> Iterator[JSON]:
        """The frames of a request up to its last. Those of others wait for whoever reads them."""
        while True:
            if self._waiting[id]:
                frame = self._waiting[id].pop(0)
            else:
                frame = self._read()
                if frame["id"] in self._on_last:
                    self._on_last.pop(frame["id"])(frame)
                    continue
                if frame["id"] != id:
                    self._waiting.get(frame["id"], []).append(frame)
                    continue
            is_last = frame["event"] in ("done", "error")
            if is_last:
                del self._waiting[id]
            yield frame
            if is_last:
                return


class Answer:
    """The answer to a prompt. Going through it gives its text in pieces, as they come; `events()` gives all that comes.

    It is sent when it is made, and stays open until it is read to its end, left, or cancelled.
    """

    def __init__(self, daemon: Bulkhead, op: str, fields: JSON):
        self._daemon = daemon
        self._message = _Message()
        self._text: list[str] = []
        self._events: Optional[Iterator[JSON]] = None
        self._error: Optional[BaseException] = None
        self.done: Optional[JSON] = None
        """The last frame of an answer that is complete: `usage`, `finish_reason`, …"""
        self.conversation: Optional[str] = fields.get("conversation")
        """What the next prompt continues."""
        self._id = daemon._send(op, **fields)

    def __iter__(self) -> Iterator[str]:
        for event in self.events():
            if event["event"] in ("text", "round", "done") and event.get("text"):
                yield event["text"]

    @property
    def text(self) -> str:
        """The whole text; waits for it. What went wrong once is raised again: half a text is none."""
        for _ in self:
            pass
        if self.done is None:
            raise self._error or ConnectionLost("the answer was left before its end")
        return "".join(self._text)

    @property
    def message(self) -> JSON:
        """The model's message so far, for who keeps a conversation as `messages`."""
        return self._message.value

    def events(self) -> Iterator[JSON]:
        """The frames of the answer as they come. It can be gone through once; leaving it early cancels the request."""
        if self._events is None:
            self._events = self._read_events()
        # Closing this closes that, and does not wait until this object is collected.
        yield from self._events

    def cancel(self) -> None:
        """Ends the request; its answer goes on to an error with the code `cancelled`."""
        self._daemon._send("cancel", lambda _: None, target=self._id)

    def _read_events(self) -> Iterator[JSON]:
        has_ended = False
        try:
            for frame in self._daemon._frames(self._id):
                has_ended = frame["event"] in ("done", "error")
                self._take(frame)
                yield frame
        except BaseException as error:
            self._error = error
            raise
        finally:
            if not has_ended:
                self._leave()

    def _take(self, frame: JSON) -> None:
        self.conversation = frame.get("conversation", self.conversation)
        if frame["event"] == "error":
            raise BulkheadError(frame["error"])
        self._message.append(frame)
        if frame["event"] in ("text", "round", "done") and frame.get("text"):
            frame["text"] = self._joined(frame["text"])
            self._text.append(frame["text"])
        if frame["event"] == "done":
            self.done = frame

    def _joined(self, text: str) -> str:
        """The text as it follows what was said before."""
        return text

    def _leave(self) -> None:
        try:
            self.cancel()
            for _ in self._daemon._frames(self._id):
                pass
        except (OSError, ValueError, KeyError, BulkheadError, ConnectionLost):
            pass


class Chain(Answer):
    """The answer to a prompt whose model calls tools: a text, with a space between rounds where neither has one.

    Going through it runs the tools, those of a round at once in threads of their own. After an error, a Pause or a lost
    connection, `messages` is what another chain goes on from:

        daemon.chain(messages=chain.messages, tools=tools)
    """

    def __init__(self, daemon: Bulkhead, tools: list[Tool], before_call: Any, after_call: Any, fields: JSON):
        self._tools = {tool.name: tool for tool in tools}
        self._before_call, self._after_call = before_call, after_call
        self._begin = _opening(fields)
        self._calls: list[JSON] = []
        self._results: dict[str, JSON] = {}
        self._stops: list[tuple[int, BaseException]] = []
        self._running = 0
        self._lock = threading.Lock()
        self._room = threading.Semaphore(CONCURRENT_CALLS)
        self._begins_round = False
        self.usage: JSON = {}
        """The tokens of all rounds."""
        super().__init__(daemon, "chain", {**fields, "tools": [tool.definition for tool in tools] or None})

    @property
    def messages(self) -> list[JSON]:
        """What was said and done so far. A round that has not ended is not in it."""
        results = [self._results[call["tool_call_id"]] for call in self._calls if call["tool_call_id"] in self._results]
        return _with_results(self._begin, results)

    def _take(self, frame: JSON) -> None:
        event = frame["event"]
        if event == "start":
            self._message = _Message()
        elif event == "error" and self._stops:
            raise self._stop()
        elif event == "error" and frame["error"]["code"] == "chain_limit_exceeded":
            # The last round that there may be is on record, and so are its calls.
            self._end_round(frame)
        elif event == "tool_result" and not frame.get("server_executed"):
            # What the daemon says of a call that nobody can run.
            self._results[frame["tool_call_id"]] = _result_part(frame)
            return
        super()._take(frame)
        _add(self.usage, frame.get("usage", {}))
        if event in ("round", "done"):
            self._end_round(frame)

    def _joined(self, text: str) -> str:
        last = self._text[-1][-1] if self._text else " "
        begins, self._begins_round = self._begins_round, False
        return " " + text if begins and not last.isspace() and not text[0].isspace() else text

    def _end_round(self, frame: JSON) -> None:
        message = self._message.value
        self._begins_round = True
        if frame["event"] != "round" or "request" in frame:
            self._begin = self.messages + ([message] if message["parts"] else [])
        self._calls = [
            part for part in message["parts"] if part["type"] == "tool_call" and not part.get("server_executed")
        ]
        self._results = {}
        owed = [call for call in self._calls if call["tool_call_id"] in frame.get("pending", [])]
        self._running = len(owed)
        for number, call in enumerate(owed):
            # Threads that the end of the program does not wait for.
            threading.Thread(target=self._run, args=(number, call), daemon=True).start()

    def _run(self, number: int, call: JSON) -> None:
        with self._room:
            try:
                # A round that stops runs no call that has not begun.
                if not self._stops:
                    self._deliver(call, self._result(call))
            except BaseException as error:
                if isinstance(error, Pause):
                    error.call = call
                self._stops.append((number, error))
        with self._lock:
            self._running -= 1
            is_over = self._running == 0
        if is_over and self._stops:
            # Whoever reads is woken by the chain's last frame.
            self.cancel()

    def _stop(self) -> BaseException:
        """Why the chain has stopped itself: what went wrong rather than a pause, and of that the first call's."""
        return min(self._stops, key=lambda stop: (isinstance(stop[1], Pause), stop[0]))[1]

    def _result(self, call: JSON) -> JSON:
        tool = self._tools[call["name"]]
        try:
            if self._before_call:
                self._before_call(tool, call)
        except CancelToolCall as error:
            return _result(call, f"Cancelled: {error}", error)
        try:
            output = tool.call(call)
        except Pause:
            raise
        except Exception as error:
            result = _result(call, f"Error: {error}", error)
        else:
            attachments = list(output.attachments) if isinstance(output, ToolOutput) else []
            output = output.output if isinstance(output, ToolOutput) else output
            result = _result(call, output if isinstance(output, str) else json.dumps(output, default=repr))
            if attachments:
                result["attachments"] = attachments
        if self._after_call:
            self._after_call(tool, call, result)
        return result

    def _deliver(self, call: JSON, result: JSON) -> None:
        self._results[call["tool_call_id"]] = {"type": "tool_result", **result}
        try:
            self._daemon._send("tool_result", self._delivered, target=self._id, tool_results=[result])
        except ValueError as error:
            self._deliver(call, _result(call, f"Error: {error}", error))

    def _delivered(self, frame: JSON) -> None:
        """Sees that a result was taken. One that comes too late belongs to a chain that has ended."""
        if frame["event"] == "error" and frame["error"]["code"] != "not_found":
            self._stops.append((0, BulkheadError(frame["error"])))
            self.cancel()


class Group:
    """Requests that belong together. Leaving it, also by an exception, waits until they have ended, and whoever the daemon
    tells of that has heard it. A chain that is to end must be read to its end inside, for reading it runs the tools.
    """

    def __init__(self, daemon: Bulkhead, fields: JSON):
        self._daemon = daemon
        self._fields = fields
        self.name: Optional[str] = None
        """Its name on record, once it has begun."""
        self.requests: Optional[int] = None
        """How many requests of it are on record, once it has ended."""

    def __enter__(self) -> Group:
        self.name = self._daemon._ask("group_begin", **self._fields)["group"]
        return self

    def __exit__(self, _: Any, error: Optional[BaseException], __: Any) -> None:
        try:
            self.requests = self._daemon._ask("group_end", group=self.name)["requests"]
        except (OSError, ValueError, BulkheadError, ConnectionLost):
            # What went wrong first is told.
            if error is None:
                raise

    def prompt(self, prompt: Optional[str] = None, **fields: Any) -> Answer:
        """As `Bulkhead.prompt`."""
        return self._daemon.prompt(prompt, **fields, group=self.name)

    def chain(self, prompt: Optional[str] = None, *arguments: Any, **fields: Any) -> Chain:
        """As `Bulkhead.chain`."""
        return self._daemon.chain(prompt, *arguments, **fields, group=self.name)


class _Message:
    """An answer as the message that it is: pieces of one kind that follow each other are one part."""

    def __init__(self) -> None:
        self._parts: list[JSON] = []
        self._metadata: JSON = {}
        self._is_open = False

    @property
    def value(self) -> JSON:
        """Reasoning that the provider keeps to itself stands at the front."""
        parts = sorted(self._parts, key=lambda part: not part.get("redacted"))
        metadata = {"provider_metadata": self._metadata} if self._metadata else {}
        return {"role": "assistant", "parts": parts, **metadata}

    def append(self, frame: JSON) -> None:
        event = frame["event"]
        if event in ("text", "reasoning"):
            self._say(event, frame["text"])
        elif event in ("tool_call", "tool_result"):
            self._begin(_call_part(frame) if event == "tool_call" else _result_part(frame))
        elif event == "metadata":
            self._annotate(frame)
        elif event in ("round", "done"):
            for inner in frame.get("events") or _whole(frame):
                self.append(inner)

    def _begin(self, part: JSON) -> None:
        self._parts.append(part)
        self._is_open = False

    def _say(self, kind: str, text: str) -> None:
        if self._is_open and self._parts[-1]["type"] == kind:
            self._parts[-1]["text"] += text
        elif text:
            self._begin({"type": kind, "text": text})
            self._is_open = True

    def _annotate(self, frame: JSON) -> None:
        kind, metadata, is_redacted = frame["of"], frame.get("provider_metadata", {}), frame.get("redacted", False)
        was_open, self._is_open = self._is_open, False
        if kind == "message":
            self._metadata.update(metadata)
            return
        last = self._parts[-1]["type"] if self._parts else None
        # What is kept secret is a part of its own, unless it ends what was said.
        if kind in ("text", "reasoning") and (last != kind or is_redacted and not was_open):
            self._begin({"type": kind, "text": ""})
        for part in reversed(self._parts):
            if part["type"] == kind:
                if metadata:
                    part["provider_metadata"] = {**part.get("provider_metadata", {}), **metadata}
                if is_redacted:
                    part["redacted"] = True
                return


def _whole(frame: JSON) -> Iterator[JSON]:
    """The events of an answer that was not streamed."""
    for kind in ("reasoning", "text"):
        if frame.get(kind):
            yield {"event": kind, "text": frame[kind]}
    for call in frame.get("tool_calls", []):
        yield {"event": "tool_call", **call}


def _call_part(frame: JSON) -> JSON:
    names = ("name", "arguments", "tool_call_id", "server_executed")
    return {"type": "tool_call", **{name: frame[name] for name in names if name in frame}}


def _result_part(frame: JSON) -> JSON:
    names = ("name", "output", "tool_call_id", "server_executed", "exception", "attachments")
    return {"type": "tool_result", **{name: frame[name] for name in names if name in frame}}


def _result(call: JSON, output: str, error: Optional[BaseException] = None) -> JSON:
    result = {"name": call["name"], "output": output, "tool_call_id": call["tool_call_id"]}
    if error is not None:
        result["exception"] = f"{type(error).__name__}: {error}"
    return result


def _opening(fields: JSON) -> list[JSON]:
    """The messages that a request begins with, as the daemon puts them together."""
    messages = list(fields.get("messages") or [])
    if fields.get("system") and not (messages and messages[0]["role"] == "system"):
        messages.insert(0, {"role": "system", "parts": [{"type": "text", "text": fields["system"]}]})
    messages = _with_results(messages, [_result_part(result) for result in fields.get("tool_results") or []])
    parts: list[JSON] = [{"type": "text", "text": fields["prompt"]}] if fields.get("prompt") else []
    parts += [{"type": "attachment", "attachment": attachment} for attachment in fields.get("attachments") or []]
    return messages + ([{"role": "user", "parts": parts}] if parts else [])


def _with_results(messages: list[JSON], results: list[JSON]) -> list[JSON]:
    if not results:
        return list(messages)
    if messages and messages[-1]["role"] == "tool":
        return messages[:-1] + [{**messages[-1], "parts": messages[-1]["parts"] + results}]
    return messages + [{"role": "tool", "parts": results}]


def _add(sum: JSON, usage: JSON) -> None:
    for name, value in usage.items():
        if isinstance(value, dict):
            _add(sum.setdefault(name, {}), value)
        elif isinstance(value, int) and not isinstance(value, bool):
            sum[name] = sum.get(name, 0) + value


def _schema(function: Callable[..., Any]) -> JSON:
    """The JSON Schema of what a function takes."""
    try:
        hints = typing.get_type_hints(function)
    except NameError:
        hints = {}
    properties, required = {}, []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in ("self", "llm_tool_call") or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        properties[name] = _type_schema(hints.get(name, str))
        if parameter.default is parameter.empty:
            required.append(name)
        else:
            properties[name]["default"] = parameter.default
    schema: JSON = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return schema


def _type_schema(hint: Any) -> JSON:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is Union or type(hint).__name__ == "UnionType":
        return {"anyOf": [_type_schema(argument) for argument in arguments]}
    if (origin or hint) in (list, tuple, set):
        return {"type": "array", **({"items": _type_schema(arguments[0])} if arguments else {})}
    if (origin or hint) is dict:
        return {"type": "object"}
    names = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
    return {"type": names[hint]} if hint in names else {}


def _default_path() -> str:
    path, runtime = os.environ.get("BULKHEAD_SOCKET"), os.environ.get("XDG_RUNTIME_DIR")
    if path:
        return path
    own, system = f"{runtime}/bulkhead.sock", "/run/bulkhead.sock"
    return own if runtime and os.geteuid() != 0 and (os.path.exists(own) or not os.path.exists(system)) else system
