"""`edgewise page`: the live page as a process, from its checks to its end."""

import asyncio
import logging
import signal
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import uvicorn

from schemas.topics import ALERTS, CONVERSATIONS, LABELS, MONITORING, ROUTING_EVENTS, TRANSCRIPTS
from streams.config.settings import Settings
from streams.ingest.protocol import options
from streams.ingest.server import Server, address, listening
from streams.kafka.client import Cluster
from streams.kafka.reader import watermarks
from streams.kafka.rights import require_rights
from streams.system.threads import in_daemon_thread
from streams.web.live.access import Access
from streams.web.live.app import Page
from streams.web.live.board import Board

logger = logging.getLogger(__name__)

_CONNECTIONS: Final = 256  # a browser that looks on holds one, and takes another to draw


async def serve(settings: Settings, on_listening: Callable[[int], None] = lambda _port: None) -> None:
    """Serves until SIGTERM or SIGINT. `on_listening` is told the port.

    Raises UsageError: everybody could look, nothing can listen there, a topic is missing, the brokers refuse the login.
    EdgewiseError: no broker answers, a right is missing. TemporaryFileError: what it keeps there could not be written;
    started again, it reads everything again.
    """
    access = Access(settings)
    closing = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, closing.set)
    cluster = Cluster(settings)
    checking = asyncio.create_task(in_daemon_thread(partial(_require_topics, cluster)))
    stopping = asyncio.create_task(closing.wait())
    await asyncio.wait({checking, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not checking.done():
        checking.cancel()
        return
    await checking
    with listening(settings.page_host, settings.page_port, "PAGE") as listener, Board(cluster) as board:
        page = Page(cluster, board, access, closing)
        server = Server(uvicorn.Config(page.application(), **options(_CONNECTIONS)))
        serving = asyncio.create_task(server.serve([listener]))
        lost = asyncio.wrap_future(board.lost)
        logger.info("page: look at %s", address(listener))
        on_listening(listener.getsockname()[1])
        ends: tuple[asyncio.Future[Any], ...] = (serving, stopping, lost)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        closing.set()
        server.should_exit = True
        await serving
        logger.info("page: stops after %d requests", server.server_state.total_requests)
        if lost.done():
            await lost


def _require_topics(cluster: Cluster) -> None:
    """Raises UsageError, AccessError, BrokerUnreachableError: what the page reads is not there to be read."""
    topics: list[str] = [MONITORING, ALERTS, CONVERSATIONS, LABELS, ROUTING_EVENTS]
    if cluster.settings.page_texts == "shown":
        topics.append(TRANSCRIPTS)
    for topic in topics:
        watermarks(cluster, topic)
    require_rights(cluster, "page", {cluster.settings.topic(topic): ["READ"] for topic in topics})
