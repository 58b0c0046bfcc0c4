"""Traces: where spans are sent, and how many."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from streams.config.addresses import web_address


class TracingSettings(BaseSettings):
    """Which spans are made of what this process does. A trace's context is carried on without any of it."""

    otel_endpoint: str | None = Field(
        None,
        description="Where spans are sent, by OTLP over HTTP: a collector, such as `http://collector:4318`. It needs "
        "the extra `otel`. Unset: no spans.",
        json_schema_extra={"allowed": "an http:// or https:// address without a user, a query or /v1/traces"},
    )
    otel_sample_rate: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the traces begun here that are recorded. What comes with a `traceparent` goes by that.",
    )

    @field_validator("otel_endpoint")
    @classmethod
    def _endpoint(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = web_address(value)
        if parts.query or parts.fragment or parts.username or parts.password:
            raise ValueError
        if parts.path.rstrip("/").endswith("/v1/traces"):
            raise ValueError
        return value.rstrip("/")
