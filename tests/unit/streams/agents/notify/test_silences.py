"""Nobody is told of what is silenced."""

from tests.alerts import NOON, alert
from tests.notify_lines import FAILED, TAKEN, Line


def test_nobody_is_told_of_what_is_silenced(line: Line) -> None:
    line.hear(alert(silenced=True))
    line.turn(3)
    line.hear(alert(over=True, silenced=True))
    line.turn(3)
    assert line.received == []
    line.hear(alert(firing=2, silenced=True))
    line.turn(3)
    line.hear(alert(firing=2))
    line.turn(3)
    assert line.told() == [("edge_share-2", "firing")]


def test_the_end_of_what_was_told_is_told_though_it_is_silenced(line: Line) -> None:
    """Else an incident would stay open for good."""
    line.hear(alert())
    line.turn()
    line.hear(alert(silenced=True))
    line.hear(alert(over=True, silenced=True))
    line.turn(3)
    assert line.told() == [("edge_share-1", "firing"), ("edge_share-1", "resolved")]


def test_what_is_silenced_while_it_waits_is_not_sent(line: Line) -> None:
    line.answers["own"] = [FAILED]
    line.hear(alert())
    line.turn()
    line.hear(alert(silenced=True))
    line.answers["own"] = [TAKEN]
    line.turn(20)
    assert len(line.received) == 1
    assert line.held() == {}


def test_a_silence_holds_what_its_rule_has_to_tell_until_it_is_over(line: Line) -> None:
    """That of an escalation, say: the agent that writes its alerts knows no silences."""
    line.silence("escalation", 60_000)
    line.hear(alert("escalation", subject="c-1"), alert("escalation", 2, subject="c-2"), alert())
    line.turn(3)
    assert line.told() == [("edge_share-1", "firing")]
    line.hear(alert("escalation", over=True, subject="c-1", resolved_at=NOON))
    line.turn(100)
    assert line.told()[1:] == []
    line.turn(30)
    assert line.told()[1:] == [("escalation-2", "firing")]


def test_a_silence_that_is_ended_is_none_and_what_cannot_be_read_is_none_either(line: Line) -> None:
    line.silence("escalation", 60_000)
    line.silences += [(b"escalation", None), (b"edge_share", b"?")]
    line.hear(alert("escalation"), alert())
    line.turn()
    assert len(line.received) == 2
