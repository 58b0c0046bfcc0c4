"""A candidate model beside the one in force, on the same events: who is right, who is sure, who is quick."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.records import LABELS, Label, RoutingEvent, ShadowResult
from streams.monitoring.decisions import DEFERRED, KEPT, SAMPLED, UNANSWERED, group_of
from streams.monitoring.paired import Pairs, Stratum

_NONE: Final = -1
_NUMBER: Final[Mapping[str | None, int]] = {None: _NONE, **{label: number for number, label in enumerate(LABELS)}}

# Event ids are told apart by 64 bits of a hash: of ten million events two are taken for one with a probability of 3e-6.
_KEY_BYTES: Final = 8


class Share(NamedTuple):
    """What one model made of the events that both answered."""

    labels: Mapping[Label, float]  # shares
    confidence: float  # the mean
    deferred: float  # the share that goes, or would go, to the cloud
    inference_ms: Mapping[str, float]  # of an event, by percentile


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of two models that answered the same events; `former` is the one in force."""

    former: str  # name@version
    candidate: str
    events: int  # that both answered
    unpaired: int  # of the candidate's events and of those of the model in force, answered by one of them alone
    left_out: int  # answered by other models
    kept: Stratum  # left on the edge by the policy in force; known: the random sample
    deferred: Stratum  # known: what the cloud answered
    people: Pairs | None  # where people have labelled events
    same: float  # the share with the same label
    of_former: Share
    of_candidate: Share

    @property
    def strata(self) -> tuple[Stratum, Stratum]:
        """The events of which the cloud's answer can be known; rules other than the policy's have kept the rest."""
        return self.kept, self.deferred


class Answers:
    """What both models answered, collected from the topics in columns: some 40 bytes an event.

    Of an event that comes twice (a file that was replayed again) the last answer counts.
    """

    def __init__(self) -> None:
        self._shadow = _Columns("label", "confidence", "deferred", "ms", "model")
        self._edge = _Columns("ms", "model")
        self._done = _Columns("label", "confidence", "deferred", "group", "truth")
        self._people = _Columns("label")
        self._models: dict[str, int] = {}
        self._last: dict[tuple[bool, int], int] = {}  # when a model was last seen: as candidate or not

    def add_shadow(self, result: ShadowResult) -> None:
        """Adds an answer of a candidate."""
        model = self._seen(True, result.model, result.scored_at)
        row = (_NUMBER[result.label], result.confidence, result.route == "cloud", result.inference_ms, model)
        self._shadow.add(result.event_id, row)

    def add_routing(self, event: RoutingEvent) -> None:
        """Adds what the audit trail says of an event."""
        if not event.scored:
            return
        if event.stage == "decided" or (event.route == "edge" and not event.degraded):
            self._edge.add(event.event_id, (event.inference_ms, self._seen(False, event.model, event.recorded_at)))
        if event.stage == "completed":
            group = group_of(event.reason, event.degraded)
            deferred = group in {SAMPLED, DEFERRED, UNANSWERED}
            row = (_NUMBER[event.edge_label], event.edge_confidence, deferred, group, _NUMBER[event.cloud_label])
            self._done.add(event.event_id, row)

    def add_label(self, event_id: str, label: Label) -> None:
        """Adds what a person has called an event."""
        self._people.add(event_id, (_NUMBER[label],))

    def comparison(self, candidate: str | None = None) -> Comparison | None:
        """The comparison of `candidate` (None: of the last one seen) with the last model in force; None: no event.

        Only events that both answered count.
        """
        names = {number: name for name, number in self._models.items()}
        tried = self._models.get(candidate, _NONE) if candidate else self._newest(True)
        running = self._newest(False)
        shadow, edge, done = self._shadow.latest(tried), self._edge.latest(running), self._done.latest()
        rows, keys = _matched(shadow["key"], edge["key"], done["key"])
        if not len(keys):
            return None
        theirs = {name: column[rows[0]] for name, column in shadow.items()}
        ours = {name: column[rows[2]] for name, column in done.items()}
        truth = ours["truth"]
        left = (ours["group"] == KEPT) | (ours["group"] == SAMPLED)
        deferred = (ours["group"] == DEFERRED) | (ours["group"] == UNANSWERED)
        return Comparison(
            former=names[running],
            candidate=names[tried],
            events=len(keys),
            unpaired=len(shadow["key"]) + len(edge["key"]) - 2 * len(keys),
            left_out=self._shadow.others(tried) + self._edge.others(running),
            kept=_stratum(left, truth, ours["label"], theirs["label"]),
            deferred=_stratum(deferred, truth, ours["label"], theirs["label"]),
            people=self._by_people(keys, ours["label"], theirs["label"]),
            same=float((ours["label"] == theirs["label"]).mean()),
            of_former=_share(ours, edge["ms"][rows[1]]),
            of_candidate=_share(theirs, theirs["ms"]),
        )

    def _seen(self, as_candidate: bool, model: str, at: int) -> int:
        number = self._models.setdefault(model, len(self._models))
        key = as_candidate, number
        self._last[key] = max(at, self._last.get(key, at))
        return number

    def _newest(self, as_candidate: bool) -> int:
        times = {number: at for (candidate, number), at in self._last.items() if candidate is as_candidate}
        return max(times, key=lambda number: times[number], default=_NONE)

    def _by_people(self, keys: NDArray[Any], ours: NDArray[Any], theirs: NDArray[Any]) -> Pairs | None:
        people = self._people.latest()
        rows, _ = _matched(people["key"], keys)
        if not len(rows[0]):
            return None
        return _pairs(people["label"][rows[0]], ours[rows[1]], theirs[rows[1]])


class _Columns:
    """Rows of numbers by event, in arrays."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._keys = array("Q")
        self._values = array("f")

    def add(self, event_id: str, row: tuple[float, ...]) -> None:
        digest = blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()
        self._keys.append(int.from_bytes(digest, "little"))
        self._values.extend(row)

    def latest(self, model: int | None = None) -> dict[str, NDArray[Any]]:
        """The columns (of one `model` alone), and `key`, sorted by it; of rows with one key the last."""
        keys, table = self._table()
        if model is not None:
            mine = table[:, self._names.index("model")] == model
            keys, table = keys[mine], table[mine]
        _, back = np.unique(keys[::-1], return_index=True)
        rows = len(keys) - 1 - back
        table = table[rows]
        return {"key": keys[rows]} | {name: table[:, number] for number, name in enumerate(self._names)}

    def others(self, model: int) -> int:
        """How many rows are of another model."""
        return int((self._table()[1][:, self._names.index("model")] != model).sum())

    def _table(self) -> tuple[NDArray[Any], NDArray[Any]]:
        keys, values = (np.array(column) for column in (self._keys, self._values))
        return keys, values.reshape(-1, len(self._names))


def _matched(*keys: NDArray[Any]) -> tuple[list[NDArray[Any]], NDArray[Any]]:
    """Where the keys that all of `keys` have stand in each; and those. Each is sorted, and has no key twice."""
    common = keys[0]
    for each in keys[1:]:
        common = np.intersect1d(common, each, assume_unique=True)
    return [np.searchsorted(each, common) for each in keys], common


def _stratum(flags: NDArray[Any], truth: NDArray[Any], ours: NDArray[Any], theirs: NDArray[Any]) -> Stratum:
    known = flags & (truth != _NONE)
    return Stratum(int(flags.sum()), _pairs(truth[known], ours[known], theirs[known]))


def _pairs(truth: NDArray[Any], ours: NDArray[Any], theirs: NDArray[Any]) -> Pairs:
    former, candidate = ours == truth, theirs == truth
    return Pairs(
        both=int((former & candidate).sum()),
        former=int((former & ~candidate).sum()),
        candidate=int((candidate & ~former).sum()),
        neither=int((~former & ~candidate).sum()),
    )


def _share(columns: Mapping[str, NDArray[Any]], milliseconds: NDArray[Any]) -> Share:
    return Share(
        labels={label: float((columns["label"] == number).mean()) for number, label in enumerate(LABELS)},
        confidence=float(columns["confidence"].mean(dtype=np.float64)),
        deferred=float((columns["deferred"] != 0).mean()),
        inference_ms={f"p{percent}": float(np.percentile(milliseconds, percent)) for percent in (50, 95)},
    )
