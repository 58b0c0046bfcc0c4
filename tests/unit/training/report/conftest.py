"""What a report says of a made-up run."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.made_up_run import made_up_run
from training.report import aims, report


@pytest.fixture
def collected(tmp_path: Path) -> dict[str, Any]:
    return report.collect(made_up_run(tmp_path / "run"), aims.read(aims.SHIPPED))
