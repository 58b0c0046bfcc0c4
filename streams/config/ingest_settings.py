"""The HTTP door: where it listens, who may come in, and what it takes at most."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from streams.config.addresses import LOCAL_HOST, web_address


class IngestSettings(BaseSettings):
    """How `edgewise ingest` serves."""

    ingest_host: str = Field(
        "127.0.0.1",
        pattern=LOCAL_HOST,
        description="The address that `edgewise ingest` listens at. In the image: 0.0.0.0, all of the container's.",
        json_schema_extra={"allowed": "an address or a name of this machine; 0.0.0.0 or :: for all"},
    )
    ingest_port: int = Field(8080, ge=0, le=65_535, description="Its port; 0: any that is free.")
    ingest_secrets_folder: str | None = Field(
        None,
        description="The folder with the secrets of those who may come in: `tokens` (of `/v1/events`) and a file for "
        "each vendor, named as its path is: `zoom`, `twilio` and so on. A secret a line; all of a file are valid.",
        json_schema_extra={"allowed": "a folder"},
    )
    ingest_public_url: str | None = Field(
        None,
        description="The address at which the world sees the server. Twilio signs it. Unset: as a request says.",
        json_schema_extra={"allowed": "an http:// or https:// address without a query"},
    )
    ingest_role_map: str = Field(
        "",
        description="Whose a speaker of a vendor is, as `--role-map` of `edgewise replay`.",
        json_schema_extra={"allowed": "WHO=ROLE, several with commas between them, such as channel:0=customer"},
    )
    ingest_max_body_bytes: int = Field(
        1_048_576, ge=1_024, le=67_108_864, description="A larger request is refused before it is read."
    )
    ingest_connections: int = Field(
        256, ge=1, le=100_000, description="Connections served at once; more are answered 503."
    )
    ingest_deadline_ms: int = Field(
        2_500,
        ge=100,
        le=600_000,
        description="Where Kafka has not taken a request's events by then, the answer is 429 or 503. Zoom waits 3 s.",
    )
    ingest_remember_h: int = Field(
        24,
        ge=1,
        le=720,
        description="Hours for which an event that came in by HTTP is remembered: sent again, it makes no second one.",
    )

    @field_validator("ingest_public_url")
    @classmethod
    def _public(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = web_address(value)
        if parts.query or parts.fragment:
            raise ValueError
        return value.rstrip("/")
