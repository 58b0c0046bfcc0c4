"""The live page: where it listens, who may look, and whether it shows what customers said."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from streams.config.addresses import LOCAL_HOST

LEAST_TOKEN_CHARS = 16
"""A shorter one can be guessed, over days, by whoever can reach the page."""


class PageSettings(BaseSettings):
    """How `edgewise page` serves."""

    page_host: str = Field(
        "127.0.0.1",
        pattern=LOCAL_HOST,
        description="The address that `edgewise page` listens at. Any but this machine's own needs `page_token` or "
        "`page_user_header`. In the image: 0.0.0.0, all of the container's.",
        json_schema_extra={"allowed": "an address or a name of this machine; 0.0.0.0 or :: for all"},
    )
    page_port: int = Field(8090, ge=0, le=65_535, description="Its port; 0: any that is free.")
    page_names: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.,:_\[\] -]{0,2000}$",
        description="The host names under which browsers reach the page, beside `localhost` and `page_host`. A request "
        "for any other is refused, so that no foreign site can read the page through a reader's browser.",
        json_schema_extra={"allowed": "host names without a port, several with commas between them"},
    )
    page_token: SecretStr | None = Field(
        None,
        description="Who has it may look: in a browser by a form, else as a bearer token. Unset: nobody is asked.",
        json_schema_extra={
            "allowed": f"text of {LEAST_TOKEN_CHARS} characters or more, or page_token_file in its place: the file "
            "that holds it"
        },
    )
    page_user_header: str | None = Field(
        None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,99}$",
        description="The header in which a proxy in front of the page says who is looking, after it has found out; who "
        "comes without it is refused. Whoever reaches the page past the proxy can write it.",
        json_schema_extra={"allowed": "a header's name, such as X-Forwarded-User"},
    )
    page_texts: Literal["hidden", "shown"] = Field(
        "hidden",
        description="Whether a conversation's texts, as they came, are shown: then the page reads `transcripts`.",
    )

    @field_validator("page_token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not (
            len(value.get_secret_value()) >= LEAST_TOKEN_CHARS and value.get_secret_value().isascii()
        ):
            raise ValueError
        return value
