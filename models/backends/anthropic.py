"""Anthropic's Messages: https://docs.anthropic.com/en/api/messages."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.backends.bill import Usage, count, is_counted
from models.backends.probabilities import written
from models.backends.prompt import SCHEMA, conversation, instructions
from models.backends.service import Call, Scored
from models.spending import Tokens

DEFAULT_URL = "https://api.anthropic.com/v1"
VERSION = "2023-06-01"

_TOOL = "judge_sentiment"
_TOKENS = 256


class Anthropic:
    """Three numbers that the model hands to a tool: the service has no log-probabilities."""

    texts_a_call = 1
    capability = "numbers that the model writes (a tool's input)"

    def __init__(self, model: str) -> None:
        self._model = model
        self._has_temperature = True

    async def ask(self, texts: Sequence[str], call: Call) -> list[Scored]:
        """The answer to one text."""
        (text,) = texts
        while True:
            body = self._body(text)
            reply = await call.post("/messages", body)
            if reply.is_ok:
                break
            if not (reply.status == 400 and "temperature" in body and reply.says("temperature")):
                raise call.refusal(reply)
            self._has_temperature = False
        answer: Any = reply.body if isinstance(reply.body, Mapping) else {}
        call.charge(_usage(answer.get("usage")))
        model = call.require_model(self._model, answer.get("model"))
        if answer.get("stop_reason") == "refusal":
            raise call.declined("declined to judge a text")
        if answer.get("stop_reason") == "max_tokens":
            raise call.nonsense(f"was not done after {_TOKENS:,} tokens")
        blocks = answer.get("content")
        blocks = [block for block in blocks if isinstance(block, Mapping)] if isinstance(blocks, list) else []
        numbers = next((block.get("input") for block in blocks if block.get("type") == "tool_use"), None)
        return [Scored(written(numbers), model)]

    def _body(self, text: str) -> dict[str, Any]:
        # Examples of a tool's use would need its calls and their results: the instructions have one of the numbers.
        tool = {"name": _TOOL, "description": "Takes the probabilities of a turn.", "input_schema": SCHEMA}
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": _TOKENS,
            "system": instructions(by_code=False),
            "messages": conversation(text, by_code=False)[-1:],
            "tools": [tool],
            "tool_choice": {"type": "tool", "name": _TOOL},
        }
        return body | ({"temperature": 0} if self._has_temperature else {})


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    # `input_tokens` leaves out what was read from, or written to, the cache.
    read = count(usage, "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    if not read or not is_counted(usage, "input_tokens", "output_tokens"):  # no request is of no tokens
        return None
    return Usage(Tokens(read, count(usage, "output_tokens"), count(usage, "cache_read_input_tokens")))
