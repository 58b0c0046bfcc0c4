"""Spans as the settings want them."""

from contextlib import AbstractContextManager, nullcontext, suppress
from importlib.metadata import PackageNotFoundError, version

from streams.config.settings import Settings
from streams.system.tracing import tracing


def traced(settings: Settings, part: str) -> AbstractContextManager[None]:
    """While it is entered, this process makes spans where the settings say so; `part` is what it is of Edgewise.

    Raises UsageError as it is entered: OpenTelemetry is not installed.
    """
    if settings.otel_endpoint is None:
        return nullcontext()
    resource = {
        "service.name": f"edgewise-{part}",
        "service.namespace": settings.topic_prefix.rstrip("._-") or "edgewise",
        "service.instance.id": settings.worker_id,
    }
    with suppress(PackageNotFoundError):  # run from its sources, without an installation
        resource["service.version"] = version("edgewise")
    return tracing(settings.otel_endpoint, settings.otel_sample_rate, resource)
