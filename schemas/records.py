"""What the topics carry: a frozen record for each Avro schema, field for field.

Times are UTC milliseconds since the epoch (Avro timestamp-millis), durations are milliseconds, money is US dollars.
Enumerations are plain strings, as Avro decodes them; the allowed symbols are the `Literal` types here and the enums in
the schemas, and a test holds the two equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["unknown", "customer", "agent", "bot", "system"]
Channel = Literal["unknown", "voice", "chat", "email", "social"]
Label = Literal["negative", "neutral", "positive"]
Route = Literal["edge", "cloud"]
Reason = Literal[
    "optimal_edge",
    "high_complexity",
    "low_confidence",
    "random_cloud",
    "cloud_error",
    "sensitive_local",
    "unsupported_language",
    "budget_exhausted",
    "cloud_unavailable",
    "unknown",
    "not_scored",
]
Stage = Literal["completed", "decided"]
CostBasis = Literal["assumed", "measured"]
AlertState = Literal["firing", "resolved"]
Severity = Literal["info", "warning", "critical"]
NotificationStatus = Literal["due", "sending", "sent"]
ConversationStatus = Literal["open", "ended", "timed_out"]

LABELS: tuple[Label, Label, Label] = ("negative", "neutral", "positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptEvent:
    """One turn of a transcript, as ingest and replay write it to `transcripts`."""

    event_id: str
    conversation_id: str
    turn: int
    text: str
    occurred_at: int
    role: Role = "unknown"
    channel: Channel = "unknown"
    language: str | None = None  # BCP 47
    source: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    last: bool = False  # the conversation's last turn, where the source knows it


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentResult:
    """The answer for one event that was scored, on `sentiment`: what downstream teams consume.

    `reason` is why the event took its route; a degraded result has route `edge` and a reason that says why the cloud
    did not answer.
    """

    event_id: str
    conversation_id: str
    turn: int
    label: Label
    confidence: float
    negative: float
    neutral: float
    positive: float
    route: Route
    reason: Reason
    degraded: bool
    model: str  # name@version
    occurred_at: int
    scored_at: int
    role: Role = "unknown"
    channel: Channel = "unknown"
    language: str | None = None  # BCP 47, from the event or detected
    source: str = ""
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudRequest:
    """An event that the edge forwards to `cloud-inference`, with the edge's answer to fall back on."""

    event_id: str
    conversation_id: str
    turn: int
    text: str
    occurred_at: int
    language: str | None
    ingested_at: int  # when Kafka took the transcript event: where end-to-end latency starts
    requested_at: int
    reason: Reason
    complexity: float
    length: float
    syntax: float
    uncertainty: float
    emotion: float
    edge_negative: float
    edge_neutral: float
    edge_positive: float
    edge_model: str
    router: str
    pii: tuple[str, ...] = ()
    role: Role = "unknown"
    channel: Channel = "unknown"
    source: str = ""
    last: bool = False
    text_chars: int = 0  # of the event's text as it came
    vendor_label: Label | None = None  # of the transcript's vendor


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingEvent:
    """The audit trail, on `routing-events`.

    An event that the edge answers leaves one, `completed`. An event that goes to the cloud leaves two: `decided` from
    the edge agent, then `completed` from the cloud agent. Costs are per routing event, so the bill is their plain sum:
    `decided` carries the edge's price, `completed` after it the cloud's: of its answer, or of tries that gave none.
    `cloud_only_cost_usd`, what the event would have cost with no edge, stands on `completed` alone, so that it too can
    be summed.
    Both costs are whole multiples of a nano-dollar, see `nanodollars`.

    An event that is not scored leaves one, `completed` by the edge with reason `not_scored` and no cost: nobody's model
    was asked, so `edge_label` (neutral) and `edge_confidence` (0) say nothing, and there is no result.
    """

    event_id: str
    conversation_id: str
    turn: int
    stage: Stage
    route: Route  # of a `completed` event: who answered
    reason: Reason
    degraded: bool
    complexity: float
    length: float
    syntax: float
    uncertainty: float
    emotion: float
    edge_label: Label
    edge_confidence: float
    cloud_label: Label | None
    cost_usd: float
    cloud_only_cost_usd: float
    inference_ms: float  # this event's share of its batch's model time
    end_to_end_ms: float  # from Kafka's taking the transcript event to this decision or answer
    pii: tuple[str, ...]
    model: str  # that answered (completed) or that decided (decided), name@version
    router: str  # name@version of the routing policy
    occurred_at: int
    recorded_at: int  # when this routing event was made; it names the monitoring window
    role: Role = "unknown"
    channel: Channel = "unknown"
    language: str | None = None  # BCP 47, from the event or detected
    source: str = ""
    last: bool = False
    scored: bool = True
    tokens_in: int = 0  # by the backend's own count, those from its cache among them
    tokens_out: int = 0
    tokens_cached: int = 0  # of tokens_in
    calls: int = 0  # tries that reached the cloud's backend, answered or not
    cost_basis: CostBasis = "assumed"
    cloud_confidence: float | None = None
    vendor_label: Label | None = None  # of the transcript's vendor
    text_chars: int = 0  # of the event's text as it came; 0: nobody counted
    budget_used: float | None = None  # share of the tightest budget; None: there is no budget


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowResult:
    """What a candidate model would have answered to one event, on `shadow`: to compare with what was published.

    `route` and `reason` are what the router would have decided by the candidate's confidence.
    """

    event_id: str
    conversation_id: str
    turn: int
    label: Label
    confidence: float
    negative: float
    neutral: float
    positive: float
    route: Route
    reason: Reason
    model: str  # name@version of the candidate
    router: str  # name@version of the routing policy
    inference_ms: float  # this event's share of its batch's model time
    occurred_at: int
    scored_at: int
    role: Role = "unknown"
    channel: Channel = "unknown"
    language: str | None = None  # BCP 47, from the event or detected
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringWindow:
    """Aggregates of one window of one `routing-events` partition, on `monitoring`.

    The latest for a key replaces the rest. Mergeable: counts and costs add, sketches (serialised DDSketch protobufs)
    merge. Events that were not scored are in `skipped` and in no other count.
    """

    window_start: int
    window_end: int
    partition: int
    events: int  # completed and scored
    decided: int
    degraded: int
    routes: Mapping[str, int]  # completed events by who answered
    reasons: Mapping[str, int]  # completed events by reason
    labels: Mapping[str, int]  # completed events by the label published
    sampled: int  # random_cloud events that the cloud answered: the unbiased sample
    sampled_agreed: int  # of these, how many the edge had labelled the same
    cost_usd: float
    cloud_only_cost_usd: float
    end_to_end_ms: bytes  # DDSketch of completed events
    inference_ms: bytes  # DDSketch of all routing events
    updated_at: int
    skipped: int = 0  # completed and not scored
    roles: Mapping[str, int] = field(default_factory=dict)  # completed events by who spoke
    role_labels: Mapping[str, int] = field(default_factory=dict)  # by "role/label"
    channel_labels: Mapping[str, int] = field(default_factory=dict)  # by "channel/label"
    role_cost_usd: Mapping[str, float] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)  # by first subtag, "unknown", "other"
    kinds: Mapping[str, int] = field(default_factory=dict)  # of personal data
    models: Mapping[str, int] = field(default_factory=dict)  # that answered, name@version, or "other"
    routers: Mapping[str, int] = field(default_factory=dict)
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    measured_cost_usd: float = 0.0  # of cost_usd
    confidence_sum: int = 0  # in the label published, in millionths
    confidence: bytes = b""  # DDSketch of the same; its count is what confidence_sum is divided by
    text_chars: bytes = b""  # DDSketch of completed events
    vendor_compared: int = 0  # completed events with a vendor_label
    vendor_agreed: int = 0  # of these, how many the vendor had labelled as we did
    budget_used: Mapping[str, int] = field(default_factory=dict)  # completed events by whole percent


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationState:
    """How a conversation stands, on `conversations`: what its scored turns say, by party.

    The latest for a conversation replaces the rest. Maps have a role's figures under its name, and those of all turns
    together under `overall`. The turns themselves are what the figures are made of, and can be made anew from.
    """

    conversation_id: str
    status: ConversationStatus
    channel: Channel
    source: str
    started_at: int  # when the earliest turn occurred
    last_turn_at: int  # when the latest did
    updated_at: int
    turns: Mapping[str, int]
    mean_score: Mapping[str, float]  # probability of positive less that of negative, -1 to 1
    quarters: Mapping[str, tuple[float | None, ...]]  # four mean scores, -5 to 5
    slope: Mapping[str, float]  # of the score, a turn
    negative_run: Mapping[str, int]
    last_label: Mapping[str, str]
    risk: float  # of escalation, 0 to 1
    risk_reasons: tuple[str, ...]  # features of the risk model, the strongest first
    risk_model: str  # name@version
    escalated_at: int | None = None  # when the risk first reached the threshold
    partition: int  # of `sentiment`, that the latest result came from
    turn_numbers: tuple[int, ...]  # of the last turns, in their order; the next four go with it
    turn_roles: tuple[Role, ...]
    turn_labels: tuple[Label, ...]
    turn_scores: tuple[int, ...]  # in thousandths
    turn_times: tuple[int, ...]  # when each was scored
    earlier_turns: Mapping[str, int] = field(default_factory=dict)  # by role
    earlier_scores: Mapping[str, int] = field(default_factory=dict)  # sums in thousandths, by role


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLabel:
    """What a person says an event's sentiment is, on `labels`; of several of one event the last counts.

    What had been published for the event stands with it, so that whoever reads `labels` need not search the audit trail
    for it. Where that held no answer, `answer_label`, `answered_at` and `route` are None.
    """

    event_id: str
    conversation_id: str
    label: Label
    labelled_at: int
    labeller: str | None = None
    source: str = ""
    answer_label: Label | None = None
    answer_confidence: float | None = None
    answered_at: int | None = None
    route: Route | None = None
    role: Role = "unknown"
    model: str = ""  # name@version


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Whether something needs a person, on `alerts`, keyed by `rule` or, where it has a subject, `rule/subject`.

    The latest for a key replaces the rest. It is written when it fires, when it resolves, and when it is silenced or no
    longer is.
    """

    rule: str
    subject: str = ""  # a conversation_id of rule `escalation`
    alert_id: str  # names one firing; the same when it resolves
    state: AlertState
    severity: Severity
    summary: str  # without a customer's text
    metric: str
    value: float | None = None  # None: unknown
    bound: float | None = None
    window_ms: int  # 0: a moment
    started_at: int  # when it fired
    resolved_at: int | None = None
    updated_at: int
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """For how long nobody is to be told of a rule's alerts, on `silences`, keyed by the rule's name.

    The latest for a rule replaces the rest; a tombstone ends it.
    """

    rule: str
    until: int
    reason: str = ""  # as who asked for it put it
    by: str = ""
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What a webhook has been told of an alert, on `notifications`, keyed by `webhook/` and the alert's key.

    The latest for a key replaces the rest. Once the webhook knows that the alert is over, the key is deleted.
    """

    webhook: str  # its name
    rule: str  # this and the next ten are the alert's
    subject: str
    alert_id: str
    severity: Severity
    summary: str
    metric: str
    value: float | None = None
    bound: float | None = None
    window_ms: int
    started_at: int
    resolved_at: int | None = None  # None: it is firing
    state: AlertState  # that the webhook is told
    status: NotificationStatus
    tries: int  # of telling this state, the one that is claimed among them
    in_doubt: bool  # an earlier try was sent and not answered: it may have arrived
    told: bool  # that the alert fires, or it may have been
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLease:
    """What one cloud worker may spend in one hour, on `budget`, in whole nano-dollars.

    The latest for a key, `window_start:lease`, replaces the rest; of what two have of it the higher revision counts.
    """

    lease: str  # random; another one each time a worker starts
    worker: str
    window_start: int  # the hour's first millisecond
    revision: int
    claimed: int  # on top of `granted`, and not decided
    granted: int  # all in all, the spent among it
    spent: int
    updated_at: int


Record = (
    TranscriptEvent
    | SentimentResult
    | CloudRequest
    | RoutingEvent
    | ShadowResult
    | MonitoringWindow
    | ConversationState
    | PersonLabel
    | Alert
    | Silence
    | Notification
    | BudgetLease
)


def nanodollars(usd: float) -> int:
    """`usd` as a whole number of nano-dollars.

    Sums of floats depend on their order; sums of these do not, so a recount equals the monitor's total exactly. A
    double keeps nano-dollars apart up to 2**53 of them, nine million dollars.
    """
    return round(usd * 1e9)
