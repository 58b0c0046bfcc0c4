"""`edgewise score`: scores the rows of a recording in this process, without Kafka."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import models.cloud
from models.admission import Admitted
from models.artifact import load_artifact
from models.classifier import Classifier
from models.cloud import Failure, Question
from models.pricing import Prices
from models.residency import Found, look
from models.router import Scored
from models.text_validation import validate_text
from schemas.codec import DecodeError
from schemas.records import LABELS, Channel, Role, nanodollars
from schemas.validation import validate_ids
from streams.config.admission import build_admission
from streams.config.redaction import build_redaction
from streams.config.routing import build_router
from streams.config.settings import Settings
from streams.files.cloud_answers import cloud_scorer
from streams.files.identity import EventIds, RowIds
from streams.files.recorded_event import RowCircumstances
from streams.files.recording import Row
from streams.files.scored_rows import ScoredRow
from streams.files.writing import CHUNK, renamed

logger = logging.getLogger(__name__)

Model = Literal["edge", "cloud", "line"]

FIELDS: Final = (
    "sentiment",
    "confidence",
    "negative",
    "neutral",
    "positive",
    "route",
    "reason",
    "cost_usd",
    "cloud_only_cost_usd",
)
"""What each row gets, after its own fields."""

NOT_A_TEXT: Final = "not_a_text"
"""The reason of a row that has something else where its text should be. No event can be made of it for a worker."""

# float32 carries seven digits: more would be noise that differs between machines.
DIGITS = 6


class Answer(NamedTuple):
    """What became of a text."""

    probabilities: Sequence[float] | None  # None: no answer
    route: str | None
    reason: str | None
    cost_usd: float
    cloud_only_cost_usd: float


class Turn(NamedTuple):
    """A text to be scored, and what the line's decisions depend on."""

    event_id: str
    conversation_id: str  # the event's own id where it is of no conversation
    text: str
    role: Role = "unknown"
    channel: Channel = "unknown"
    language: str | None = None  # BCP 47, where the row tells it
    source: str = ""
    attributes: Mapping[str, str] = MappingProxyType({})


Scorer = Callable[[Sequence[Turn]], list[Answer]]


def build_scorer(settings: Settings, model: Model) -> Scorer:
    """What scores texts by `model`, its artifacts loaded and verified.

    `line` does what the workers do: the edge scores all, the router decides, the cloud answers what is deferred, which
    it is asked without personal data; what a rule of residency names, or cannot be redacted, stays on the edge.
    `edge` and `cloud` score all with one model; no decision is taken, so there is no reason. Costs are by the prices in
    `settings`, or by the service's tokens: what the cloud answers for the line has cost the edge's price too. What the
    cloud does not answer keeps the edge's answer in the line; by `cloud` it has none. Which roles and languages are
    scored is the line's business alone, and so are redaction and residency: `edge` and `cloud` score all, and a service
    is asked without personal data by its backend.

    Turns of a conversation are given in their order, in one call or in several. One that is of none is read by itself.

    Raises ArtifactError: a model is missing or altered. UsageError: the policy cannot be used.
    """
    prices = Prices(settings.edge_price_usd, settings.cloud_price_usd)
    if model == "edge":
        classifier = _load(settings, settings.edge_model)
        return lambda turns: [
            Answer(p, model, None, prices.edge_usd, prices.cloud_usd)
            for p in classifier.score([turn.text for turn in turns], [turn.role for turn in turns]).tolist()
        ]
    if model == "cloud":
        ask = cloud_scorer(settings)
        return lambda turns: [
            _cloud_alone(answer, prices) for answer in ask([Question(turn.text, role=turn.role) for turn in turns])
        ]
    admission = build_admission(settings, load_artifact(settings.edge_model).languages)
    answered, may_leave = _line(settings, prices), _Leaving(settings)

    def score(turns: Sequence[Turn]) -> list[Answer]:
        admitted = [admission.admit(turn.role, turn.language, turn.text) for turn in turns]
        found = may_leave(turns)
        kept = [
            (turn, each, leaving)
            for turn, each, leaving in zip(turns, admitted, found, strict=True)
            if each.skipped is None
        ]
        answers = iter(answered(kept))
        return [
            next(answers) if each.skipped is None else Answer(None, None, each.skipped, 0.0, 0.0) for each in admitted
        ]

    return score


class _Leaving:
    """What may leave of turns, as the edge agent has it."""

    def __init__(self, settings: Settings) -> None:
        self._redaction = build_redaction(settings)
        self._rules = settings.sensitive_local

    def __call__(self, turns: Sequence[Turn]) -> list[Found]:
        self._redaction.checkpoint()
        found = []
        for turn in turns:
            found.append(look(turn, self._redaction, self._rules))
            if turn.conversation_id == turn.event_id:  # nothing follows: what was noted for that is taken back
                self._redaction.restore([turn.conversation_id])
        for failure, count in Counter(each.failure for each in found if each.failure is not None).items():
            logger.warning("%d texts stay on the edge, because their redaction failed: %s", count, failure)
        return found


def _line(settings: Settings, prices: Prices) -> Callable[[Sequence[tuple[Turn, Admitted, Found]]], list[Answer]]:
    chosen = build_router(settings, load_artifact(settings.edge_model))
    edge = _load(settings, settings.edge_model)
    cloud = cloud_scorer(settings)

    def answered(turns: Sequence[tuple[Turn, Admitted, Found]]) -> list[Answer]:
        given = edge.score([turn.text for turn, _, _ in turns], [turn.role for turn, _, _ in turns]).tolist()
        probabilities = [admitted.believed(p) for (_, admitted, _), p in zip(turns, given, strict=True)]
        batch = [
            Scored(turn.event_id, turn.text, max(p), found.kinds)
            for (turn, _, found), p in zip(turns, probabilities, strict=True)
        ]
        routed = zip(turns, chosen.decide(batch), strict=True)
        decisions = [found.decided(admitted.decided(decision)) for (_, admitted, found), decision in routed]
        deferred = [i for i, decision in enumerate(decisions) if decision.route == "cloud"]
        answers = [
            Answer(p, d.route, d.reason, prices.edge_usd, prices.cloud_usd)
            for p, d in zip(probabilities, decisions, strict=True)
        ]
        asked = [Question(turns[i][2].text, role=turns[i][0].role) for i in deferred]
        for i, given in zip(deferred, cloud(asked) if deferred else [], strict=True):
            answers[i] = _deferred(answers[i], given)
        return answers

    return answered


def score_rows(
    rows: Iterable[Row],
    scorer: Scorer,
    *,
    max_text_chars: int,
    recording: str,
    columns: Mapping[str, str],
    source: str = "",
    event_ids: EventIds | None = None,
    roles: Mapping[str, Role] = MappingProxyType({}),
) -> Iterator[ScoredRow]:
    """Each row's fields and then `FIELDS`, in the rows' order.

    A field of the input that has one of those names is kept as `input_` and its name, in its place. A row whose text or
    ids a worker would refuse is not scored: its new fields are None but the reason, which is the one that the worker
    puts into dead-letters, or `NOT_A_TEXT`. A row that the line does not score for its role or language has the reason
    of the audit event. The random sample is drawn by the event's id that a replay of `recording` (the file's digest)
    with `columns` gives the row, where `event_ids` was shown all of them; `roles` are those of `--role-map`, `source`
    is that of rows that name none.
    """
    ids_of, told = RowIds(recording, columns), RowCircumstances(source, columns, roles)
    remaining = iter(rows)
    # Sorting a thousand texts by length leaves the model's batches, which are smaller, next to no padding.
    while chunk := list(islice(remaining, CHUNK)):
        ids = [_ids(row, ids_of, event_ids) for row in chunk]
        refusals = [_refusal(row, each, max_text_chars) for row, each in zip(chunk, ids, strict=True)]
        about = [told(row) for row in chunk]
        asked = [
            Turn(event_id, conversation_id, row.text, *each)
            for row, (event_id, conversation_id), each, refusal in zip(chunk, ids, about, refusals, strict=True)
            if refusal is None
        ]
        answers = iter(scorer(asked))
        for row, each, refusal in zip(chunk, about, refusals, strict=True):
            given = _scored(next(answers)) if refusal is None else _UNSCORED | {"reason": refusal}
            yield ScoredRow(each.role, renamed(row.fields, FIELDS) | given)


def _ids(row: Row, ids_of: RowIds, event_ids: EventIds | None) -> tuple[str, str]:
    """The ids of a row's event and conversation; empty where what stands there is none."""
    try:
        event_id, conversation_id = ids_of(row)
    except ValueError:
        return "", ""
    final = event_id if event_ids is None else event_ids.final(event_id, conversation_id)
    return final, final if conversation_id == event_id else conversation_id


def _refusal(row: Row, ids: tuple[str, str], max_text_chars: int) -> str | None:
    """Why a row cannot be scored; None where it can."""
    if not row.is_text:
        return NOT_A_TEXT
    try:
        validate_ids(*ids)
        validate_text(row.text, max_chars=max_text_chars)
    except DecodeError as error:
        return error.reason
    return None


def _cloud_alone(given: models.cloud.Answer | Failure, prices: Prices) -> Answer:
    if isinstance(given, Failure):
        return Answer(None, None, given.reason, given.spent.cost_usd, prices.cloud_usd)
    return Answer(given.probabilities, "cloud", None, given.spent.cost_usd, prices.cloud_usd)


def _deferred(edge: Answer, given: models.cloud.Answer | Failure) -> Answer:
    """What became of a text that the edge deferred: the cloud's answer, else the edge's with the reason why."""
    cost_usd = (nanodollars(edge.cost_usd) + nanodollars(given.spent.cost_usd)) / 1e9
    if isinstance(given, Failure):
        return edge._replace(route="edge", reason=given.reason, cost_usd=cost_usd)
    return edge._replace(probabilities=given.probabilities, cost_usd=cost_usd)


def _load(settings: Settings, name_or_folder: str) -> Classifier:
    artifact = load_artifact(name_or_folder)
    return Classifier(artifact, threads=settings.model_threads, token_budget=settings.token_budget)


_UNSCORED: Final[dict[str, object]] = dict.fromkeys(FIELDS)


def _scored(answer: Answer) -> dict[str, object]:
    probabilities, route, reason, cost, cloud_only = answer
    if probabilities is None:
        return _UNSCORED | {"reason": reason, "cost_usd": cost}
    top = probabilities.index(max(probabilities))
    values = [round(p, DIGITS) for p in probabilities]
    return dict(zip(FIELDS, (LABELS[top], values[top], *values, route, reason, cost, cloud_only), strict=True))
