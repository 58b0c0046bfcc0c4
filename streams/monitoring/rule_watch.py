"""How each rule stands as time goes on: what it measures, whether it misses its bound, and since when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.records import MonitoringWindow
from schemas.validation import MAX_AHEAD_MS
from streams.monitoring.drift import Reference
from streams.monitoring.health_metrics import Beside, Measured, by_people, limits, measure, value_of
from streams.monitoring.health_rules import HealthRule
from streams.monitoring.people import PeopleLabels
from streams.monitoring.running_total import RunningTotal
from streams.monitoring.share import Share
from streams.monitoring.window import Window

# In catching up, the longest `for` is looked at in so many steps at most.
_STEPS: Final = 60


@dataclass(frozen=True)
class Line:
    """What is known of the line besides its windows."""

    dead_letters: Sequence[int] = ()  # when each was put there, UTC ms
    lags: Mapping[str, int] | None = None  # records that an agent has yet to do, by its name; None: unknown
    people: PeopleLabels | None = None


class KeyedWindow(NamedTuple):
    """A record of `monitoring`."""

    key: bytes
    value: bytes
    record: MonitoringWindow

    @property
    def counted(self) -> int:
        """The routing events in it. A window only grows: of two versions of it the one with more is the later."""
        return self.record.events + self.record.decided + self.record.skipped


class Standing(NamedTuple):
    """How a rule stands at one look."""

    rule: HealthRule
    value: float | None  # None: unknown, or of too few events
    fires: bool  # it misses its bound, and has done so for as long as the rule says
    has_recovered: bool
    agent: str = ""  # the one with the most lag


class RuleWatch:
    """Takes in windows as they come, and says at each look how the rules stand. `now_ms` must not go back.

    What a rule measures is made of the windows that have started since its `window` ago. Where it measures nothing, or
    too few events, it neither fires nor recovers, and what it has missed before does not count.
    """

    def __init__(
        self,
        rules: Sequence[HealthRule],
        decode: Callable[[bytes], MonitoringWindow],
        reference: Reference | None = None,
    ) -> None:
        """`decode` reads a record of `monitoring`; `reference` is what drift is measured against."""
        self._rules = rules
        self._beside = Beside(reference)
        spans = {rule.window for rule in rules if rule.of.source == "windows"}
        self._totals = {span: RunningTotal(decode) for span in spans}
        self._counted: dict[bytes, tuple[int, int]] = {}  # by key: start, events
        self._missed_since: dict[str, int] = {}
        self._begun_ms: int | None = None
        self.for_ms = max((rule.for_ for rule in rules), default=0)
        self.history_ms = max(spans, default=0) + self.for_ms + MAX_AHEAD_MS
        """How far back windows matter to it."""

    def put(self, window: KeyedWindow) -> None:
        """Takes in a window, in the place of an earlier version of it; an older version than the one it has is left."""
        if self._counted.get(window.key, (0, -1))[1] >= window.counted:
            return
        self._counted[window.key] = (window.record.window_start, window.counted)
        self._begun_ms = min(window.record.window_start, self._begun_ms or window.record.window_start)
        for total in self._totals.values():
            total.put(window.key, window.value)

    def catch_up(self, windows: Sequence[KeyedWindow], line: Line, now_ms: int) -> None:
        """Takes in the windows of the time before, and finds out since when rules have missed their bounds.

        It looks at the time of the longest `for` as if it had been there, with the windows as they are now.
        """
        ordered = sorted(windows, key=lambda window: window.record.window_start)
        lengths = [window.record.window_end - window.record.window_start for window in ordered]
        step = max(max(lengths, default=1), self.for_ms // _STEPS, 1)
        taken, at = 0, now_ms - self.for_ms
        for span, total in self._totals.items():
            total.forget_before(at - span)  # so that no total takes in what it would have to take out again
        while at < now_ms:
            while taken < len(ordered) and ordered[taken].record.window_start < at:
                self.put(ordered[taken])
                taken += 1
            if taken:
                letters = [letter for letter in line.dead_letters if letter <= at]  # no later one had come
                self.look(at, Line(letters, people=line.people))
            at += step
        for window in ordered[taken:]:
            self.put(window)

    def look(self, now_ms: int, line: Line) -> list[Standing]:
        """How each rule stands now, in their order."""
        self._begun_ms = now_ms if self._begun_ms is None else self._begun_ms
        for span, total in self._totals.items():
            total.forget_before(now_ms - span)
        oldest = now_ms - max(self._totals, default=0)
        self._counted = {key: held for key, held in self._counted.items() if held[0] >= oldest}
        totals = {span: total.window() for span, total in self._totals.items()}
        return [self._standing(rule, totals, line, now_ms) for rule in self._rules]

    def _standing(self, rule: HealthRule, totals: Mapping[int, Window], line: Line, now_ms: int) -> Standing:
        measured = self._measured(rule, totals, line, now_ms)
        value = value_of(measured)
        if value is None or not _misses(rule, measured):
            self._missed_since.pop(rule.name, None)
            return Standing(rule, value, False, value is not None and rule.has_recovered(value), _slowest(rule, line))
        since = self._missed_since.setdefault(rule.name, now_ms)
        return Standing(rule, value, now_ms - since >= rule.for_, False, _slowest(rule, line))

    def _measured(self, rule: HealthRule, totals: Mapping[int, Window], line: Line, now_ms: int) -> Measured:
        since = now_ms - rule.window
        if rule.of.source == "lag":
            return max(line.lags.values(), default=None) if line.lags is not None else None
        if rule.of.source == "dead letters":
            return sum(since < at <= now_ms + MAX_AHEAD_MS for at in line.dead_letters)
        if rule.metric == "events" and (self._begun_ms is None or self._begun_ms > since):
            return None  # nobody has looked for so long yet
        if rule.of.source == "labels":
            counted = None if line.people is None else by_people(line.people, since, now_ms)
            return counted if counted is not None and counted.trials >= rule.min_events else None
        window = totals[rule.window]
        measured = measure(rule.of, window, self._beside)
        events = measured.trials if isinstance(measured, Share) else window.events
        return measured if events >= rule.min_events else None


def _misses(rule: HealthRule, measured: Measured) -> bool:
    """Whether it misses the bound; of what was counted or estimated, whether its limits rule out that it keeps it."""
    if (found := limits(measured)) is not None:
        return rule.misses(found[1] if rule.at_least is not None else found[0])
    value = value_of(measured)
    return value is not None and rule.misses(value)


def _slowest(rule: HealthRule, line: Line) -> str:
    if rule.of.source != "lag" or not line.lags:
        return ""
    return max(line.lags, key=lambda agent: line.lags[agent] if line.lags else 0)
