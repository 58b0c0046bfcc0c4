"""docs/ingest.md shows what `edgewise inspect` says of ten strange files, word for word."""

from docs.make_inspections import FILES, section
from tests.docs.pages import REPOSITORY


def test_the_page_shows_the_inspections_of_ten_files() -> None:
    """Seen to fail with a word of an inspection changed. `docs/make_inspections.py` prints what should stand there."""
    assert len(FILES) == 10
    assert section() in (REPOSITORY / "docs" / "ingest.md").read_text("utf-8")
