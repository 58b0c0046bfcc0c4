"""The schema registry: which id a schema has, which schema an id has. Confluent's client talks and caches."""

import json
from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING, Any

from schemas.errors import EdgewiseError

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

NOT_FOUND = 404

# A worker stands still while it asks, so it gives up within 3 x 3 s and two waits, well before Kafka takes its
# partitions away.
TIMEOUT_S = 3
MAX_RETRIES = 2
RETRY_WAIT_MS = 500

_NONSENSE = "what answers is not a schema registry: check EDGEWISE_SCHEMA_REGISTRY_URL"


class RegistryError(EdgewiseError):
    """The schema registry does not answer, or refuses."""


def registry_client(url: str | None, user: str | None, password: str | None) -> "SchemaRegistryClient | None":
    """A client of the registry at `url` (`mock://` for one in memory); None where no registry is set.

    It connects when it is first used. Whether the URL and the credentials can be right, the settings have checked.
    """
    if url is None:
        return None
    from confluent_kafka.schema_registry import SchemaRegistryClient

    config: dict[str, object] = {
        "url": url,
        "timeout": TIMEOUT_S,
        "max.retries": MAX_RETRIES,
        "retries.wait.ms": RETRY_WAIT_MS,
    }
    if user is not None:
        config["basic.auth.user.info"] = f"{user}:{password}"
    return SchemaRegistryClient.new_client(config)


def schema_id(client: "SchemaRegistryClient", subject: str, schema: dict[str, Any]) -> int:
    """The id of `schema` under `subject`, registered if it is not there yet.

    It is looked up first, for a worker may well be allowed to read the registry and not to write to it.
    Raises `RegistryError`.
    """
    from confluent_kafka.schema_registry import Schema, SchemaRegistryError

    avro = Schema(json.dumps(schema), "AVRO")
    try:
        try:
            id_ = client.lookup_schema(subject, avro).schema_id
        except SchemaRegistryError as error:
            if error.http_status_code != NOT_FOUND:
                raise
            id_ = client.register_schema(subject, avro)
    except Exception as error:  # noqa: BLE001  what comes through depends on the HTTP library that the client found
        raise RegistryError(f"cannot register the schema {subject}: {_what_went_wrong(error)}") from None
    if id_ is None:
        raise RegistryError(f"cannot register the schema {subject}: {_NONSENSE}")
    return id_


def written_schema(client: "SchemaRegistryClient", id_: int) -> Any | None:
    """The Avro schema with this id, parsed from JSON; None when the registry has none. Raises `RegistryError`."""
    try:
        schema = client.get_schema(id_)
    except Exception as error:  # noqa: BLE001  as above
        if _status(error) == NOT_FOUND:
            return None
        raise RegistryError(f"cannot read schema id {id_}: {_what_went_wrong(error)}") from None
    if schema.schema_str is None:
        raise RegistryError(f"cannot read schema id {id_}: {_NONSENSE}")
    if schema.schema_type not in {None, "AVRO"}:
        return None
    try:
        return json.loads(schema.schema_str)
    except (ValueError, RecursionError):
        return None


def _status(error: Exception) -> int | None:
    """The HTTP status that the registry answered, if it did."""
    return getattr(error, "http_status_code", None)


def _refused_certificate(error: BaseException | None) -> SSLCertVerificationError | None:
    """The refusal of the registry's certificate that lies below `error`, if one does."""
    while error is not None and not isinstance(error, SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _what_went_wrong(error: Exception) -> str:
    """One line for the user. Nothing of the error's own text, which may repeat the URL or the request."""
    if (refused := _refused_certificate(error)) is not None:
        why = refused.verify_message.rstrip(".")
        return f"its certificate is not accepted ({why}): SSL_CERT_FILE names the file of the authorities to trust"
    status = _status(error)
    if status is None:
        return f"the schema registry does not answer ({type(error).__name__}): check EDGEWISE_SCHEMA_REGISTRY_URL"
    hints = {
        401: "check EDGEWISE_SCHEMA_REGISTRY_USER and EDGEWISE_SCHEMA_REGISTRY_PASSWORD",
        403: "EDGEWISE_SCHEMA_REGISTRY_USER may not do this",
        409: "the subject has a schema that this one is not compatible with",
    }
    hint = hints.get(status, f"its error code is {getattr(error, 'error_code', None)}")
    return f"the schema registry answers HTTP {status}: {hint}"
