"""What `edgewise cloud` does with a backend: ten sample texts asked one after another, and a calibration made."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from models.cloud import Answer, CloudError, Failure, Question
from models.spending import Spending
from schemas.errors import UsageError
from schemas.records import LABELS, CostBasis, Label, nanodollars
from streams.cli.table import aligned
from streams.config.backends import build_service, find_price, start_backend
from streams.config.settings import Settings

if TYPE_CHECKING:
    from models.backends.calibration import Calibration

SAMPLES: Final = (
    "My parcel is lost and nobody calls me back.",
    "I have been on hold for an hour. This is a disgrace.",
    "You charged me twice and your site is broken again.",
    "I want to cancel, I am really disappointed.",
    "What time do you open on Monday?",
    "My order number is on the second page of the letter.",
    "I am calling about the invoice of last month.",
    "Thank you so much, that solved it!",
    "Great service, you were really helpful.",
    "Perfect, I am happy with that, have a nice day.",
)
"""Four unhappy, three neutral, three happy. They are nobody's."""

SAMPLE_LABELS: Final[tuple[Label, ...]] = ("negative",) * 4 + ("neutral",) * 3 + ("positive",) * 3

_AUTHORISED: Final = {"unauthorised": False, "declined": True, "nonsense": True}

# What is nobody's is not billed: a first call may load a model, so each gets more time than a batch does.
LEAST_DEADLINE_S: Final = 15.0
PATIENCE_S: Final = 60.0
"""After so long a text without an answer is the last: ten of them would keep a person waiting for minutes."""


@dataclass
class Report:
    """What ten sample texts showed."""

    backend: str
    reachable: bool | None = None  # None: not known
    authorised: bool | None = None
    model: str | None = None
    probabilities: str | None = None
    answered: int = 0
    as_expected: int = 0
    median_ms: float | None = None
    slowest_ms: float | None = None
    tokens: int | None = None  # None: it does not count
    tokens_cached: int | None = None  # of these
    dollars: float = 0.0
    cost_basis: CostBasis = "assumed"
    price: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether all of them were answered."""
        return self.answered == len(SAMPLES)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


async def check_backend(settings: Settings) -> Report:
    """Asks the backend of `settings` about `SAMPLES`; those that come after it in a chain are not asked.

    Raises ArtifactError, CloudError: the ONNX process does not start. UsageError: the settings cannot be used.
    """
    if settings.cloud_backend != "onnx":
        return await _check_service(settings)
    backend, model = await start_backend(settings)
    report = Report("onnx", reachable=True, authorised=True, model=model, probabilities="probabilities of a classifier")
    try:
        seconds = []
        for text, label in zip(SAMPLES, SAMPLE_LABELS, strict=True):
            begun = perf_counter()
            (answer,) = await backend.answer([Question(text, "en")], _deadline_s(settings))
            if isinstance(answer, Failure):
                report.problems.append(answer.detail)
                break
            seconds.append(perf_counter() - begun)
            _count(report, answer.probabilities, label, answer.spent)
        report.price = price_in_words(settings, model.partition("@")[0])
    finally:
        await backend.close()
    _time(report, seconds)
    return report


async def _check_service(settings: Settings) -> Report:
    from models.backends.http import CallError

    backend = build_service(settings)
    report, seconds = Report(backend.id), list[float]()
    started = perf_counter()
    try:
        for text, label in zip(SAMPLES, SAMPLE_LABELS, strict=True):
            begun = perf_counter()
            try:
                scored, spent = await backend.probe(Question(text, "en"), _deadline_s(settings))
            except CallError as error:
                report.problems.append(str(error))
                if report.reachable is None:
                    report.reachable = error.kind != "unreachable"
                    report.authorised = _AUTHORISED.get(error.kind)
                is_final = error.kind in {"unreachable", "unauthorised", "refused", "limited"}
                if is_final or perf_counter() - started >= PATIENCE_S:
                    break
                continue
            seconds.append(perf_counter() - begun)
            report.reachable = report.authorised = True
            report.model = f"{scored.model}@{scored.fingerprint or 'unknown'}"
            _count(report, scored.probabilities, label, spent)
        if report.answered:
            report.price = price_in_words(settings, settings.cloud_model_name)
            if report.cost_basis == "measured" and find_price(settings, settings.cloud_model_name) is None:
                report.price = "the service's own: it says what each answer costs"
            report.probabilities = backend.service.capability
    finally:
        await backend.close()
    _time(report, seconds)
    return report


def in_words(report: Report) -> str:
    """The report for a terminal."""
    counted = report.tokens is not None
    tokens = f"{report.tokens:,}, of these {report.tokens_cached:,} from its cache" if counted else "not counted by it"
    rows = [
        ("backend", report.backend),
        ("reachable", _yes_or_no(report.reachable)),
        ("authorised", _yes_or_no(report.authorised)),
    ]
    if report.answered:
        thousand = report.dollars / report.answered * 1000
        rows += [
            ("model", report.model or ""),
            ("capabilities", report.probabilities or ""),
            ("answered", f"{report.answered} of {len(SAMPLES)} texts, {report.as_expected} as a person would"),
            ("latency", f"{report.median_ms:,.0f} ms median, {report.slowest_ms:,.0f} ms slowest"),
            ("tokens", tokens),
            ("dollars", f"{report.dollars:.6f} ({report.cost_basis}), or {thousand:.4f} for 1,000 texts"),
            ("price", report.price),
        ]
    return "\n".join([*aligned(*rows), *(f"problem: {problem}" for problem in dict.fromkeys(report.problems))])


class Calibrated(NamedTuple):
    """A calibration, how many texts it was not made from, and why, and what it cost."""

    calibration: "Calibration"
    unanswered: int
    of_others: int  # answered by the model under another fingerprint or version
    dollars: float


async def calibrate_backend(settings: Settings, texts: Sequence[tuple[Question, int]]) -> Calibrated:
    """A calibration from `texts` and the indices of their labels, for the model and fingerprint that answers most.

    Raises UsageError: the backend is `onnx`, whose artifact has a temperature, or too few texts were answered;
    CloudError: several models answered, and none enough, or none did.
    """
    if settings.cloud_backend == "onnx":
        raise UsageError("cloud_backend is onnx: its artifact has a temperature of its own; calibrate a service")
    from models.backends.calibration import LEAST_TEXTS, fit

    backend = build_service(settings.model_copy(update={"cloud_calibration": None}))
    answers: list[Answer | Failure] = []
    try:
        for start in range(0, len(texts), backend.batch):
            part = [question for question, _ in texts[start : start + backend.batch]]
            given = await backend.answer(part, _deadline_s(settings))
            answers += given
            if start == 0 and all(isinstance(answer, Failure) for answer in given):
                raise CloudError(_why(given))
    finally:
        await backend.close()
    good = [(answer, label) for answer, (_, label) in zip(answers, texts, strict=True) if isinstance(answer, Answer)]
    models = Counter(answer.model for answer, _ in good)
    served = max(models, key=lambda model: models[model], default="")
    if len(models) > 1 and models[served] < LEAST_TEXTS:
        raise CloudError(
            f"{len(models)} models answered ({', '.join(sorted(models))}): a calibration is for one, and needs "
            f"{LEAST_TEXTS} of its answers"
        )
    own = [(answer, label) for answer, label in good if answer.model == served]
    name, _, fingerprint = served.partition("@")
    calibration = fit(
        [answer.probabilities for answer, _ in own],
        [label for _, label in own],
        model=name,
        fingerprint=None if fingerprint == "unknown" else fingerprint,
    )
    dollars = sum(nanodollars(answer.spent.cost_usd) for answer in answers) / 1e9
    return Calibrated(calibration, len(answers) - len(good), len(good) - len(own), dollars)


def _why(answers: Sequence[Answer | Failure]) -> str:
    details = dict.fromkeys(answer.detail for answer in answers if isinstance(answer, Failure))
    return f"no text was answered: {'; '.join(details) or 'there are none'}"


def _count(report: Report, probabilities: Sequence[float], label: Label, spent: Spending) -> None:
    report.answered += 1
    report.as_expected += LABELS[probabilities.index(max(probabilities))] == label
    report.dollars = (nanodollars(report.dollars) + nanodollars(spent.cost_usd)) / 1e9
    report.cost_basis = spent.basis
    if spent.tokens is not None:
        report.tokens = (report.tokens or 0) + spent.tokens.read + spent.tokens.written
        report.tokens_cached = (report.tokens_cached or 0) + spent.tokens.cached


def price_in_words(settings: Settings, model: str | None) -> str:
    """What the calls of `model` are billed by. Raises PriceError: a price book can't be read."""
    found = find_price(settings, model)
    if found is None:
        return f"{settings.cloud_price_usd:g} dollars a text, assumed: no price book knows this model (EDGEWISE_PRICES)"
    price, book = found
    by_token = ((price.input, "in"), (price.output, "out"), (price.cached, "cached"))
    parts = [f"{value} {what}" for value, what in by_token if value is not None]
    words = [f"{', '.join(parts)} dollars for a million tokens"] if parts else []
    words += [f"{value} dollars a {what}" for value, what in ((price.call, "call"), (price.second, "second")) if value]
    return f"{'; '.join(words)} ({price.model}, as of {book.dated.isoformat()})"


def _time(report: Report, seconds: Sequence[float]) -> None:
    if seconds:
        report.median_ms, report.slowest_ms = 1000 * median(seconds), 1000 * max(seconds)


def _deadline_s(settings: Settings) -> float:
    return max(settings.cloud_deadline_ms / 1000, LEAST_DEADLINE_S)


def _yes_or_no(known: bool | None) -> str:
    return "unknown" if known is None else "yes" if known else "no"
