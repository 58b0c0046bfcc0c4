"""The Open Inference Protocol (v2) of KServe, Triton, MLServer: https://github.com/kserve/open-inference-protocol."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from models.backends.probabilities import exact
from models.backends.service import Call, Scored, fingerprint, short_name
from schemas.records import LABELS, Label

DEFAULT_INPUT = "text"


class V2:
    """A classifier that takes texts as BYTES and returns a row of three probabilities for each.

    The model's own description, where it has one, gives the input's name and whether its shape is [n] or [n, 1]; a
    server that describes nothing (MLServer) gets [n, 1]. Without an `output` the only one with three columns is read.
    """

    capability = "probabilities of a classifier"

    def __init__(
        self,
        model: str,
        *,
        texts_a_call: int,
        labels: Sequence[Label] = LABELS,
        input_name: str | None = None,
        output_name: str | None = None,
    ) -> None:
        self.texts_a_call = texts_a_call
        self._model = model
        self._path = f"/v2/models/{quote(model, safe='')}"
        self._columns = [labels.index(label) for label in LABELS]
        self._input = input_name
        self._output = output_name
        self._described: tuple[str, int] | None = None  # the input's name and rank

    async def ask(self, texts: Sequence[str], call: Call) -> list[Scored]:
        """The answers to `texts`."""
        if self._described is None:
            self._described = await self._describe(call)
        name, rank = self._described
        shape = [len(texts), 1] if rank == 2 else [len(texts)]
        body: dict[str, Any] = {
            "inputs": [{"name": name, "shape": shape, "datatype": "BYTES", "data": list(texts)}],
        }
        if self._output is not None:
            body["outputs"] = [{"name": self._output}]
        reply = await call.post(f"{self._path}/infer", body)
        if not reply.is_ok:
            raise call.refusal(reply)
        call.charge(None)
        answer = reply.body if isinstance(reply.body, Mapping) else {}
        model = call.require_model(self._model, answer.get("model_name"))
        version = fingerprint(answer.get("model_version"))
        rows = self._rows(answer.get("outputs"), len(texts))
        if rows is None:
            raise call.nonsense(f"did not answer with {len(texts)} rows of three numbers")
        return [Scored(exact([row[column] for column in self._columns]), model, version) for row in rows]

    async def _describe(self, call: Call) -> tuple[str, int]:
        reply = await call.get(self._path)
        if not reply.is_ok:
            raise call.refusal(reply)
        inputs = reply.body.get("inputs") if isinstance(reply.body, Mapping) else None
        described = [each for each in inputs if isinstance(each, Mapping)] if isinstance(inputs, list) else []
        if not described:
            return self._input or DEFAULT_INPUT, 2
        texts = [each for each in described if each.get("datatype") == "BYTES"]
        chosen = [each for each in texts if self._input is None or each.get("name") == self._input]
        if len(chosen) != 1 or not isinstance(chosen[0].get("name"), str):
            names = ", ".join(short_name(str(each.get("name"))) for each in texts[:5]) or "none"
            raise call.misfit(f"has the BYTES inputs {names}: check EDGEWISE_CLOUD_INPUT_NAME")
        shape = chosen[0].get("shape")
        return chosen[0]["name"], len(shape) if isinstance(shape, list) and len(shape) in {1, 2} else 2

    def _rows(self, outputs: Any, count: int) -> list[list[Any]] | None:
        tables = [
            flat
            for output in (outputs if isinstance(outputs, list) else [])
            if isinstance(output, Mapping) and (self._output is None or output.get("name") == self._output)
            if len(flat := list(_flat(output.get("data")))) == count * len(LABELS)
        ]
        if len(tables) != 1:
            return None
        return [tables[0][start : start + len(LABELS)] for start in range(0, count * len(LABELS), len(LABELS))]


def _flat(data: Any, depth: int = 0) -> Iterator[Any]:
    """The numbers of an output, row by row: servers send it flat or nested."""
    for value in data if isinstance(data, list) else []:
        if isinstance(value, list) and depth < 3:
            yield from _flat(value, depth + 1)
        else:
            yield value
