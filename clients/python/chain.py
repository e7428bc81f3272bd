"""A chain of tool calls with nothing but a socket: python3 chain.py "When is high water in Cuxhaven?" """
import json, os, socket, struct, sys

def high_water(harbour):
    return {"Cuxhaven": ["03:12", "15:40"]}.get(harbour, [])
FUNCTIONS = {"high_water": high_water}
SCHEMA = {"type": "object", "properties": {"harbour": {"type": "string"}}, "required": ["harbour"]}
REQUEST = {"prompt": sys.argv[-1], "tools": [{"name": "high_water", "input_schema": SCHEMA}]}

def run(call):
    try:
        value = FUNCTIONS[call["name"]](**call["arguments"])
        return {"output": value if isinstance(value, str) else json.dumps(value)}
    except Exception as error:
        return {"output": f"Error: {error}", "exception": f"{type(error).__name__}: {error}"}
def send(frame):
    payload = json.dumps(frame).encode()
    daemon.sendall(struct.pack(">I", len(payload)) + payload)
daemon = socket.socket(socket.AF_UNIX)
daemon.connect(os.environ.get("BULKHEAD_SOCKET", "/run/bulkhead.sock"))
stream, calls, frame = daemon.makefile("rb"), {}, {"id": None}
send({"id": 0, "op": "chain", **REQUEST})
while not (frame["id"] == 0 and frame["event"] in ("done", "error")):
    frame = json.loads(stream.read(*struct.unpack(">I", stream.read(4) or sys.exit("the daemon is gone"))))
    print(end=frame["text"] if frame["event"] == "text" else "", flush=True)
    calls.update({frame["tool_call_id"]: frame} if frame["event"] == "tool_call" else {})
    for id in frame.get("pending", []):
        send({"id": id, "op": "tool_result", "target": 0, "tool_results": [{"tool_call_id": id, **run(calls[id])}]})
sys.exit(frame.get("error", {}).get("message"))
