"""The card of an escalation model (Mitchell et al. 2019): what it is for, how good it is, where it fails."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.escalation import FEATURES
from training.report.markdown import number, percent, table

_AFTER = {"0.25": "a quarter", "0.5": "half", "1": "all"}


def text(described: Mapping[str, Any]) -> str:
    """The card as Markdown, from what stands in the model's file."""
    return "\n\n".join([*_summary(described), *_figures(described["metrics"]), *_limits(described)]) + "\n"


def _summary(described: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Model card: {described['name']}@{described['version']}"
    yield (
        "The risk, from 0 to 1, that a conversation ends badly for the customer, from the sentiment of its turns so "
        f"far: a logistic regression on {len(described['features'])} figures. Fitted on {described['calls']:,} calls "
        f"that people labelled, {described['negative']:,} of them negative; their turns were scored by "
        f"{described['edge_model']}. Each call was learned from after a quarter, half, three quarters and all of its "
        "turns."
    )
    rows = [
        (f"`{name}`", _first_sentence(name), number(weight["coefficient"], 2), number(weight["mean"], 2))
        for name, weight in described["features"].items()
    ]
    yield table(("feature", "what it is", "log-odds a standard deviation", "mean"), rows)


def _first_sentence(name: str) -> str:
    return (FEATURES[name].__doc__ or "").split(";")[0].split(". ")[0].strip().rstrip(".")


def _figures(metrics: Mapping[str, Any]) -> Iterator[str]:
    yield "## Figures"
    yield (
        "Area under the ROC curve on calls that the model has not seen (ten folds, five times), in brackets the 95 % "
        "bootstrap interval over the calls. 0.5 is chance."
    )
    ways = ("risk", "last label", "mean so far")
    rows = [(_AFTER[share], *(_with_ends(values[way]) for way in ways)) for share, values in metrics["auc"].items()]
    yield table(("after, of the turns", *ways), rows)
    yield "What the risk is ahead by, on the same draws:"
    rows = [
        (_AFTER[share], *(_with_ends(values[way]) for way in ways[1:])) for share, values in metrics["gain"].items()
    ]
    yield table(("after, of the turns", *(f"of {way}" for way in ways[1:])), rows)
    yield (
        "Alarms: for how many calls, how many of these are negative (precision), and of all negative calls how many "
        "(recall)."
    )
    rows = [
        (_AFTER[share], threshold, percent(raised), percent(precision), percent(recall))
        for share, by_threshold in metrics["alarms"].items()
        for threshold, (raised, precision, recall) in by_threshold.items()
    ]
    yield table(("after, of the turns", "threshold", "alarms", "precision", "recall"), rows)
    if metrics["kinds"]:
        yield "By kind of call, after all turns:"
        rows = [(kind or "–", f"{count:,}", _with_ends(values)) for kind, (count, *values) in metrics["kinds"].items()]
        yield table(("kind", "calls", "risk"), rows)
    for elsewhere in metrics["elsewhere"]:
        yield f"{elsewhere['conversations']:,} other conversations, which nobody labelled ({elsewhere['file']}):"
        yield table(
            ("threshold", "alarms"), [(threshold, percent(share)) for threshold, share in elsewhere["alarms"].items()]
        )


def _limits(described: Mapping[str, Any]) -> Iterator[str]:
    yield "## What it is for, and what not"
    share = described["negative"] / described["calls"]
    yield (
        "To say which conversations a person should look at first. Not to judge a person, agent or customer. What was "
        "learned is a label that people gave to whole calls, not that a customer asked for a supervisor or left: "
        f'"escalation" is what it stands for here. {percent(share)} of the calls are negative, which is far more than '
        "in most traffic: the ranking carries over, the value of the risk less. Set the threshold by how many alarms "
        "can be looked at, and fit the model on calls of your own: `edgewise train escalation`."
    )


def _with_ends(values: Sequence[float]) -> str:
    value, low, high = values
    return f"{number(value)} ({number(low)} to {number(high)})"
