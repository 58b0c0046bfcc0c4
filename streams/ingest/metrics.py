"""Prometheus metrics of the HTTP door."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_EVENTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

REQUESTS: Final = Counter("edgewise_ingest_requests", "Requests answered.", ["path", "status"])
REQUEST_SECONDS: Final = Histogram(
    "edgewise_ingest_request_seconds", "From a request's headers to its answer.", ["path"], buckets=_SECONDS
)
EVENTS: Final = Counter(
    "edgewise_ingest_events", "Events that came in: new, or repeated, which made no second one.", ["path", "outcome"]
)
LEFT_OUT: Final = Counter("edgewise_ingest_left_out", "What in vendors' requests was no turn.", ["path", "why"])
REFUSED: Final = Counter("edgewise_ingest_refused", "Requests without a valid token or signature.", ["path", "why"])
MALFORMED: Final = Counter("edgewise_ingest_malformed", "Connections that spoke no HTTP.")
LATE: Final = Counter("edgewise_ingest_late", "Connections ended because the client took too long.", ["doing"])
TRANSACTION_EVENTS: Final = Histogram(
    "edgewise_ingest_transaction_events", "Events of a transaction, repeated ones among them.", buckets=_EVENTS
)
TRANSACTION_SECONDS: Final = Histogram(
    "edgewise_ingest_transaction_seconds", "From the begin of a transaction to its commit.", buckets=_SECONDS
)
FAILURES: Final = Counter("edgewise_ingest_failures", "Transactions that failed; their events were tried again.")
WAITING: Final = Gauge("edgewise_ingest_waiting_events", "Events that wait for a transaction.")
