"""Addresses in settings: what one must look like to be looked up at all, and whether it is this machine's own."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

# Python looks up no host's name with a part, between two dots, that is empty or longer: it raises UnicodeError.
_PART = r"[^\s;,@/\[\]]{1,63}"

LOCAL_HOST = r"^(?:[A-Za-z0-9:_-]{1,63}\.)*[A-Za-z0-9:_-]{1,63}\.?$"
"""What the address that a server listens at looks like, or a name of it."""


def is_host(name: str) -> bool:
    """Whether `name`, of a host, or an address without brackets, can be looked up."""
    return all(re.fullmatch(_PART, part) for part in name.removesuffix(".").split("."))


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is this machine's own."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def web_address(text: str) -> SplitResult:
    """The parts of `text`. Raises ValueError, without a word of it: it is no http:// or https:// address."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # its words repeat a part of the address, which may be one of a password
        raise ValueError from None
    if not fits:
        raise ValueError
    return parts
