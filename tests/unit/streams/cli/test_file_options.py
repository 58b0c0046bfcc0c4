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


def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.app, [*arguments], input=stdin)
    return done.exit_code, done.stdout, done.stderr


def test_a_file_is_inspected_and_the_exit_code_says_whether_replay_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("id;text;at\r\n1;hello;46022.4\r\n", encoding="utf-16")
    code, said, _ = run("inspect", str(path))
    assert code == 1
    assert "csv (semicolons), UTF-16-LE" in said
    assert "--time-format excel" in said
    code, said, _ = run("inspect", str(path), "--time-format", "excel", "--role-map", "x=agent")
    assert code == 0
    assert "1 of itself, turn 1, unknown, 2025-12-31T09:36:00Z: hello" in said
    code, said, _ = run("inspect", "-", stdin=b'{"text": "a"}\n{"text": ')
    assert code == 1
    assert said.startswith("-: jsonl, UTF-8\n  1 events")


def test_score_skips_rows_reads_an_encoding_and_prints_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_EDGE_MODEL", str(tiny_artifact(tmp_path, "edge")))
    path = tmp_path / "calls.csv"
    path.write_bytes("id,role,text\n1,customer,café\n2,agent\n3,agent,fine\n1,customer,again\n".encode("cp1252"))
    with pytest.raises(UsageError, match=r"line 2: not UTF-8"):
        CliRunner().invoke(cli.app, ["score", str(path), "--model", "edge"], catch_exceptions=False)
    output = tmp_path / "out.jsonl"
    options = ["--encoding", "cp1252", "--on-error", "skip", "--summary", "-o", str(output)]
    code, said, told = run("score", str(path), "--model", "edge", *options)
    assert code == 0
    assert [json.loads(line)["text"] for line in output.read_text().splitlines()] == ["café", "fine", "again"]
    assert [line.split()[:3] for line in said.splitlines()] == [
        ["role", "rows", "scored"], ["agent", "1", "1"], ["customer", "2", "2"], ["all", "3", "3"],
    ]  # fmt: skip
    assert "1 rows could not be read\n  line 3: 2 cells, where the header has 3\n" in told
    assert "1 rows have the id of an earlier one" in told
