"""What a corpus is made of, as tables."""

from pathlib import Path

from tests.unit.training.own_data import numbered, own, write_csv
from training.data import corpus, statistics
from training.report import corpus_table


def test_the_table_has_a_line_for_each_source_split_and_what_was_left_out(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [*numbered(2), {"text": "the dev text", "label": "neutral"}])
    made = own(tmp_path, train="a.csv", licence="ours alone")
    lines = corpus_table.table(statistics.describe(made, corpus.load(made))).splitlines()
    assert "| ours | domain | 3 | ours alone | - |" in lines
    assert "| ours | domain_train | 3 | 2 | domain_dev 1 |" in lines
    assert "| domain_train | 2 | 0 | 2 | 0 | 3 | 3 | 3 | 13 | 13 | 13 |" in lines
