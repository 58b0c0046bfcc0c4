"""Edgewise from Python: score texts, and read what a line has written.

    import edgewise

    model = edgewise.load("line")  # or "edge", "cloud", or the folder of a model of your own
    model("My bag is lost and nobody answers")  # a Result
    model(["Thanks!", "Where is my bag?"])  # a list of them; a pandas Series does as well

    for result in edgewise.events("sentiment"):  # records of a topic, typed
        print(result.conversation_id, result.label)

This module is all that is meant to be imported; docs/python.md explains it. Settings are those of the command line:
`EDGEWISE_…` variables over `edgewise.toml` over defaults. Errors are subclasses of `EdgewiseError`.
"""

from edgewise.packages import claim

claim("schemas", "recordings", "models", "streams")

from edgewise.reading import events  # noqa: E402 - its imports are to be our own packages
from edgewise.scoring import Model, Result, load  # noqa: E402
from schemas.errors import EdgewiseError, UsageError  # noqa: E402
from schemas.records import (  # noqa: E402
    Alert,
    BudgetLease,
    CloudRequest,
    MonitoringWindow,
    RoutingEvent,
    SentimentResult,
    TranscriptEvent,
)

__all__ = [
    "Alert",
    "BudgetLease",
    "CloudRequest",
    "EdgewiseError",
    "Model",
    "MonitoringWindow",
    "Result",
    "RoutingEvent",
    "SentimentResult",
    "TranscriptEvent",
    "UsageError",
    "events",
    "load",
]
