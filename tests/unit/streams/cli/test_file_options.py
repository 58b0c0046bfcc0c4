"""The options of `score` and `replay` that are about vendors' files."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.errors import UsageError
from streams.cli import main as cli
from streams.cli.file_options import vendor
from tests.tiny_artifact import tiny_artifact
from tests.vendor_objects import vendor_object


def test_options_become_what_a_file_does_not_say(tmp_path: Path) -> None:
    mapping = tmp_path / "acme.toml"
    mapping.write_text('source = "acme"\n[turn]\neach = "t"\ntext = "x"\n', encoding="utf-8")
    said = vendor(mapping, ["spk_0=agent"], "2026-01-05T09:55:14Z")
    assert said.mapping is not None
    assert said.mapping.source == "acme"
    assert (said.roles, said.base_ms) == ({"spk_0": "agent"}, 1_767_606_914_000)
    assert vendor(None, None).mapping is None


def test_options_that_are_wrong_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--mapping .*none\.toml: No such file"):
        vendor(tmp_path / "none.toml", None)
    (tmp_path / "latin.toml").write_bytes(b"\xe9")
    with pytest.raises(UsageError, match=r"--mapping .*latin\.toml: not UTF-8"):
        vendor(tmp_path / "latin.toml", None)
    with pytest.raises(UsageError, match="--time-base soon: a time that is neither ISO 8601"):
        vendor(None, None, "soon")
    with pytest.raises(UsageError, match="--time-base: give a time"):
        vendor(None, None, " ")
    with pytest.raises(UsageError, match="--role-map spk_0: give WHO=ROLE"):
        vendor(None, ["spk_0"])


def test_score_reads_a_vendors_file_and_says_what_it_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_EDGE_MODEL", str(tiny_artifact(tmp_path, "edge")))
    path = tmp_path / "call.json"
    path.write_text(json.dumps(vendor_object("contact-lens")), encoding="utf-8")
    done = CliRunner().invoke(cli.app, ["score", str(path), "--model", "edge", "--role-map", "AGENT=bot"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["text"], row["role"]) for row in rows] == [("Good morning.", "bot"), ("Hi, [ID] here.", "customer")]
    assert {"sentiment", "route"} <= rows[0].keys()
    assert done.stderr.splitlines()[:2] == ["edgewise: left out, as no turns: 1 blank", "2 of 2 rows scored"]
