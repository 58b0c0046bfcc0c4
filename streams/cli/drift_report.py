"""What `edgewise drift compare` prints."""

from collections.abc import Sequence
from typing import Any

from streams.cli.table import aligned
from streams.monitoring.drift import ASPECTS, LEAST_EVENTS, OF_ANSWERS, Aspect, Reference, drift, moved
from streams.monitoring.window import Window
from streams.system.clock import iso

_SHOWN = 3
"""Categories of an aspect in the table; JSON has all."""


def as_dict(reference: Reference, window: Window) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "reference": {
            "since": iso(reference.since_ms),
            "until": iso(reference.until_ms),
            "events": reference.events,
            "models": sorted(reference.models),
            "policies": sorted(reference.policies),
        },
        "since": iso(window.start),
        "until": iso(window.end),
        "events": window.events,
        "not_in_reference": reference.strangers(window),
        "drift": {aspect: _aspect(reference, window, aspect) for aspect in ASPECTS},
    }


def as_text(reference: Reference, window: Window) -> str:
    """What is compared, a line an aspect, and what is not known, and why."""
    lines = [
        f"reference: {reference.events:,} events from {iso(reference.since_ms)} to {iso(reference.until_ms)}",
        f"now: {window.events:,} events from {iso(window.start)} to {iso(window.end)}",
        "",
        *aligned(
            ("aspect", "distance", "interval", "what moved most, before and now"),
            *(_row(reference, window, aspect) for aspect in ASPECTS),
        ),
    ]
    if window.events < LEAST_EVENTS:
        lines += ["", f"of fewer than {LEAST_EVENTS} events nothing is said: take a longer time"]
    elif strangers := reference.strangers(window):
        lines += ["", no_reference_fits(strangers)]
    return "\n".join(lines)


def no_reference_fits(strangers: Sequence[str]) -> str:
    """Why drift of answers is not known."""
    return (
        f"no reference fits {' and '.join(sorted(OF_ANSWERS))}: {', '.join(strangers)} answered, of which it knows "
        "nothing; once they have answered for a while, make a new one with `edgewise drift freeze`"
    )


def _aspect(reference: Reference, window: Window, aspect: Aspect) -> dict[str, Any]:
    found = drift(reference, window, aspect)
    return {
        "distance": None if found is None else found.value,
        "interval": None if found is None else [found.low, found.high],
        "moved": [each._asdict() for each in moved(reference, window, aspect)],
    }


def _row(reference: Reference, window: Window, aspect: Aspect) -> tuple[str, ...]:
    found = drift(reference, window, aspect)
    told = ", ".join(
        f"{each.name} {each.before:.1%} {each.now:.1%}" for each in moved(reference, window, aspect)[:_SHOWN]
    )
    if found is None:
        return aspect, "unknown", "", told
    return aspect, f"{found.value:.4f}", f"{found.low:.4f}-{found.high:.4f}", told
