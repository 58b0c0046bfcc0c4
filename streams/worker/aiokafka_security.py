"""Secured connections for aiokafka, in the terms of Faust."""

import asyncio
import logging

from aiokafka.abc import AbstractTokenProvider
from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from streams.config.kafka_settings import SASL, TLS
from streams.config.settings import Settings
from streams.kafka.oauth import TokenSource, token_source
from streams.kafka.security import tls_context


class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """Gives aiokafka the token that librdkafka's clients use too."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def token(self) -> str:
        """The current token. Raises TokenError, TokenRefusedError."""
        token, _ = await asyncio.to_thread(self._source.token)
        return token


def credentials(settings: Settings) -> CredentialsT | None:
    """What Faust's `broker_credentials` is to be. Raises UsageError: a certificate or key is not what it should be."""
    # At level DEBUG aiokafka logs each request as it is, a login's with its password.
    requests = logging.getLogger("aiokafka.conn")
    requests.setLevel(max(logging.INFO, requests.getEffectiveLevel()))
    tls = tls_context(settings) if settings.kafka_security_protocol in TLS else None
    if settings.kafka_security_protocol not in SASL:
        return None if tls is None else SSLCredentials(tls)
    if settings.kafka_sasl_mechanism == "OAUTHBEARER":
        return OAuthCredentials(oauth_cb=TokenProvider(token_source(settings)), ssl_context=tls)
    password = settings.kafka_password
    return SASLCredentials(
        username=settings.kafka_username,
        password=password.get_secret_value() if password else None,
        ssl_context=tls,
        mechanism=settings.kafka_sasl_mechanism,
    )
