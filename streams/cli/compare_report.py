"""What `edgewise models compare` prints."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from schemas.records import LABELS
from streams.cli.table import aligned
from streams.monitoring.comparison import Comparison, Share
from streams.monitoring.paired import Pairs, gain, gain_interval, p_value


@dataclass(frozen=True)
class Behaviour:
    """What both models made of the behaviour suite: how many items each has right, and the kinds that fell."""

    former_model: str  # name@version of the one that was run beside the candidate: what the setting edge_model names
    items: int
    former: int
    candidate: int
    falls: Sequence[Mapping[str, Any]]  # `kind`, `items`, `lost`, `won`, `p`, as `training.measure.baseline` tells them


@dataclass(frozen=True)
class Report:
    """Live traffic and the suite, with the confidence of intervals."""

    live: Comparison
    behaviour: Behaviour
    confidence: float

    @property
    def interval(self) -> tuple[float, float]:
        """Of the gain over all events whose truth the cloud can tell."""
        return gain_interval(self.live.strata, self.confidence)

    @property
    def verdict(self) -> str:
        """better, worse, or no difference shown: by the interval of the gain on live traffic alone."""
        low, high = self.interval
        return "better" if low > 0 else "worse" if high < 0 else "no difference shown"

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        live = self.live
        return {
            "candidate": live.candidate,
            "in_force": live.former,
            "events": live.events,
            "unpaired": live.unpaired,
            "left_out": live.left_out,
            "confidence": self.confidence,
            "verdict": self.verdict,
            "gain": gain(live.strata),
            "gain_interval": list(self.interval),
            "kept": {"events": live.kept.events} | _pairs(live.kept.pairs),
            "deferred": {"events": live.deferred.events} | _pairs(live.deferred.pairs),
            "people": None if live.people is None else _pairs(live.people),
            "same_label": live.same,
            "of_candidate": live.of_candidate._asdict(),
            "of_in_force": live.of_former._asdict(),
            "behaviour": asdict(self.behaviour),
        }


def as_text(report: Report) -> str:
    """What live traffic says, then the suite, then the verdict."""
    return "\n".join([*_live(report), "", *_suite(report), "", _verdict(report)])


def _live(report: Report) -> Iterator[str]:
    live = report.live
    yield f"{live.candidate} beside {live.former}, which is in force: {live.events:,} events that both answered"
    if live.unpaired or live.left_out:
        yield f"  ({live.unpaired:,} answered by one of them alone, {live.left_out:,} by other models)"
    yield ""
    rows: list[tuple[str, ...]] = [
        ("right, by", "events", "known", live.former, live.candidate, "gain", "alone right", "p")
    ]
    rows.append(_row("the cloud, of what the edge kept (the random sample)", live.kept.events, live.kept.pairs))
    rows.append(_row("the cloud, of what was deferred", live.deferred.events, live.deferred.pairs))
    if live.people is not None:
        rows.append(_row("people", live.people.known, live.people))
    yield from aligned(*rows)
    low, high = report.interval
    yield ""
    yield (
        f"gain over all of these, each part by its size: {_signed(gain(live.strata))} "
        f"({report.confidence:.0%} interval {_signed(low)} to {_signed(high)}, score test)"
    )
    yield "p: McNemar's exact test, two-sided"
    yield ""
    yield from aligned(
        ("", *LABELS, "confidence", "to the cloud", "ms p50", "ms p95"),
        (live.former, *_cells(live.of_former)),
        (live.candidate, *_cells(live.of_candidate)),
    )
    yield f"the same label for {live.same:.1%}"


def _suite(report: Report) -> Iterator[str]:
    suite = report.behaviour
    yield (
        f"behaviour suite, {suite.items:,} items: {suite.former_model} has {suite.former:,} right, "
        f"{report.live.candidate} {suite.candidate:,}"
    )
    if suite.former_model != report.live.former:
        yield f"  (not {report.live.former}, which is in force: EDGEWISE_EDGE_MODEL names {suite.former_model} here)"
    for fall in suite.falls:
        yield f"  fell: {fall['kind']} lost {fall['lost']} of {fall['items']}, won {fall['won']} (p {fall['p']:.3f})"


def _verdict(report: Report) -> str:
    name = report.live.candidate
    if report.verdict == "no difference shown":
        said = f"Live traffic shows no difference: {name} may be better or worse, more events would tell."
    else:
        said = f"On live traffic {name} is {report.verdict}."
    falls = len(report.behaviour.falls)
    return f"{said} On the behaviour suite it fell in {falls} places." if falls else said


def _row(what: str, events: int, pairs: Pairs) -> tuple[str, ...]:
    if not pairs.known:
        return what, f"{events:,}", "0", "", "", "", "", ""
    return (
        what,
        f"{events:,}",
        f"{pairs.known:,}",
        f"{(pairs.both + pairs.former) / pairs.known:.3f}",
        f"{(pairs.both + pairs.candidate) / pairs.known:.3f}",
        _signed(pairs.gain),
        f"{pairs.former:,} : {pairs.candidate:,}",
        f"{p_value(pairs):.3f}",
    )


def _pairs(pairs: Pairs) -> dict[str, Any]:
    return pairs._asdict() | {"known": pairs.known, "gain": pairs.gain, "p": p_value(pairs)}


def _cells(share: Share) -> list[str]:
    shares = [f"{share.labels[label]:.1%}" for label in LABELS]
    times = [f"{share.inference_ms[percentile]:.2f}" for percentile in ("p50", "p95")]
    return [*shares, f"{share.confidence:.3f}", f"{share.deferred:.1%}", *times]


def _signed(value: float) -> str:
    return f"{value:+.3f}"
