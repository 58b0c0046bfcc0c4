"""Every setting, in one class: read from `EDGEWISE_…` variables and a TOML file, checked before anything starts."""

import os
import socket
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin
from urllib.parse import urlsplit

from annotated_types import Ge, Le
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from schemas.errors import UsageError
from streams.config.kafka_settings import KafkaSettings

ENV_PREFIX = "EDGEWISE_"
CONFIG_VARIABLE = "EDGEWISE_CONFIG"
DEFAULT_CONFIG = Path("edgewise.toml")
MASK = "********"

# A secret may be in a file, as container platforms mount them: `kafka_password_file` is where `kafka_password` is.
FILE_SUFFIX = "_file"

Probability = Annotated[float, Field(ge=0, le=1)]
Partitions = Annotated[int, Field(ge=1, le=10_000)]


class Settings(KafkaSettings):
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
    schema_registry_password: SecretStr | None = Field(None, description="Password for it.")

    edge_model: str = Field("edge", description="Artifact of the edge model: a name in models/artifacts or a folder.")
    cloud_model: str = Field("cloud", description="Artifact that the `onnx` cloud backend runs.")
    model_threads: int = Field(1, ge=1, le=256, description="Threads of the model in each worker process.")
    token_budget: int = Field(
        256, ge=1, le=1_000_000, description="Tokens (texts times the longest of them) in one call of the model."
    )
    max_text_chars: int = Field(
        32_768, ge=1, le=500_000, description="A longer text goes to dead-letters (Kafka's message limit is 1 MB)."
    )

    router: Literal["default", "article"] = Field(
        "default", description="Routing policy: `default` (calibrated) or `article` (the article's numbers)."
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
    cloud_price_usd: float = Field(
        0.0136, ge=0, le=1000, description="Dollars for one cloud query (the article's price)."
    )
    cloud_deadline_ms: int = Field(
        5000,
        ge=10,
        le=600_000,
        description="The cloud answers a batch within it, or the edge's answers go out, degraded.",
    )

    chunk_records: int = Field(
        500, ge=1, le=100_000, description="Most records of one partition handled as one Faust event."
    )
    window_s: int = Field(60, ge=1, le=86_400, description="Length of a monitoring window.")
    dead_letter_limit: Probability = Field(
        0.5, description="Share of dead letters among the last 1,000 records above which a worker stops. 1: never."
    )
    metrics_port: int = Field(0, ge=0, le=65_535, description="Prometheus metrics at this port; 0: none.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="Least severity that is logged."
    )

    @field_validator("schema_registry_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None and not (urlsplit(value).scheme in {"http", "https", "mock"} and urlsplit(value).netloc):
            raise ValueError("no address")
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


class Sources(NamedTuple):
    """The values that were given, by setting's name, as they were written."""

    environ: dict[str, Any]
    file: dict[str, Any]
    path: Path | None
    in_files: frozenset[str]  # secrets that the environment gave the file of

    def origin(self, name: str) -> str:
        """Where the value of setting `name` comes from: a variable, the file, or `default`."""
        if name in self.environ:
            return variable(name + FILE_SUFFIX if name in self.in_files else name)
        return str(self.path) if name in self.file else "default"


def load_settings(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force: variables of `environ` (default: the process's) over the TOML file over the defaults.

    Raises UsageError: a value is not allowed, a variable or key is unknown, or the file named by `config` or
    EDGEWISE_CONFIG is missing or not TOML.
    """
    sources = _read(config, environ)
    try:
        return Settings(**(sources.file | sources.environ))
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
    raise UsageError("; ".join(_refusal(error, sources) for error in errors))


def origins(config: Path | None = None, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Where the value of each setting comes from: the variable's name, the file's path, or `default`.

    Raises UsageError as `load_settings` does for what cannot be read at all.
    """
    sources = _read(config, environ)
    return {name: sources.origin(name) for name in Settings.model_fields}


def variable(name: str) -> str:
    """The environment variable of setting `name`."""
    return ENV_PREFIX + name.upper()


def allowed(name: str) -> str:
    """What setting `name` may be, in words."""
    field = Settings.model_fields[name]
    if isinstance(field.json_schema_extra, dict) and "allowed" in field.json_schema_extra:
        return str(field.json_schema_extra["allowed"])
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(get_args(field.annotation))
    kind, constraints = field.annotation, list(field.metadata)
    for option in get_args(field.annotation):  # of `int | None`, or `Annotated[int, Field(…)] | None`
        if option is not type(None):
            kind = getattr(option, "__origin__", option)
            constraints += [part for info in getattr(option, "__metadata__", ()) for part in info.metadata]
    low = next((constraint.ge for constraint in constraints if isinstance(constraint, Ge)), None)
    high = next((constraint.le for constraint in constraints if isinstance(constraint, Le)), None)
    noun = "a whole number" if kind is int else "a number" if kind is float else "text"
    if low is None:
        return noun
    return f"{noun} of {low:,} or more" if high is None else f"{noun} from {low:,} to {high:,}"


def is_secret(name: str) -> bool:
    """Whether the value of setting `name` is shown to nobody."""
    return SecretStr in {Settings.model_fields[name].annotation, *get_args(Settings.model_fields[name].annotation)}


def shown(name: str, value: object) -> str:
    """`value` of setting `name` as it may be shown: secrets, and credentials inside an address, are masked."""
    if value is None:
        return ""
    if is_secret(name):
        return MASK
    text = str(value)
    if name.endswith("_url") and "@" in text:
        scheme, separator, rest = text.partition("://")
        return f"{scheme}{separator}{MASK}@{rest.rpartition('@')[2]}" if separator else MASK
    return text


def _read(config: Path | None, environ: Mapping[str, str] | None) -> Sources:
    given = {name: value for name, value in (os.environ if environ is None else environ).items() if value}
    variables = {name: value for name, value in given.items() if name.startswith(ENV_PREFIX)}
    path = config or (Path(variables[CONFIG_VARIABLE]) if CONFIG_VARIABLE in variables else None)
    if path is None and DEFAULT_CONFIG.is_file():
        path = DEFAULT_CONFIG
    file = _read_file(path) if path else {}
    secrets = {name + FILE_SUFFIX: name for name in Settings.model_fields if is_secret(name)}
    known = [*Settings.model_fields, *secrets]
    _refuse_unknown(variables, {*map(variable, known), CONFIG_VARIABLE}, "environment variable")
    _refuse_unknown(file, known, f"setting in {path}")
    in_files = frozenset(name for key, name in secrets.items() if variable(key) in variables)
    for key, name in secrets.items():
        if variable(key) in variables:
            _read_secret(variables, variable(key), variable(name))
        if key in file:
            _read_secret(file, key, name)
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in variables.items()}
    return Sources(source(), file, path, in_files)


def _read_secret(values: dict[str, Any], key: str, name: str) -> None:
    """Puts what is in the file that `values` has under `key` under `name`; a line break at its end is none of it."""
    if name in values:
        raise UsageError(f"{name} and {key} are both set: give the secret or the file that it is in")
    path = str(values.pop(key))
    try:
        secret = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise UsageError(f"{key} is {path!r}, which can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{key} is {path!r}, which is no text: allowed is UTF-8") from None
    if not secret:
        raise UsageError(f"{key} is {path!r}, which is empty: allowed is a file that holds the secret")
    values[name] = secret


def _read_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UsageError(f"settings file {path} does not exist (named by --config or {CONFIG_VARIABLE})")
    try:
        return TomlConfigSettingsSource(Settings, toml_file=path)()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"settings file {path} is not TOML: {error}") from None
    except OSError as error:
        raise UsageError(f"settings file {path} can't be read: {error.strerror}") from None


def _refuse_unknown(names: Iterable[str], known: Iterable[str], what: str) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        near = get_close_matches(unknown[0], known, 1, cutoff=0)[0]
        name = unknown[0] if unknown[0].isprintable() else repr(unknown[0])  # it may hold a line break
        raise UsageError(f"unknown {what}: {name}; the nearest known one is {near}, `edgewise config` lists all")


def _refusal(error: ErrorDetails, sources: Sources) -> str:
    if not error["loc"]:  # several settings do not go together; their values, which may be secret, are not in it
        return str(error["ctx"]["error"])
    name = str(error["loc"][0])
    return f"setting {name} ({sources.origin(name)}) is {shown(name, error['input'])!r}: allowed is {allowed(name)}"
