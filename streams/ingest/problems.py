"""Why a request is refused, as its answer says: problem details (RFC 9457), without a word of what was sent."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from starlette.responses import JSONResponse


class Problem(Exception):  # noqa: N818 - an answer, not a fault of this program
    """An answer other than success."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers

    def response(self) -> JSONResponse:
        """The answer."""
        content = {"title": HTTPStatus(self.status).phrase, "status": self.status, "detail": self.detail}
        return JSONResponse(
            content, self.status, {**self.headers}, media_type="application/problem+json; charset=utf-8"
        )


def too_large(limit: int) -> Problem:
    """413."""
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {limit:,} bytes are allowed: send fewer at a time")


def unsupported(what: str) -> Problem:
    """415: `what` is allowed."""
    return Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"allowed is {what}")


def unauthorized(why: str, challenge: str | None = None) -> Problem:
    """401."""
    headers = {} if challenge is None else {"WWW-Authenticate": challenge}
    return Problem(HTTPStatus.UNAUTHORIZED, why, headers)
