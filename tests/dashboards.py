"""Grafana's dashboards, and the queries in them."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.kafka.kafka_server import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "grafana"
DASHBOARDS: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text()) for file in sorted((FOLDER / "dashboards").glob("*.json"))
}


class Query(NamedTuple):
    """A panel's query, and where it stands."""

    dashboard: str
    panel: str
    expr: str


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each panel that shows something, with its dashboard."""
    for name, dashboard in DASHBOARDS.items():
        yield from ((name, panel) for panel in dashboard["panels"] if panel["type"] != "row")


def queries() -> list[Query]:
    """All of them, as they are written."""
    return [Query(name, panel["title"], target["expr"]) for name, panel in panels() for target in panel["targets"]]
