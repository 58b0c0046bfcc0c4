"""What a service behind HTTP answered, and what of a refusal is known and may be repeated."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

Lasting = Literal["redirect", "quota", "key", "model"]
"""What a person has to mend: where the service is, its account, the key, or the address or model that is asked for."""

# Of a LiteLLM proxy: one without a database says of any other key than its own that it has no database.
_NO_KEY = frozenset({"auth_error", "expired_key", "no_db_connection", "token_not_found_in_db"})
_NO_MODEL = frozenset({"key_model_access_denied", "model_not_found", "team_model_access_denied"})
_NO_QUOTA = frozenset({
    "account_deactivated", "billing_hard_limit_reached", "billing_not_active", "budget_exceeded", "insufficient_quota",
})  # fmt: skip
# The only words of an error body that are repeated: what else a service says of a request may quote the text in it.
_CODES = _NO_KEY | _NO_MODEL | _NO_QUOTA | {
    "api_error", "authentication_error", "content_filter", "context_length_exceeded", "exceed_context_size_error",
    "internal_server_error", "invalid_api_key", "invalid_request_error", "not_found_error", "overloaded",
    "overloaded_error", "permission_error", "rate_limit_error", "rate_limit_exceeded", "request_too_large",
    "server_error", "throttling_error", "unsupported_parameter", "unsupported_value", "Backend", "Empty", "Overloaded",
    "Tokenizer", "Validation", "Unhealthy",
}  # fmt: skip
# A LiteLLM proxy says it with HTTP 400 and no code. It begins the message, where no customer's text can stand.
_MODEL_UNKNOWN = re.compile(r"(/[\w/]+: )?Invalid model name passed in model=")
# So Anthropic says it.
_CREDIT_USED_UP = ("Your credit balance is too low", "You have reached your specified API usage limits")
_REFUSING = ("support", "unrecogni", "not permitted", "not allowed", "not enabled", "deprecated")
# Triton answers a request that it cannot parse with a 500.
_UNPARSED = ("failed to parse", "parse the request json")


class Reply(NamedTuple):
    """An answer in JSON, or a refusal; `body` is None for one that is no JSON."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def is_ok(self) -> bool:
        """Whether it is an answer."""
        return self.status == HTTPStatus.OK

    @property
    def code(self) -> str | None:
        """The error's code where it is one of those known: OpenAI's `code` or `type`, Anthropic's `type`, TEI's."""
        error = self._error
        if isinstance(error, Mapping):
            given = [error.get("code"), error.get("type")]
        else:
            given = [self.body.get("error_type")] if isinstance(self.body, Mapping) else []
        return next((code for code in given if isinstance(code, str) and code in _CODES), None)

    @property
    def in_words(self) -> str:
        """`HTTP 429, insufficient_quota`."""
        return f"HTTP {self.status}" + (f", {self.code}" if self.code else "")

    @property
    def lasting(self) -> Lasting | None:
        """What has to be mended before anything is answered; None where it may pass, or is of this one request."""
        if 300 <= self.status < 400:
            return "redirect"
        if self.code in _NO_QUOTA or self.status == 402 or self._message.startswith(_CREDIT_USED_UP):
            return "quota"
        if self.code in _NO_MODEL or _MODEL_UNKNOWN.match(self._message):
            return "model"
        # OpenAI refuses log-probabilities of its models that reason as if the key were not good enough.
        is_forbidden = self.status == 403 and not self.says("logprobs")
        if self.status == 401 or is_forbidden or self.code in _NO_KEY:
            return "key"
        return "model" if self.status in {404, 405, 410} else None

    @property
    def is_unparsed(self) -> bool:
        """Whether it says that the request could not be parsed, with whatever status."""
        error = self._error
        return isinstance(error, str) and any(words in error.lower() for words in _UNPARSED)

    def says(self, word: str) -> bool:
        """Whether a refusal names the parameter `word`."""
        error = self._error
        if isinstance(error, Mapping) and isinstance(error.get("param"), str):
            return bool(error["param"] == word)
        if word in self._misplaced:
            return True
        # It may quote a customer who speaks of a temperature.
        message = self._message.lower()
        return word in message and any(verb in message for verb in _REFUSING)

    @property
    def _error(self) -> Any:
        """What is under `error`, in a list too (Gemini's); the body itself where it has none (Mistral's)."""
        body = self.body[0] if isinstance(self.body, list) and self.body else self.body
        return body.get("error", body) if isinstance(body, Mapping) else None

    @property
    def _misplaced(self) -> list[Any]:
        """The parameters that a list of mistakes in FastAPI's form names; Mistral has it under `message`."""
        holder = self._error
        if isinstance(holder, Mapping) and isinstance(holder.get("message"), Mapping):
            holder = holder["message"]
        detail = holder.get("detail") if isinstance(holder, Mapping) else None
        mistakes = [each for each in detail if isinstance(each, Mapping)] if isinstance(detail, list) else []
        places = [each.get("loc") for each in mistakes]
        return [place[-1] for place in places if isinstance(place, list) and place]

    @property
    def _message(self) -> str:
        error = self._error
        message = error.get("message") if isinstance(error, Mapping) else error
        return message if isinstance(message, str) else ""
