"""A backend of each kind before a server of the tests, and what the servers answer."""

import asyncio
import json
import math
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from models.allowance import Allowance
from models.backends.anthropic import Anthropic
from models.backends.bill import Tariff
from models.backends.calibration import Calibration
from models.backends.http import Caller, Endpoint
from models.backends.openai import OpenAI
from models.backends.service import HttpBackend, Service
from models.backends.tei import Tei
from models.backends.v2 import V2
from models.cloud import Answer, Failure, Question
from models.price_book import Price
from models.spending import Spending, Tokens
from tests.http_server import Request

MODEL = "judge-1"
KEY = "key-never-to-be-seen"
TARIFF = Tariff(query_usd=0.01, price=Price(model="judge-1", input=Decimal(2), output=Decimal(10)))
USAGE = {"prompt_tokens": 100, "completion_tokens": 1}
PAID = Spending(0.00021, Tokens(100, 1, 0), 1, "measured")  # of one try with `USAGE`


def service(kind: str) -> Service:
    """What speaks the protocol `kind`."""
    if kind == "v2":
        return V2(MODEL, texts_a_call=16)
    if kind == "tei":
        return Tei(None, texts_a_call=16)
    return Anthropic(MODEL) if kind == "anthropic" else OpenAI(MODEL)


def ask(
    url: str,
    texts: Sequence[str],
    kind: str | Service = "openai",
    *,
    deadline_s: float = 10.0,
    times: int = 1,
    concurrency: int = 8,
    ca_file: str | None = None,
    certificate_file: str | None = None,
    tariff: Tariff = TARIFF,
    allowance: Allowance | None = None,
    calibration: Calibration | None = None,
) -> list[Answer | Failure]:
    """What became of `texts`, the last of `times`."""

    async def asked() -> list[Answer | Failure]:
        endpoint = Endpoint(
            f"the {kind}", url, {"Authorization": f"Bearer {KEY}"}, ca_file, certificate_file, concurrency=concurrency
        )
        caller = Caller(endpoint, jitter=random.Random(1))
        backend = HttpBackend(
            service(kind) if isinstance(kind, str) else kind, caller, tariff, calibration, allowance=allowance
        )
        try:
            answers: list[Answer | Failure] = []
            for _ in range(times):
                answers = await backend.answer([Question(text, "en") for text in texts], deadline_s)
            return answers
        finally:
            await backend.close()

    return asyncio.run(asked())


def most_usd(request: Request) -> float:
    """The most that a try with this request can cost by `TARIFF`: a token a byte."""
    return len(json.dumps(request.body)) * 2e-6 + int(request.body["max_tokens"]) * 10e-6


def completion(p: Sequence[float] = (0.7, 0.2, 0.1), **changed: Any) -> dict[str, Any]:
    """OpenAI's answer by a code's log-probabilities."""
    top = [{"token": code, "logprob": math.log(each)} for code, each in zip("ABC", p, strict=True)]
    choice = {
        "finish_reason": "length",
        "message": {"role": "assistant", "content": "A"},
        "logprobs": {"content": [{"token": "A", "logprob": top[0]["logprob"], "top_logprobs": top}]},
    }
    return {"model": MODEL, "system_fingerprint": "fp_1", "choices": [choice], "usage": USAGE} | changed


def written_completion(content: Any, **changed: Any) -> dict[str, Any]:
    """OpenAI's answer in words."""
    choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": content}} | changed
    return {"model": MODEL, "choices": [choice], "usage": USAGE}


def message(numbers: Any, **changed: Any) -> dict[str, Any]:
    """Anthropic's answer."""
    block = {"type": "tool_use", "name": "judge_sentiment", "input": numbers}
    usage = {"input_tokens": 50, "cache_read_input_tokens": 50, "output_tokens": 1}
    return {"model": MODEL, "content": [block], "stop_reason": "tool_use", "usage": usage} | changed


def of(answers: Sequence[Answer | Failure]) -> Answer:
    """The one answer."""
    (answer,) = answers
    assert isinstance(answer, Answer), answer
    return answer


def failure(answers: Sequence[Answer | Failure]) -> Failure:
    """The one failure."""
    (answer,) = answers
    assert isinstance(answer, Failure), answer
    return answer
