"""A server that answers as it is told to and notes what it was asked, on a port of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """One request."""

    path: str
    body: Any
    token: str | None


class ContractServer:
    """`answers` are given in turn, the last one for ever: a status, and JSON or bytes."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.answers, self.asked = [*answers], list[Asked]()
        self.url = ""

    @contextmanager
    def listening(self) -> Iterator[ContractServer]:
        """Listen on a free port while the block runs."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                ours.asked.append(Asked(self.path, body, self.headers["Authorization"]))
                many = len(ours.answers) > 1
                code, answer = ours.answers.pop(0) if many else ours.answers[0]
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", f"{ours.url}/elsewhere")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
