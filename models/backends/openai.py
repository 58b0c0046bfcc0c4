"""OpenAI's chat completions, which many servers speak: https://platform.openai.com/docs/api-reference/chat."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from models.backends.bill import Usage, count, is_counted
from models.backends.probabilities import LittleMassError, NoDistributionError, of_codes, written
from models.backends.prompt import CODES, SCHEMA, conversation, instructions
from models.backends.reply import Reply
from models.backends.service import Call, Scored, fingerprint
from models.spending import Tokens

DEFAULT_URL = "https://api.openai.com/v1"

# Three numbers take some 30 tokens; a model that reasons takes hundreds before.
_NUMBERS_TOKENS = 1024
_BAD_REQUEST = (400, 403, 422)


class OpenAI:
    """Class probabilities from the log-probabilities of a single token, or three numbers in JSON where there are none.

    Models and servers refuse different parameters; what one refuses is left out from then on.
    """

    texts_a_call = 1

    def __init__(self, model: str) -> None:
        self._model = model
        self._by_code = True
        self._top = 20
        self._limit = "max_tokens"
        self._left_out: set[str] = set()

    @property
    def capability(self) -> str:
        """Where the probabilities come from."""
        return "log-probabilities of a single token" if self._by_code else "numbers that the model writes (JSON)"

    async def ask(self, texts: Sequence[str], call: Call) -> list[Scored]:
        """The answer to one text."""
        (text,) = texts
        while True:
            by_code, body = self._by_code, self._body(text)
            reply = await call.post("/chat/completions", body)
            if not reply.is_ok:
                if reply.status in _BAD_REQUEST and self._adapt(reply, body):
                    continue
                raise call.refusal(reply)
            call.charge(_usage(reply))
            choice = _choice(reply.body)
            if choice is None:
                raise call.nonsense("answered without a choice")
            model = call.require_model(self._model, reply.body.get("model"))
            if choice["message"].get("refusal") or choice.get("finish_reason") == "content_filter":
                raise call.declined("declined to judge a text")
            if by_code and _top(choice) is None:
                if not choice["message"].get("content"):
                    raise LittleMassError("the model wrote nothing")
                self._by_code = False  # nor will it have any for the next text
                continue
            p = of_codes(_top(choice), CODES) if by_code else written(_numbers(choice, call))
            return [Scored(p, model, fingerprint(reply.body.get("system_fingerprint")))]

    def _body(self, text: str) -> dict[str, Any]:
        by_code = self._by_code
        system = {"role": "system", "content": instructions(by_code=by_code)}
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [system, *conversation(text, by_code=by_code)],
            "temperature": 0,
            self._limit: 1 if by_code else _NUMBERS_TOKENS,
        }
        if by_code:
            body |= {"logprobs": True, "top_logprobs": self._top}
        else:
            schema = {"name": "sentiment", "strict": True, "schema": SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return {name: value for name, value in body.items() if name not in self._left_out}

    def _adapt(self, reply: Reply, body: Mapping[str, Any]) -> bool:
        """Leaves out what the service refuses; False where it is none of what may be left out.

        The parameter is looked for in the request that was refused: another call may have adapted meanwhile.
        """
        if "logprobs" in body and reply.says("top_logprobs") and body["top_logprobs"] > 5:
            self._top = 5
        elif "logprobs" in body and (reply.says("logprobs") or reply.says("top_logprobs")):
            self._by_code = False
        elif "max_tokens" in body and reply.says("max_tokens"):
            self._limit = "max_completion_tokens"
        elif name := next((n for n in ("temperature", "response_format") if n in body and reply.says(n)), None):
            self._left_out.add(name)
        else:
            return False
        return True


def _choice(body: Any) -> Mapping[str, Any] | None:
    choices = body.get("choices") if isinstance(body, Mapping) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, Mapping) and isinstance(first.get("message"), Mapping) else None


def _top(choice: Mapping[str, Any]) -> list[Any] | None:
    """The first token's alternatives with their log-probabilities."""
    logprobs = choice.get("logprobs")
    tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    first = tokens[0] if isinstance(tokens, list) and tokens else None
    top = first.get("top_logprobs") if isinstance(first, Mapping) else None
    return top if isinstance(top, list) and top else None


def _numbers(choice: Mapping[str, Any], call: Call) -> Any:
    if choice.get("finish_reason") == "length":
        raise call.nonsense(f"was not done after {_NUMBERS_TOKENS:,} tokens")
    content = choice["message"].get("content")
    try:
        return json.loads(content) if isinstance(content, str) else None
    except (ValueError, RecursionError):
        raise NoDistributionError("the answer is no JSON object with three probabilities") from None


def _usage(reply: Reply) -> Usage | None:
    """The tokens of an answer; its price too where a LiteLLM proxy names it."""
    usage = reply.body.get("usage") if isinstance(reply.body, Mapping) else None
    if not isinstance(usage, Mapping):
        return None
    try:
        usd: float | None = float(reply.headers["x-litellm-response-cost"])
    except (KeyError, ValueError):
        usd = None
    priced = usd is not None and 0 <= usd <= 1000
    cached = count(usage.get("prompt_tokens_details"), "cached_tokens")
    read = count(usage, "prompt_tokens")
    if not priced and not (read and is_counted(usage, "completion_tokens")):  # no request is of no tokens
        return None
    tokens = Tokens(read, count(usage, "completion_tokens"), min(read, cached))
    return Usage(tokens, usd if priced else None)
