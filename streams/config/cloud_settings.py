"""Which cloud backend answers what the edge defers: its settings, and which of them belong together."""

from typing import Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic.config import JsonDict
from pydantic_settings import BaseSettings

from schemas.records import LABELS, Label
from streams.config.addresses import is_loopback, web_address

LANGUAGE_MODELS = ("openai", "anthropic")
CLASSIFIERS = ("v2", "tei")
SERVICES = (*LANGUAGE_MODELS, *CLASSIFIERS)

_NEEDED = {
    "openai": ("cloud_model_name",),
    "anthropic": ("cloud_model_name", "cloud_api_key"),
    "v2": ("cloud_url", "cloud_model_name"),
    "tei": ("cloud_url",),
}
_USERS = {
    "cloud_url": SERVICES,
    "cloud_model_name": SERVICES,
    "cloud_api_key": SERVICES,
    "cloud_ca_file": SERVICES,
    "cloud_certificate_file": SERVICES,
    "cloud_key_file": SERVICES,
    "cloud_calibration": SERVICES,
    "cloud_next_config": SERVICES,
    "cloud_label_order": CLASSIFIERS,
    "cloud_input_name": ("v2",),
    "cloud_output_name": ("v2",),
}


class CloudSettings(BaseSettings):
    """How the cloud model is reached."""

    cloud_backend: Literal["onnx", "openai", "anthropic", "v2", "tei"] = Field(
        "onnx",
        description="What answers what the edge defers: `onnx` (the artifact `cloud_model`, in a process beside the "
        "worker), `openai` (any server that speaks OpenAI's chat completions), `anthropic`, `v2` (Open Inference "
        "Protocol: KServe, Triton, MLServer), `tei` (text-embeddings-inference).",
    )
    cloud_url: str | None = Field(
        None,
        description="Where the service is. Unset: OpenAI's or Anthropic's own.",
        json_schema_extra={
            "allowed": "an http:// or https:// address without a user, a password, a space or a query; https:// alone "
            "where a key is sent to another machine"
        },
    )
    cloud_model_name: str | None = Field(
        None,
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="The model to ask the service for. An answer by another one is no answer.",
        json_schema_extra={"allowed": "a model's name, as the service knows it"},
    )
    cloud_api_key: SecretStr | None = Field(
        None,
        description="Key for the service.",
        json_schema_extra={
            "allowed": "printable ASCII without spaces, or cloud_api_key_file in its place: the file that holds it"
        },
    )
    cloud_ca_file: str | None = Field(
        None,
        description="More authorities that may have issued the service's certificate, beside the system's.",
        json_schema_extra={"allowed": "a file in PEM form"},
    )
    cloud_certificate_file: str | None = Field(
        None,
        description="This client's certificate, where the service asks for one (mutual TLS), with its key or without.",
        json_schema_extra={"allowed": "a file in PEM form"},
    )
    cloud_key_file: str | None = Field(
        None,
        description="The private key of that certificate, without a password, where it is in a file of its own.",
        json_schema_extra={"allowed": "a file in PEM form"},
    )
    cloud_concurrency: int = Field(8, ge=1, le=256, description="Most calls of the service at once, for each worker.")
    cloud_call_texts: int = Field(
        16, ge=1, le=1024, description="Most texts in one call of `v2` or `tei`; language models get one."
    )
    prices: str | None = Field(
        None,
        description="A price book of your own: what it says of a model counts, not what the shipped one says.",
        json_schema_extra={"allowed": "a TOML file in the form of models/prices.toml"},
    )
    budget_usd_per_hour: float | None = Field(
        None,
        ge=0,
        le=1e6,
        description="Most dollars that all workers' cloud calls may cost in an hour (UTC). When they are spent, the "
        "edge's answer goes out, degraded, with the reason `budget_exhausted`. Unset: no such limit.",
    )
    budget_usd_per_day: float | None = Field(None, ge=0, le=1e6, description="The same for a day (UTC).")
    budget_usd_per_month: float | None = Field(None, ge=0, le=1e6, description="The same for a calendar month (UTC).")
    cloud_label_order: str | None = Field(
        None,
        description="The order of a classifier's three outputs. Unset: negative,neutral,positive.",
        json_schema_extra={"allowed": "negative, neutral and positive in any order, with commas between them"},
    )
    cloud_input_name: str | None = Field(
        None, description="The v2 model's input for texts. Unset: its only one of type BYTES, else `text`."
    )
    cloud_output_name: str | None = Field(
        None, description="The v2 model's output with probabilities. Unset: its only one with three columns."
    )
    cloud_calibration: str | None = Field(
        None,
        description="What `edgewise cloud calibrate` wrote for this service's model. Unset: its probabilities as they "
        "are.",
        json_schema_extra={"allowed": "a file"},
    )
    cloud_next_config: str | None = Field(
        None,
        description="A settings file whose `cloud_…` settings name the backend to ask for what this one does not "
        "answer; that file may name a third.",
        json_schema_extra={"allowed": "a TOML file"},
    )

    @field_validator("cloud_url")
    @classmethod
    def _service_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        import httpx  # here, for who sets no address does without

        try:
            httpx.URL(value)
        except httpx.InvalidURL:
            raise ValueError("no address") from None
        parts = web_address(value)
        if "@" in parts.netloc or parts.query or parts.fragment or " " in value:
            raise ValueError("more than an address")
        return value.rstrip("/")

    @field_validator("cloud_api_key")
    @classmethod
    def _key_for_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all("!" <= character <= "~" for character in value.get_secret_value()):
            raise ValueError("no key")
        return value

    @field_validator("cloud_label_order")
    @classmethod
    def _all_labels(cls, value: str | None) -> str | None:
        if value is not None and sorted(_labels(value)) != sorted(LABELS):
            raise ValueError("not the labels")
        return value

    @model_validator(mode="after")
    def _cloud_settings_belong_together(self) -> Self:
        """A setting that is needed and not set, or set and not used, is refused: who sets one relies on it."""
        backend = self.cloud_backend
        problems = [
            f"cloud_backend {backend} needs {name}: allowed is {_allowed(name)}"
            for name in _NEEDED.get(backend, ())
            if getattr(self, name) is None
        ]
        problems += [
            f"{name} is set, and cloud_backend {backend} does not use it: allowed is cloud_backend "
            f"{' or '.join(users)}, or leave it unset"
            for name, users in _USERS.items()
            if getattr(self, name) is not None and backend not in users
        ]
        if self.cloud_key_file is not None and self.cloud_certificate_file is None:
            problems.append("cloud_key_file is set, and cloud_certificate_file is not: set both")
        if self.cloud_api_key is not None and self.cloud_url is not None and not _keeps_a_secret(self.cloud_url):
            problems.append("cloud_url is http:// on another machine, which anyone between could read the key on: "
                            "allowed is https://")  # fmt: skip
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def label_order(self) -> tuple[Label, ...]:
        """The labels in the order of a classifier's outputs."""
        return LABELS if self.cloud_label_order is None else _labels(self.cloud_label_order)


def _labels(value: str) -> tuple[Label, ...]:
    return cast(tuple[Label, ...], tuple(label.strip() for label in value.split(",")))


def _keeps_a_secret(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def _allowed(name: str) -> str:
    return str(cast(JsonDict, CloudSettings.model_fields[name].json_schema_extra)["allowed"])
