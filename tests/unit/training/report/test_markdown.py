"""Figures and tables as Markdown."""

from training.report import markdown


def test_tables_align_numbers_to_the_right_and_keep_bars_in_their_cells() -> None:
    assert markdown.table(["what", "n"], [["a|b", "1,234"], ["c", "–"]]).splitlines() == [
        "| what | n |",
        "| --- | ---: |",
        "| a\\|b | 1,234 |",
        "| c | – |",
    ]
