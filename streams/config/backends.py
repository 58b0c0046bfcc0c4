"""The cloud backend that the settings choose."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from models.allowance import Allowance
from models.artifact import load_artifact
from models.backends.bill import Tariff
from models.backends.onnx_process import OnnxProcessBackend
from models.cloud import CloudBackend
from models.languages import reads
from models.model_name import is_same_model
from models.price_book import SHIPPED, Price, PriceBook, load_prices
from schemas.errors import UsageError
from streams.config.addresses import is_loopback
from streams.config.loading import load_settings
from streams.config.settings import Settings

if TYPE_CHECKING:
    from models.backends.http import Endpoint
    from models.backends.service import HttpBackend, Service

# httpx and what speaks over it are imported where they are needed: a worker with the ONNX backend does without.

LONGEST_CHAIN = 4


async def start_backend(settings: Settings, allowance: Allowance | None = None) -> tuple[CloudBackend, str]:
    """The backend, ready to be asked, and the name of its model; a chain where `cloud_next_config` names another.

    What its calls cost is reserved from `allowance` before each; None: they may cost what they will.

    A service that cannot be reached is no reason not to start: what it does not answer keeps the edge's answer.

    Raises ArtifactError, CloudError: the ONNX process does not start. UsageError: a file that the settings name, or a
    proxy of the environment, cannot be used, or the ONNX model does not read what `cloud_languages` says.
    """
    from models.backends.chain import ChainBackend

    links = list(_links(settings))
    started: list[tuple[CloudBackend, str]] = []
    try:
        for link in links:
            started.append(await _start(link, allowance))  # noqa: PERF401 - what has started is closed when the next does not
    except BaseException:
        for backend, _ in started:
            await backend.close()
        raise
    if len(started) == 1:
        return started[0]
    languages = [link.languages_of_cloud for link in links]
    chain = ChainBackend([backend for backend, _ in started], [name for _, name in started], languages)
    return chain, chain.id


def cloud_name(settings: Settings) -> str:
    """The name of the model that answers: the artifact's id, or the service's as it is asked for.

    Raises ArtifactError: the backend is `onnx`, and its artifact is missing or altered.
    """
    if settings.cloud_backend == "onnx":
        return load_artifact(settings.cloud_model).id
    return f"{settings.cloud_backend}:{settings.cloud_model_name or settings.cloud_url}"


def find_price(settings: Settings, model: str | None) -> tuple[Price, PriceBook] | None:
    """The price of `model` and the book that it stands in: the file `prices` names, then the one that ships.

    Raises PriceError: a book can't be read.
    """
    for path in (settings.prices, SHIPPED):
        if path is not None and model is not None:
            book = load_prices(Path(path))
            if (price := book.find(model)) is not None:
                return price, book
    return None


def _tariff(settings: Settings, model: str | None) -> Tariff:
    found = find_price(settings, model)
    return Tariff(settings.cloud_price_usd, None if found is None else found[0])


def build_service(settings: Settings, allowance: Allowance | None = None) -> "HttpBackend":
    """The backend for `cloud_backend` other than `onnx`, without those that come after it.

    Raises UsageError: `cloud_ca_file`, `cloud_calibration`, `prices` or the environment's proxies cannot be used.
    """
    from models.backends.calibration import CalibrationError, load_calibration
    from models.backends.http import Caller
    from models.backends.service import HttpBackend

    service, url, headers = _service(settings)
    try:
        caller = Caller(_endpoint(settings, url, headers))
    except OSError as error:  # of which ssl.SSLError is one
        raise _unusable(settings, error) from None
    calibration = None
    if settings.cloud_calibration is not None:
        calibration = load_calibration(settings.cloud_calibration)
        asked = settings.cloud_model_name
        if asked is not None and not is_same_model(asked, calibration.model):
            raise CalibrationError(
                f"the calibration {settings.cloud_calibration} was made for {calibration.model}, and cloud_model_name "
                f"is {asked}: make one with `edgewise cloud calibrate`"
            )
    tariff = _tariff(settings, settings.cloud_model_name)
    return HttpBackend(service, caller, tariff, calibration, settings.kinds_redacted, allowance)


def _endpoint(settings: Settings, url: str, headers: dict[str, str]) -> "Endpoint":
    from models.backends.http import Endpoint

    return Endpoint(
        cloud_name(settings),
        url,
        headers,
        ca_file=settings.cloud_ca_file,
        certificate_file=settings.cloud_certificate_file,
        key_file=settings.cloud_key_file,
        concurrency=settings.cloud_concurrency,
        by_proxy=not is_loopback(urlsplit(url).hostname or ""),
    )


def _unusable(settings: Settings, error: OSError) -> UsageError:
    """Which of the files for TLS can't be used, and why."""
    for name in ("cloud_ca_file", "cloud_certificate_file", "cloud_key_file"):
        path = getattr(settings, name)
        if path is not None and not os.access(path, os.R_OK):
            why = error.strerror if not isinstance(error, ssl.SSLError) else "it can't be read"
            return UsageError(f"setting {name} is {path!r}, which can't be used: {why}")
    if settings.cloud_certificate_file is None:
        why = "it holds no certificate in PEM form"
        return UsageError(f"setting cloud_ca_file is {settings.cloud_ca_file!r}, which can't be used: {why}")
    return UsageError(
        "settings cloud_ca_file, cloud_certificate_file and cloud_key_file: one holds no certificate or no key in PEM "
        "form, the key is another certificate's, or it needs a password"
    )


def _links(settings: Settings) -> Iterator[Settings]:
    """`settings`; these with the `cloud_…` settings of the file that they name as the next; and so on."""
    yield settings
    for _ in range(LONGEST_CHAIN - 1):
        if settings.cloud_next_config is None:
            return
        following = load_settings(Path(settings.cloud_next_config), environ={})
        own = {name: getattr(following, name) for name in Settings.model_fields if name.startswith("cloud_")}
        settings = settings.model_copy(update=own)
        yield settings
    if settings.cloud_next_config is not None:
        raise UsageError(f"cloud_next_config: a chain of more than {LONGEST_CHAIN} backends, or one that has no end")


async def _start(settings: Settings, allowance: Allowance | None) -> tuple[CloudBackend, str]:
    if settings.cloud_backend != "onnx":
        service = build_service(settings, allowance)
        return service, service.id
    artifact = load_artifact(settings.cloud_model)
    unread = sorted(language for language in settings.languages_of_cloud if not reads(artifact.languages, language))
    if unread:
        raise UsageError(
            f"setting cloud_languages has {', '.join(unread)}, which {artifact.id} does not read: allowed is "
            f"{', '.join(artifact.languages)}"
        )
    process = OnnxProcessBackend(
        artifact,
        threads=settings.model_threads,
        token_budget=settings.token_budget,
        tariff=_tariff(settings, artifact.id.partition("@")[0]),
        allowance=allowance,
    )
    try:
        await process.start()
    except BaseException:
        await process.close()
        raise
    return process, process.id


def _service(settings: Settings) -> tuple["Service", str, dict[str, str]]:
    """What speaks the backend's protocol, the address that its paths are put behind, and its headers."""
    from models.backends import anthropic, openai, tei, v2

    key = settings.cloud_api_key.get_secret_value() if settings.cloud_api_key else None
    bearer = {"Authorization": f"Bearer {key}"} if key else {}
    model, url = settings.cloud_model_name or "", settings.cloud_url or ""
    if settings.cloud_backend == "openai":
        return openai.OpenAI(model), url or openai.DEFAULT_URL, bearer
    if settings.cloud_backend == "anthropic":
        headers = {"x-api-key": key or "", "anthropic-version": anthropic.VERSION}
        return anthropic.Anthropic(model), url or anthropic.DEFAULT_URL, headers
    texts, labels = settings.cloud_call_texts, settings.label_order
    if settings.cloud_backend == "tei":
        return tei.Tei(settings.cloud_model_name, texts_a_call=texts, labels=labels), url, bearer
    protocol = v2.V2(
        model,
        texts_a_call=texts,
        labels=labels,
        input_name=settings.cloud_input_name,
        output_name=settings.cloud_output_name,
    )
    return protocol, url, bearer
