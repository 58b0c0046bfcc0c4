"""The text has the document's words and figures, and no value of it is a mark."""

from streams.web.document import Chart, Document, Section, Series, Table
from streams.web.markdown import as_markdown
from streams.web.report_document import report_document
from tests.reports import HOSTILE, report, state

CHART = Chart("cost", "rises", ["a"], [Series("s", [1.0])], written=str)


def test_sections_tables_and_no_charts() -> None:
    table = Table("All", ("name", "n", "why"), [("low_confidence", "3", "a|b\nc")], frozenset({2}))
    assert as_markdown(Document("T", ["Lead."], [Section("Part_", [CHART, table])])) == (
        "# T\n\nLead.\n\n## Part\\_\n\n**All**\n\n| name | n | why |\n| :-- | --: | :-- |\n"
        "| low_confidence | 3 | a\\|b c |\n"
    )


def test_an_id_stays_in_its_cell() -> None:
    text = as_markdown(report_document(report(state(HOSTILE, 0.99))))
    [line] = [line for line in text.splitlines() if "alert('" in line]
    assert line.startswith("| \\<script\\>alert('a\\|b')\\</script\\>\"\\&\\_\\*\\` | 0.99 | open |")
