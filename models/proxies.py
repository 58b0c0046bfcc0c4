"""The environment's proxies, where a client of HTTP cannot use them."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from schemas.errors import UsageError


@contextmanager
def proxies_told() -> Iterator[None]:
    """Clients of HTTP are made within it. Raises UsageError: the environment's proxies can't be used."""
    try:
        yield
    except (ImportError, ValueError, httpx.InvalidURL):  # whose words may have a proxy's password
        raise UsageError(
            "the environment's proxies can't be used: allowed are http:// or https:// addresses in HTTPS_PROXY, "
            "HTTP_PROXY and ALL_PROXY, and names or single addresses with commas between them in NO_PROXY"
        ) from None
