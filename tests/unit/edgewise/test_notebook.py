"""The notebook in `examples/` runs, and its outputs are those that are kept with it."""

import contextlib
import io
import json
import warnings
from dataclasses import replace

import pytest

from schemas.topics import SENTIMENT
from streams.config.settings import Settings
from tests.kafka.kafka_server import REPOSITORY
from tests.produced import produce, sentiment

NOTEBOOK = REPOSITORY / "examples" / "edgewise.ipynb"


def code_cells() -> list[tuple[str, str]]:
    """The source of each cell with code, and the output that is kept with it."""
    cells = [cell for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    return [
        ("".join(cell["source"]), "".join(text for output in cell["outputs"] for text in output["text"]))
        for cell in cells
    ]


def test_the_notebook_does_what_it_shows(line: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    produce(line, SENTIMENT, *(replace(sentiment(n), label="negative", conversation_id="c1") for n in range(3)))
    for name in ("edge_model", "cloud_model", "confidence_threshold", "random_cloud_rate"):
        monkeypatch.delenv(f"EDGEWISE_{name.upper()}")  # it shows the models that come along
    monkeypatch.chdir(NOTEBOOK.parent)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for number, (source, kept) in enumerate(code_cells(), 1):
        shown = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stdout(shown):
            warnings.simplefilter("error")
            exec(compile(source, f"{NOTEBOOK.name}, cell {number}", "exec"), namespace)  # noqa: S102
        of_a_line = "events(" in source  # what that cell shows depends on the line
        assert shown.getvalue() == ("[('c1', 3)]\n" if of_a_line else kept)
