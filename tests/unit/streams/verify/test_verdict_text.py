from streams.verify.verdict import LISTED, Verdict
from streams.verify.verdict_text import verdict_json, verdict_lines


def test_a_verdict_with_faults_names_them() -> None:
    verdict = Verdict(events=100, repeated=3)
    for i in range(LISTED + 5):
        verdict.lost.add(f"e{i}")
    lines = verdict_lines(verdict)
    assert "3 events bear an id that had come before" in lines[1]
    assert [line for line in lines if line.startswith("      ")] == [f"      e{i}" for i in range(LISTED)] + ["      …"]
    assert lines[-1] == "NOT verified"
    assert verdict_json(verdict)["lost"] == LISTED + 5
    assert verdict_json(verdict)["verified"] is False
    assert verdict_json(verdict)["first"] == {"lost": [f"e{i}" for i in range(LISTED)]}


def test_truncated_topics_are_named() -> None:
    verdict = Verdict(truncated=["transcripts[0] begins at offset 5"])
    assert "  transcripts[0] begins at offset 5" in verdict_lines(verdict)
    assert verdict_lines(verdict)[-1] == "NOT verified"
