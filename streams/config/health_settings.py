"""When something is wrong."""

from pydantic import Field
from pydantic_settings import BaseSettings


class HealthSettings(BaseSettings):
    """What the health agent and `edgewise health` go by."""

    health_rules: str | None = Field(
        None,
        description="File with rules of your own, over those that ship, for alerts and bounds: see docs/health.md.",
        json_schema_extra={"allowed": "a TOML file in the form of streams/monitoring/health_rules.toml"},
    )
