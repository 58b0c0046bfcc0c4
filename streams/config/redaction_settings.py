"""What is taken out of a text before it leaves the worker, and which events stay there altogether."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_serializer, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from models.redaction import KINDS
from models.residency import LocalRule, local_rule

Rules = Annotated[tuple[LocalRule, ...], NoDecode]


class RedactionSettings(BaseSettings):
    """Redaction and residency."""

    redaction: Literal["rules", "tagger", "off"] = Field(
        "rules",
        description="How personal data is found in a text before it goes to `cloud-inference`: by `rules`, by these "
        "and a `tagger`, or `off`, not at all. Rules are applied to what goes to a service over HTTP in any case.",
    )
    redaction_model: str = Field(
        "redaction", description="Artifact of the tagger: a name in models/artifacts or a folder."
    )
    redaction_kinds: str = Field(
        ",".join(KINDS),
        description="The kinds that are redacted; docs/redaction.md tells what each is.",
        json_schema_extra={"allowed": "one or more of them, with commas between"},
    )
    sensitive_local: Rules = Field(
        (),
        description="Events that stay on the edge, whatever the router says: rules by kinds, roles, channels, "
        "languages, sources and attributes; see docs/redaction.md.",
        json_schema_extra={"allowed": "tables in the file, a JSON list of objects in the variable"},
    )

    @field_validator("redaction_kinds")
    @classmethod
    def _known_kinds(cls, value: str) -> str:
        for kind in _kinds(value):
            if kind not in KINDS:
                raise ValueError(f"{kind!r} is no kind")
        return value

    @field_validator("sensitive_local", mode="before")
    @classmethod
    def _rules(cls, value: Any) -> tuple[LocalRule, ...]:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise ValueError("not JSON") from None
        if not isinstance(value, list | tuple):
            raise ValueError("not a list of rules")  # noqa: TRY004 - pydantic's way to refuse a value
        rules = []
        for number, table in enumerate(value, 1):
            try:
                rules.append(table if isinstance(table, LocalRule) else local_rule(table))
            except ValueError as error:
                raise ValueError(f"rule {number}: {error}") from None
        return tuple(rules)

    @field_serializer("sensitive_local")
    def _as_json(self, rules: Rules) -> str:
        """The rules as a variable has them, for settings that are handed to another process."""
        return json.dumps([rule.table() for rule in rules])

    @model_validator(mode="after")
    def _rules_go_by_what_is_looked_for(self) -> Self:
        sought = frozenset[str]() if self.redaction == "off" else self.kinds_redacted
        for number, rule in enumerate(self.sensitive_local, 1):
            if unsought := sorted(rule.kinds - sought):
                raise ValueError(
                    f"sensitive_local: rule {number} goes by {', '.join(unsought)}, which is not looked for: allowed "
                    f"are the kinds of redaction_kinds, with redaction other than off"
                )
        return self

    @property
    def kinds_redacted(self) -> frozenset[str]:
        """`redaction_kinds` as a set."""
        return frozenset(_kinds(self.redaction_kinds))


def _kinds(value: str) -> list[str]:
    return [kind.strip().upper() for kind in value.split(",")]
