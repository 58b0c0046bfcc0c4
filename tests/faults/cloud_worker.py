"""The real worker, through its own command line, whose cloud agent asks `tests.faults.broken_scoring`.

python -m tests.faults.cloud_worker worker cloud
"""

import os
import sys
from pathlib import Path

from models.artifact import Artifact
from models.backends.onnx_process import OnnxProcessBackend
from streams.cli.main import main
from streams.config import backends
from tests.faults.orders import FOLDER


def mood_file(folder: Path) -> Path:
    """What all scoring processes of a line read their mood from."""
    return folder / "cloud-mood"


class Backend(OnnxProcessBackend):
    """Asks the process that may be told to misbehave."""

    def __init__(
        self, artifact: Artifact, *, order: Path, threads: int = 1, token_budget: int = 256, price_usd: float = 0.0
    ) -> None:
        super().__init__(artifact, threads=threads, token_budget=token_budget, price_usd=price_usd)
        arguments = self._command[self._command.index("models.backends.scoring_process") + 1 :]
        self._command = (sys.executable, "-P", "-m", "tests.faults.broken_scoring", str(order), *arguments)


def _backend(artifact: Artifact, *, threads: int, token_budget: int, price_usd: float) -> Backend:
    order = mood_file(Path(os.environ[FOLDER]))
    return Backend(artifact, order=order, threads=threads, token_budget=token_budget, price_usd=price_usd)


if __name__ == "__main__":
    vars(backends)["OnnxProcessBackend"] = _backend
    main()
