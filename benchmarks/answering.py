"""A server that reads a request and answers 204: what HTTP alone costs, with the options of `edgewise ingest`."""

import asyncio
import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.config.settings import Settings
from streams.ingest.protocol import options


async def _answer(request: Request) -> Response:
    await request.body()
    return Response(status_code=204)


def main() -> None:
    """Serves until it is ended; its port is printed to standard error, as `edgewise ingest` does."""
    application = Starlette(routes=[Route("/v1/events", _answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(application, **options(Settings().ingest_connections)))
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening at http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    asyncio.run(server.serve([listener]))


if __name__ == "__main__":
    main()
