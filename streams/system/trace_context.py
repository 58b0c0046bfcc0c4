"""The trace that an event belongs to, as W3C Trace Context has it in headers: carried on, with spans or without.

https://www.w3.org/TR/trace-context/: `traceparent` names the trace and the span that a record comes of, `tracestate`
is what the tracing systems on the way note beside it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from schemas.dead_letter import Header

PARENT: Final = "traceparent"
STATE: Final = "tracestate"

TraceHeaders = tuple[tuple[str, bytes], ...]
Attributes = Mapping[str, str | int]

# Version, trace, span, flags; neither id may be all zeros. Of a later version than 00 as much is known.
_PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
# Neither blanks nor letters beyond ASCII: whoever sends it cannot put a sentence there.
_MEMBER = rb"[a-z0-9][a-z0-9_*/@-]{0,255}=[!-+\--<>-~]{1,256}"
_STATE = re.compile(_MEMBER + rb"(?:[ \t]*,[ \t]*" + _MEMBER + rb"){0,31}")
_LONGEST_STATE: Final = 512
_SAMPLED: Final = 1


class Span:
    """A piece of work in a trace. This one is not recorded: it only passes on what came.

    `headers` are what the records that come of the work are to bear.
    """

    __slots__ = ("headers",)

    def __init__(self, headers: TraceHeaders = ()) -> None:
        self.headers = headers

    @property
    def is_sampled(self) -> bool:
        """Whether the trace is one whose spans are recorded."""
        return bool(self.headers) and bool(int(self.headers[0][1][-2:], 16) & _SAMPLED)

    def tell(self, attributes: Attributes) -> None:
        """Notes of what kind the work was. They must hold no customer's text and no secret."""

    def end(self, failure: str = "") -> None:
        """Ends the work, once; `failure` says in a word why it came to nothing."""


NO_SPAN: Final = Span()
"""Of a record that belongs to no trace."""


def carried(headers: Iterable[Header]) -> Span:
    """What the record with these headers belongs to; what is no valid context belongs to nothing."""
    parent = state = None
    for name, value in headers:
        if name == PARENT:
            parent = value
        elif name == STATE:
            state = value
    if parent is None or not _PARENT.fullmatch(parent):
        return NO_SPAN
    if state is not None and len(state) <= _LONGEST_STATE and _STATE.fullmatch(state):
        return Span(((PARENT, parent), (STATE, state)))
    return Span(((PARENT, parent),))
