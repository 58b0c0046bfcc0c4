"""The real worker, through its own command line, whose cloud agent asks `tests.faults.broken_scoring`.

python -m tests.faults.cloud_worker worker cloud
"""

import os
import sys
from pathlib import Path
from typing import Any

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

    def __init__(self, artifact: Artifact, *, order: Path, **options: Any) -> None:
        super().__init__(artifact, **options)
        arguments = self._command[self._command.index("models.backends.scoring_process") + 1 :]
        self._command = (sys.executable, "-P", "-m", "tests.faults.broken_scoring", str(order), *arguments)


def _backend(artifact: Artifact, **options: Any) -> Backend:
    return Backend(artifact, order=mood_file(Path(os.environ[FOLDER])), **options)


if __name__ == "__main__":
    vars(backends)["OnnxProcessBackend"] = _backend
    main()
