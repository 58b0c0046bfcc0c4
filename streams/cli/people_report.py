"""Accuracy by people's labels, in words and as JSON."""

from collections.abc import Iterator
from typing import Any

from streams.cli.table import aligned
from streams.monitoring.people import BY, PeopleAccuracy
from streams.monitoring.share import Share


def accuracy_lines(found: PeopleAccuracy) -> Iterator[str]:
    """A table: all labelled events that were answered, then by route, role and model; nothing where there is none."""
    if not found.total.trials:
        return
    rows = [("all", found.total)]
    rows += [(f"{by} {name}", share) for by in BY for name, share in found.by[by].items()]
    yield from aligned(("accuracy by people's labels", "right", "interval", "of"), *map(_row, rows))
    if found.mean_confidence is not None:
        low, high = found.total.limits
        verdict = "within" if low <= found.mean_confidence <= high else "outside"
        yield f"mean confidence in the same answers: {found.mean_confidence:.4f}, {verdict} that interval"


def accuracy_dict(found: PeopleAccuracy) -> dict[str, Any]:
    """The same as JSON has it."""
    parts = {f"by_{by}": {name: _share_dict(share) for name, share in found.by[by].items()} for by in BY}
    return {**_share_dict(found.total), "mean_confidence": found.mean_confidence, **parts}


def _share_dict(share: Share) -> dict[str, Any]:
    return {"accuracy": share.value, "interval": list(share.limits), "right": share.successes, "of": share.trials}


def _row(named: tuple[str, Share]) -> tuple[str, ...]:
    name, share = named
    low, high = share.limits
    return name, f"{share.value:.4f}", f"{low:.4f}-{high:.4f}", f"{share.trials:,}"
