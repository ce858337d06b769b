"""A telephone vendor's interface on this machine: Tencent NPP's shape, over a real socket.

It keeps bindings as the vendor would and checks each request's signature with its own reckoning.
"""

import hashlib
import hmac
import json
import re
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ID, KEY, APP = "AKIDexample", "a secret that is not told", "app-7"
X = "008617013541251"


@dataclass
class Vendor:
    """`answers`: what to say instead, to the next requests of an action; `slow`: seconds."""

    url: str
    bound: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    slow: float = 0

    def report(self, url: str, context: ssl.SSLContext | None = None, **said: str) -> int:
        """Push the record of a call that has ended to an address; the status of the answer."""
        numbers = {"src": X, "dst": X, "dstVirtualNum": X, "endCallTime": "1772460000"}
        body = json.dumps({"appId": APP, **numbers, **said}).encode()
        headers = {"Content-Type": "application/json;charset=utf-8;", "Accept": "application/json;"}
        asked = urllib.request.Request(url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=10, context=context) as answer:
                assert answer.read() == b""
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    def answer(self, action: str, body: dict[str, str]) -> dict[str, Any]:
        self.asked.append((action, body))
        if body.get("BizAppId") != APP:
            return {"ErrorCode": "101", "Msg": "no such application"}
        match action:
            case "GetVirtualNum":
                name = f"bind-{len(self.asked)}"
                self.bound[name] = body
                return {"ErrorCode": "0", "BindId": name, "VirtualNum": X, "RefNum": "1"}
            case "CreateCallBack":
                return {"ErrorCode": "0", "CallId": "call-1", "Msg": "ok"}
            case "DelVirtualNum":
                if self.bound.pop(body["BindId"], None) is None:
                    return {"ErrorCode": "107", "Msg": "not bound"}
                return {"ErrorCode": "0", "RefLeftNum": "0"}
        return {"Error": {"Code": "InvalidAction", "Message": action}}


def _signed(headers: Any, body: bytes) -> bool:
    given = re.fullmatch(
        r"TC3-HMAC-SHA256 Credential=([^/]+)/([^/]+)/([^/]+)/tc3_request, "
        r"SignedHeaders=content-type;host, Signature=([0-9a-f]{64})",
        headers["Authorization"],
    )
    stamp = headers["X-TC-Timestamp"]
    if given is None or given[1] != ID or abs(time.time() - int(stamp)) > 300:
        return False
    asked = (
        f"POST\n/\n\ncontent-type:{headers['Content-Type']}\nhost:{headers['Host']}\n\n"
        f"content-type;host\n{hashlib.sha256(body).hexdigest()}"
    )
    text = (
        f"TC3-HMAC-SHA256\n{stamp}\n{given[2]}/{given[3]}/tc3_request\n"
        f"{hashlib.sha256(asked.encode()).hexdigest()}"
    )
    key = b"TC3" + KEY.encode()
    for part in (given[2], given[3], "tc3_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(key.hex(), given[4])


@contextmanager
def vendor() -> Iterator[Vendor]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            action = self.headers["X-TC-Action"]
            if here.slow:
                ended.wait(here.slow)
            if not _signed(self.headers, body) or self.headers["X-TC-Version"] != "2019-08-23":
                wrong = {"Error": {"Code": "AuthFailure.SignatureFailure", "Message": "wrong"}}
                self.say(200, json.dumps({"Response": wrong}).encode())
            elif action in here.answers:
                here.asked.append((action, json.loads(body)))
                self.say(*here.answers[action])
            else:
                said = here.answer(action, json.loads(body))
                self.say(200, json.dumps({"Response": {**said, "RequestId": "r"}}).encode())

        def say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Vendor(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield here
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
