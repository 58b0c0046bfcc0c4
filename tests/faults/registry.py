"""A schema registry in the process of the tests, as much of one as clients need to write and to read."""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_NOT_FOUND = 404


@contextlib.contextmanager
def schema_registry() -> Iterator[str]:
    """A running registry that accepts every schema; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler([])) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="registry")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _handler(schemas: list[tuple[str, Any]]) -> type[BaseHTTPRequestHandler]:
    """Serves `schemas`, each with its subject; the id of one is its place, from 1."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """The schema with an id."""
            found = re.match(r"/schemas/ids/(\d+)", self.path)
            if found is None or not 1 <= int(found[1]) <= len(schemas):
                self._answer(_NOT_FOUND, {"error_code": 40403, "message": "no such schema"})
            else:
                self._answer(200, {"schema": json.dumps(schemas[int(found[1]) - 1][1]), "schemaType": "AVRO"})

        def do_POST(self) -> None:
            """A schema looked up in its subject (`/subjects/NAME`), or added to it (`/subjects/NAME/versions`)."""
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            path = self.path.partition("?")[0].split("/")
            subject, schema = path[2], json.loads(body["schema"])
            with lock:
                if (subject, schema) not in schemas:
                    if path[-1] != "versions":
                        self._answer(_NOT_FOUND, {"error_code": 40403, "message": "no such schema"})
                        return
                    schemas.append((subject, schema))
                place = schemas.index((subject, schema)) + 1
            version = [each[0] for each in schemas[:place]].count(subject)
            self._answer(200, {"id": place, "subject": subject, "version": version, "schema": body["schema"]})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Says nothing."""

    return Handler
