"""Which time, and which recorded decisions, the options of a command ask for."""

from schemas.errors import UsageError
from streams.config.settings import Settings
from streams.monitoring.decisions import Decisions
from streams.operate.consume import Start
from streams.operate.decisions import recorded_decisions, topic_decisions
from streams.operate.moment import EXAMPLES, parse_moment
from streams.system.clock import now_ms


def read_decisions(settings: Settings, file: str | None, start_at: str | None, until: str | None) -> Decisions:
    """The decisions in `file`, or in the topic where it is None, recorded from `start_at` on and before `until`.

    Raises UsageError: a time is none, or nothing is there; RecordingError; what reading the topic raises.
    """
    since_ms = None if start_at is None else moment("--from", start_at)
    until_ms = None if until is None else moment("--until", until)
    if file is None:
        return topic_decisions(settings, Start(since_ms=since_ms), until_ms)
    return recorded_decisions(file, since_ms, until_ms)


def moment(option: str, text: str) -> int:
    """The time that `option` gives as `text`, UTC ms. Raises UsageError: it is none."""
    try:
        return parse_moment(text, now_ms)
    except ValueError:
        raise UsageError(f"{option} {text}: give a time such as {EXAMPLES}") from None
