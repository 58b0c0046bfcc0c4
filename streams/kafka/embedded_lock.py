"""Transactions on the embedded broker take turns; on Kafka they run side by side.

tansu 0.6.0 holds a commit back while another transaction that touches the same partition is open, and now and then
never completes it: what was committed stays invisible, and the line stands still. That broker is of this machine alone,
so a lock file keeps the transactions of all its workers apart. The kernel frees it when a worker dies.
"""

import fcntl
import os
import re
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

from streams.config.settings import Settings
from streams.kafka.client import cluster_metadata

EMBEDDED_CLUSTER_ID = "tansu_cluster"


def turns(settings: Settings) -> AbstractContextManager[None]:
    """To be entered around each transaction, one after another.

    Raises BrokerUnreachableError when no broker answers.
    """
    if str(cluster_metadata(settings).cluster_id) != EMBEDDED_CLUSTER_ID:
        return nullcontext()
    name = re.sub(r"[^0-9A-Za-z.]+", "-", settings.bootstrap_servers)
    return _Lock(Path(tempfile.gettempdir()) / f"edgewise-{os.getuid()}-{name}.lock")


class _Lock(AbstractContextManager[None]):
    """A lock among processes; to enter it opens the file, to leave it closes it, which frees the lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> None:
        file = self._path.open("a")
        fcntl.flock(file, fcntl.LOCK_EX)
        self._file = file

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
