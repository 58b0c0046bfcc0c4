"""What a candidate answered on live traffic, beside what was published: read from the topics."""

from schemas.errors import UsageError
from schemas.topics import ROUTING_EVENTS, SHADOW
from streams.config.settings import Settings
from streams.monitoring.comparison import Answers, Comparison
from streams.operate.consume import Start, decoded
from streams.operate.labels import label_records


def compare_live(settings: Settings, start: Start, until_ms: int | None, candidate: str | None = None) -> Comparison:
    """The comparison on the events in `shadow` and `routing-events` from `start` on, made before `until_ms`.

    `candidate` is `name@version`; None: the last one in `shadow`. Raises UsageError: no event was answered by both; and
    what `consume.records` raises.
    """
    answers = Answers()
    for result in decoded(settings, SHADOW, start):
        if until_ms is None or result.scored_at < until_ms:
            answers.add_shadow(result)
    for event in decoded(settings, ROUTING_EVENTS, start):
        if until_ms is None or event.recorded_at < until_ms:
            answers.add_routing(event)
    for label in label_records(settings):
        answers.add_label(label.event_id, label.label)
    found = answers.comparison(candidate)
    if found is None:
        raise UsageError(
            f"no event in {settings.topic(SHADOW)} was answered by {candidate or 'a candidate'} and by the model in "
            "force, in this time: is `edgewise worker shadow` running, and has it caught up?"
        )
    return found
