"""HuggingFace's text-embeddings-inference, which also serves classifiers: its `/predict` (OpenAPI of version 1.9)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from models.backends.bill import Usage
from models.backends.probabilities import exact
from models.backends.reply import Reply
from models.backends.service import Call, Scored, fingerprint
from models.spending import Tokens
from schemas.records import LABELS, Label

_NUMBERED = re.compile(r"LABEL_([0-2])")


class _Info(NamedTuple):
    model: str
    fingerprint: str | None
    most_texts: int


class Tei:
    """A classifier whose labels are negative, neutral and positive, or LABEL_0 to LABEL_2 in the order of `labels`."""

    capability = "probabilities of a classifier"

    def __init__(self, model: str | None, *, texts_a_call: int, labels: Sequence[Label] = LABELS) -> None:
        self.texts_a_call = texts_a_call
        self._model = model
        self._labels = labels
        self._info: _Info | None = None

    async def ask(self, texts: Sequence[str], call: Call) -> list[Scored]:
        """The answers to `texts`, in as many requests as the server's largest batch makes of them."""
        if self._info is None:
            self._info = await self._describe(call)
        info, scored = self._info, list[Scored]()
        for start in range(0, len(texts), info.most_texts):
            part = texts[start : start + info.most_texts]
            # A list of two strings would be a pair, not a batch: each text is a list of its own.
            body = {"inputs": [[text] for text in part], "raw_scores": False, "truncate": True}
            try:
                reply = await call.post("/predict", body)
            except BaseException:
                self._info = None  # it may come back with another model
                raise
            if not reply.is_ok:
                raise call.refusal(reply)
            call.charge(_usage(reply), len(part))
            rows = reply.body
            if not isinstance(rows, list) or len(rows) != len(part):
                raise call.nonsense(f"did not answer with {len(part)} rows")
            scored += [Scored(exact(self._ordered(row, call)), info.model, info.fingerprint) for row in rows]
        return scored

    async def _describe(self, call: Call) -> _Info:
        reply = await call.get("/info")
        if not reply.is_ok:
            raise call.refusal(reply)
        info: Any = reply.body if isinstance(reply.body, Mapping) else {}
        kind = info.get("model_type")
        if not isinstance(kind, Mapping) or "classifier" not in kind:
            raise call.misfit("serves no classifier: check EDGEWISE_CLOUD_URL")
        served = info.get("model_id")
        model = call.require_model(self._model or str(served), served)
        most = info.get("max_client_batch_size")
        return _Info(
            model,
            fingerprint(info.get("model_sha")),
            max(1, min(self.texts_a_call, most)) if type(most) is int else self.texts_a_call,
        )

    def _ordered(self, row: Any, call: Call) -> list[Any]:
        """The scores of `row`, which is sorted by them, in the order of `LABELS`."""
        found: dict[str, Any] = {}
        for entry in row if isinstance(row, list) else []:
            label = entry.get("label") if isinstance(entry, Mapping) else None
            if not isinstance(label, str):
                continue
            number = _NUMBERED.fullmatch(label)
            found[self._labels[int(number[1])] if number else label.lower()] = entry.get("score")
        if set(found) != set(LABELS):
            raise call.nonsense("has other labels than negative, neutral and positive")
        return [found[label] for label in LABELS]


def _usage(reply: Reply) -> Usage | None:
    tokens = reply.headers.get("x-compute-tokens", "")
    is_count = tokens.isascii() and tokens.isdigit() and len(tokens) < 10
    return Usage(Tokens(int(tokens))) if is_count and int(tokens) else None
