"""Whose turns are scored, and in which languages."""

from typing import Literal, cast, get_args

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from models.languages import ALL, primary
from schemas.records import Role


class ScoringSettings(BaseSettings):
    """Roles and languages."""

    scored_roles: str = Field(
        "customer,agent,unknown",
        description="Whose turns are scored. Others get no result and cost nothing; an audit event says so.",
        json_schema_extra={"allowed": f"one or more of {', '.join(get_args(Role))}, with commas between"},
    )
    cloud_languages: str = Field(
        "en",
        description="What the cloud's backend reads; what the edge reads is in its artifact's manifest.",
        json_schema_extra={"allowed": "languages such as en,de,es with commas between, or * for all"},
    )
    unsupported_language: Literal["publish", "skip"] = Field(
        "publish",
        description="What becomes of a turn whose language no model reads: the edge's answer is published, `degraded`, "
        "or it is not scored.",
    )

    @field_validator("scored_roles")
    @classmethod
    def _known_roles(cls, value: str) -> str:
        for role in _list(value):
            if role not in get_args(Role):
                raise ValueError(f"{role!r} is no role")
        return value

    @field_validator("cloud_languages")
    @classmethod
    def _known_languages(cls, value: str) -> str:
        for language in _list(value):
            if language != ALL and primary(language) != language:
                raise ValueError(f"{language!r} is no language: give the shortest code of ISO 639, such as en")
        return value

    @property
    def roles_scored(self) -> frozenset[Role]:
        """`scored_roles` as a set."""
        return frozenset(cast("list[Role]", _list(self.scored_roles)))

    @property
    def languages_of_cloud(self) -> frozenset[str]:
        """`cloud_languages` as a set."""
        return frozenset(_list(self.cloud_languages))


def _list(value: str) -> list[str]:
    return [item.strip().lower() for item in value.split(",")]
