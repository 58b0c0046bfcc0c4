"""The cloud backend that asks a service behind HTTP, whatever protocol the service speaks."""

import asyncio
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from models.allowance import Allowance, Unlimited
from models.backends.bill import Bill, Tariff, Usage
from models.backends.calibration import Calibration
from models.backends.http import Caller, CallError, Kind
from models.backends.probabilities import LittleMassError, NoDistributionError, Probabilities, tempered
from models.backends.reply import Reply
from models.cloud import Answer, Failure, Question
from models.model_name import is_same_model
from models.redaction import KINDS, Redactor
from models.spending import Spending
from schemas.records import Reason

logger = logging.getLogger(__name__)

_FINGERPRINT = re.compile(r"(?=.*\d)[\w.+-]{1,100}", re.ASCII)
# Of a request what is not text: instructions, examples, JSON. The most that a text grows when it is put into JSON:
# a control character becomes \\u and four digits. What a model is let to write at most. Tests hold them true.
REQUEST_BYTES = 4096
BYTES_IN_JSON = 6
LONGEST_WRITING = 1024

_REASONS: Mapping[Kind, Reason] = {"limited": "cloud_unavailable", "unaffordable": "budget_exhausted"}

_SHORT = re.compile(r"[^\w.:+-]+")


class Scored(NamedTuple):
    """What a service made of one text."""

    probabilities: Probabilities
    model: str  # as the service names it
    fingerprint: str | None = None  # another one is another model, by the same name


class Call:
    """One call of a service: its tries share a deadline and a bill."""

    def __init__(self, caller: Caller, deadline: float, bill: Bill) -> None:
        self._caller = caller
        self._deadline = deadline
        self._bill = bill

    async def post(self, path: str, body: Any) -> Reply:
        """The answer, or the refusal of this one request; see `Caller.call`. Raises CallError."""
        return await self._caller.call(path, body, self._deadline, self._bill)

    async def get(self, path: str) -> Reply:
        """As `post`, of a GET, which costs nothing. Raises CallError."""
        return await self._caller.call(path, None, self._deadline, Bill(Tariff(0.0), 1))

    def charge(self, usage: Usage | None, texts: int | None = None) -> None:
        """Puts an answered try on the bill; see `Bill.charge`."""
        self._bill.charge(usage, texts)

    def refusal(self, reply: Reply) -> CallError:
        """What a refusal amounts to."""
        return self._caller.refusal(reply)

    def nonsense(self, what: str) -> CallError:
        """An answer that is none."""
        return self._caller.error("nonsense", what)

    def declined(self, what: str) -> CallError:
        """No answer to this text."""
        return self._caller.error("declined", what)

    def misfit(self, what: str) -> CallError:
        """A service that is not what the settings say; its circuit is opened."""
        error = self._caller.error("refused", what)
        self._caller.breaker.failed(str(error), at_once=True)
        return error

    def require_model(self, asked: str, served: Any) -> str:
        """`served` in short, where it is the model `asked` for. Raises CallError: it is another, or none is named."""
        if not isinstance(served, str) or not served:
            raise self.nonsense("did not say which model answered")
        if not is_same_model(asked, served):
            raise self.nonsense("answered by another model: check EDGEWISE_CLOUD_MODEL_NAME")
        return short_name(served)


class Service(Protocol):
    """A protocol of a model server."""

    texts_a_call: int

    @property
    def capability(self) -> str:
        """Where its probabilities come from, in words, as far as its answers have shown."""

    async def ask(self, texts: Sequence[str], call: Call) -> list[Scored]:
        """What the service makes of `texts`, at most `texts_a_call`. Raises CallError; nothing of `texts` is in it."""


class HttpBackend:
    """Asks a service in as many calls at once as its caller admits; `kinds` are redacted in all that goes to it.

    All calls of one `answer` share its deadline, so a call that fails fails its own texts alone: nothing behind it
    waits any longer. While the service keeps failing its circuit is open, and calls fail at once.
    """

    def __init__(
        self,
        service: Service,
        caller: Caller,
        tariff: Tariff,
        calibration: Calibration | None = None,
        kinds: Collection[str] = KINDS,
        allowance: Allowance | None = None,
    ) -> None:
        self.id = caller.endpoint.name
        self.service = service
        self.batch = caller.endpoint.concurrency * service.texts_a_call
        self._caller = caller
        self._tariff = tariff
        self._allowance = allowance or Unlimited()
        self._calibration = calibration
        # By rules alone, which raise for no text. What the edge redacted stays as it is.
        self._redactor = Redactor(kinds=kinds)
        self._warned: set[str | None] = set()  # of these fingerprints

    def most_nanodollars(self, texts: int, size_bytes: int, deadline_s: float) -> int:
        """The most that one try of each of `texts` questions can cost, whose texts take `size_bytes` in UTF-8."""
        calls = -(-texts // self.service.texts_a_call)
        sent = calls * REQUEST_BYTES + BYTES_IN_JSON * size_bytes
        return self._tariff.most_nanodollars(texts, sent, calls * LONGEST_WRITING, calls * deadline_s)

    async def answer(self, questions: Sequence[Question], deadline_s: float) -> list[Answer | Failure]:
        """An answer or a failure for each of `questions`, in their order; see `CloudBackend.answer`."""
        answers: list[Answer | Failure] = []
        for scored, spent in await self._scored(questions, deadline_s):
            if isinstance(scored, CallError):
                answers.append(Failure(_REASONS.get(scored.kind, "cloud_error"), str(scored), spent))
            elif isinstance(scored, Scored):
                version = scored.fingerprint or "unknown"
                answers.append(Answer(self._calibrated(scored), f"{scored.model}@{version}", spent))
            else:
                answers.append(Failure("cloud_unavailable", scored))
        return answers

    async def probe(self, question: Question, deadline_s: float) -> tuple[Scored, Spending]:
        """What the service makes of one text, before any calibration, and what it cost.

        Raises CallError.
        """
        ((scored, spent),) = await self._scored([question], deadline_s)
        if isinstance(scored, str):
            raise CallError("limited", scored)
        if isinstance(scored, CallError):
            raise scored
        return scored, spent

    async def close(self) -> None:
        """Closes the connections."""
        await self._caller.close()

    async def _scored(
        self, questions: Sequence[Question], deadline_s: float
    ) -> list[tuple[Scored | CallError | str, Spending]]:
        """What became of each text, and its share of the bill; a string is why it was not asked."""
        deadline = asyncio.get_running_loop().time() + deadline_s
        # Half a surrogate pair, which JSON can name and UTF-8 cannot, is no reason for a server to fail.
        texts = [
            self._redactor.redact(question.text).text.encode("utf-8", "replace").decode() for question in questions
        ]
        size = self.service.texts_a_call
        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(self._call(texts[start : start + size], deadline))
                for start in range(0, len(texts), size)
            ]
        return [each for call in calls for each in call.result()]

    async def _call(self, texts: Sequence[str], deadline: float) -> list[tuple[Scored | CallError | str, Spending]]:
        breaker = self._caller.breaker
        if not breaker.admits():
            return [(f"{self.id} is not asked for a while: {breaker.why}", Spending())] * len(texts)
        bill = Bill(self._tariff, len(texts), self._allowance)
        scored: Sequence[Scored | CallError]
        try:
            try:
                scored = await self.service.ask(texts, Call(self._caller, deadline, bill))
            except NoDistributionError as error:
                kind: Kind = "declined" if isinstance(error, LittleMassError) else "nonsense"
                raise self._caller.error(kind, f"gave no answer: {error}") from None
        except CallError as error:
            if error.kind == "nonsense":
                breaker.failed(str(error))
            elif error.kind == "declined":
                breaker.succeeded()
            else:  # what it says of the service is known to the circuit
                breaker.abandoned()
            scored = [error] * len(texts)
        except BaseException:
            breaker.abandoned()
            bill.lost()  # the try under way may have been answered
            raise
        else:
            breaker.succeeded()
        bill.close()
        return list(zip(scored, bill.shares(), strict=True))

    def _calibrated(self, scored: Scored) -> Probabilities:
        if self._calibration is None:
            return scored.probabilities
        if (scored.model, scored.fingerprint) != self._calibration.made_for and scored.fingerprint not in self._warned:
            self._warned.add(scored.fingerprint)
            logger.warning(
                "%s answers as %s@%s, and its calibration was made for %s@%s: run `edgewise cloud calibrate` again",
                *(self.id, scored.model, scored.fingerprint, *self._calibration.made_for),
            )
        return tempered(scored.probabilities, self._calibration.temperature)


def fingerprint(value: Any) -> str | None:
    """`value` where it may be a version or a digest: it stands in events and logs, so no other text may."""
    return value[:40] if isinstance(value, str) and _FINGERPRINT.fullmatch(value) else None


def short_name(served: str) -> str:
    """A model's name as it may stand in an event: the last part of a path, letters and digits, at most 100 of them."""
    return _SHORT.sub("_", served.replace("\\", "/").rpartition("/")[2])[:100] or "unnamed"
