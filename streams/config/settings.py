"""Every setting, in one class. `loading.py` reads their values, `words.py` says what they may be."""

import socket
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from models.policy_file import POLICY_ENDINGS
from models.router import Preset
from schemas.records import Role
from streams.config.addresses import LOCAL_HOST, web_address
from streams.config.cloud_settings import CloudSettings
from streams.config.conversation_settings import ConversationSettings
from streams.config.health_settings import HealthSettings
from streams.config.ingest_settings import IngestSettings
from streams.config.kafka_settings import KafkaSettings
from streams.config.page_settings import PageSettings
from streams.config.redaction_settings import RedactionSettings
from streams.config.scoring_settings import ScoringSettings
from streams.config.tracing_settings import TracingSettings

ENV_PREFIX = "EDGEWISE_"

Probability = Annotated[float, Field(ge=0, le=1)]
Partitions = Annotated[int, Field(ge=1, le=10_000)]


class Settings(
    HealthSettings,
    ConversationSettings,
    ScoringSettings,
    RedactionSettings,
    PageSettings,
    IngestSettings,
    CloudSettings,
    TracingSettings,
    KafkaSettings,
):
    """What a worker and every command go by.

    A variable (`EDGEWISE_TOPIC_PREFIX`) wins over the TOML file (`topic_prefix = "…"`), the file over the default. The
    file is `--config`, else `EDGEWISE_CONFIG`, else `./edgewise.toml` when it is there. `load_settings` reads them; the
    class itself takes what it is given and no more, so that a test or a program is not at the environment's mercy.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    topic_prefix: str = Field(
        "",
        pattern=r"^[a-zA-Z0-9._-]{0,100}$",
        description="Put before every topic, consumer group and transactional id: installations can share a cluster.",
        json_schema_extra={"allowed": "up to 100 letters, digits, dots, underscores and hyphens"},
    )
    worker_id: str = Field(
        default_factory=socket.gethostname,
        pattern=r"^[a-zA-Z0-9._-]{1,200}$",
        description="Names this worker's transactional producers; two workers with one id fence each other. "
        "Unset: the host name.",
        json_schema_extra={"allowed": "1 to 200 letters, digits, dots, underscores and hyphens"},
    )
    transcripts_partitions: Partitions = Field(4, description="Partitions of `transcripts` when topics are created.")
    cloud_inference_partitions: Partitions = Field(4, description="Partitions of `cloud-inference`.")
    routing_events_partitions: Partitions = Field(4, description="Partitions of `routing-events`.")
    sentiment_partitions: Partitions = Field(4, description="Partitions of `sentiment`.")
    replication_factor: int = Field(1, ge=1, le=15, description="Replicas of each topic when topics are created.")
    schema_registry_url: str | None = Field(
        None,
        description="Confluent-compatible schema registry. Unset: Avro single-object encoding, no registry.",
        json_schema_extra={"allowed": "an http:// or https:// address"},
    )
    schema_registry_user: str | None = Field(None, description="User for the schema registry's basic authentication.")
    schema_registry_password: SecretStr | None = Field(
        None,
        description="Password for it.",
        json_schema_extra={"allowed": "text, or schema_registry_password_file in its place: the file that holds it"},
    )

    schema_version: int | None = Field(
        None,
        ge=1,
        le=2,
        description="Write no newer version of the schemas, while readers of an older release are left: see "
        "docs/schemas.md. Unset: the newest.",
    )

    edge_model: str = Field(
        "edge",
        description="Artifact of the edge model: a name in models/artifacts, a folder, or a folder of versions that "
        "`edgewise models promote` has made, whose version in force edge workers take up while they run.",
    )
    shadow_model: str | None = Field(
        None,
        description="Artifact that the agent `shadow` tries on live traffic: a name or a folder. Unset: there is none.",
    )
    cloud_model: str = Field("cloud", description="Artifact that the `onnx` cloud backend runs.")
    model_threads: int = Field(1, ge=1, le=256, description="Threads of the model in each worker process.")
    token_budget: int = Field(
        256, ge=1, le=1_000_000, description="Tokens (texts times the longest of them) in one call of the model."
    )
    max_text_chars: int = Field(
        32_768, ge=1, le=500_000, description="A longer text goes to dead-letters (Kafka's message limit is 1 MB)."
    )

    router: str = Field(
        "default",
        description="Routing policy: `default` (calibrated), `article` (the article's numbers), or the file of a "
        "policy that `edgewise route calibrate` has made.",
        json_schema_extra={"allowed": "default, article, or a file that ends in .toml or .json"},
    )
    confidence_threshold: Probability | None = Field(
        None, description="Below it an event goes to the cloud. Unset: the policy's own."
    )
    complexity_threshold: float | None = Field(
        None, ge=0, description="Above it an event goes to the cloud. Unset: 0.75."
    )
    random_cloud_rate: Probability | None = Field(
        None,
        description="Share of confident events sent to the cloud all the same, the unbiased sample. "
        "Unset: the policy's own.",
    )
    edge_price_usd: float = Field(0.001, ge=0, le=1000, description="Dollars for one edge query (the article's price).")
    edge_core_hour_usd: float | None = Field(
        None,
        ge=0,
        le=1000,
        description="Dollars for an hour of a processor's core. Set, an edge query costs its share of the processor's "
        "time that scoring took, measured. Unset: `edge_price_usd`, assumed.",
    )
    cloud_price_usd: float = Field(
        0.0136, ge=0, le=1000, description="Dollars for one cloud query (the article's price)."
    )
    cloud_deadline_ms: int = Field(
        5000,
        ge=10,
        le=600_000,
        description="A call of the cloud is answered within it, or the edge's answers go out, degraded. The `onnx` "
        "backend's calls hold up to 8,000 characters, or one longer text.",
    )

    chunk_records: int = Field(
        500,
        ge=1,
        le=100_000,
        description="A quarter of the most records that an agent is given at once, in one transaction.",
    )
    webhooks: str | None = Field(
        None,
        description="File that says who is told of which alerts by the `notify` agent: see docs/alerts.md.",
        json_schema_extra={"allowed": "a TOML file with a table [[webhook]] for each"},
    )
    window_s: int = Field(60, ge=1, le=86_400, description="Length of a monitoring window.")
    drift_reference: str | None = Field(
        None,
        description="File that `edgewise drift freeze` has made: drift is measured against it. Unset: none is.",
        json_schema_extra={"allowed": "a file that `edgewise drift freeze` has made"},
    )
    dead_letter_limit: Probability = Field(
        0.5, description="Share of dead letters among the last 1,000 records above which a worker stops. 1: never."
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="A worker's metrics and probes (`/metrics`, `/livez`, `/readyz`) at this port; 0: none.",
    )
    # Metrics tell topics, models and costs to whoever asks: a worker started by hand shows them to its own machine. The
    # image sets 0.0.0.0, for what listens at a container's loopback can be scraped by nobody.
    metrics_host: str = Field(
        "127.0.0.1",
        pattern=LOCAL_HOST,
        description="The address that they listen at. In the image: 0.0.0.0, all of the container's.",
        json_schema_extra={"allowed": "an address or a name of this machine; 0.0.0.0 or :: for all"},
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged, in any case; of libraries at `info` only warnings."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How log lines look: text, or a JSON object (time, level, logger, message, exception)."
    )

    @field_validator("schema_registry_url")
    @classmethod
    def _registry(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("mock://"):  # one in memory
            for each in value.split(","):  # the client asks the next one where one does not answer
                if "@" in web_address(each.strip()).netloc:
                    raise ValueError(
                        "leave the login out: schema_registry_user and schema_registry_password are for it"
                    )
        return value

    @field_validator("router")
    @classmethod
    def _preset_or_file(cls, value: str) -> str:
        if value not in get_args(Preset) and not value.endswith(POLICY_ENDINGS):
            raise ValueError
        return value

    @model_validator(mode="after")
    def _a_login_has_both_parts_and_a_registry(self) -> Self:
        if (self.schema_registry_user is None) != (self.schema_registry_password is None):
            raise ValueError("schema_registry_user and schema_registry_password belong together: set both or neither")
        if self.schema_registry_user is not None and self.schema_registry_url is None:
            raise ValueError(
                "schema_registry_user is set, and schema_registry_url is not: set both, or leave the login unset"
            )
        return self

    @model_validator(mode="after")
    def _what_an_older_version_can_say(self) -> Self:
        if self.schema_version == 1 and not (
            self.roles_scored == frozenset(get_args(Role)) and self.unsupported_language == "publish"
        ):
            raise ValueError(
                "schema_version 1 cannot say that an event is not scored: allowed with it is scored_roles "
                f"{','.join(get_args(Role))} and unsupported_language publish"
            )
        return self

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value: object) -> object:
        """In Python True is the number 1, in a settings file `true` is a mistake."""
        if isinstance(value, bool):
            raise ValueError  # noqa: TRY004 - pydantic's way to refuse a value
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the class is called with: `load_settings` merges the rest, and knows where each value is from."""
        return (init_settings,)

    def topic(self, name: str) -> str:
        """The full name of topic `name` on the cluster."""
        return self.topic_prefix + name

    def group(self, agent: str) -> str:
        """The consumer group of `agent`."""
        return f"{self.topic_prefix}edgewise-{agent}"

    def transactional_id(self, agent: str) -> str:
        """What the transactional ids of this worker's `agent` begin with."""
        return f"{self.topic_prefix}edgewise-{agent}-{self.worker_id}"


def variable(name: str) -> str:
    """The environment variable of setting `name`."""
    return ENV_PREFIX + name.upper()
