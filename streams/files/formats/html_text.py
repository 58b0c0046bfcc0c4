"""HTML as the text that a reader sees.

The standard library's parser is no choice here: it stops with an AssertionError at `<![<`, and some broken input takes
it quadratic time. Every `<` here is read once, up to the next one.
"""

import html
import re
from typing import Final

# Attributes may hold `>` in quotes; none may hold `<`, so that an unclosed tag ends where the next one begins.
_TAG: Final = re.compile(r"""<(?:(/?)([a-zA-Z][\w:-]*)((?:[^<>"']|"[^"<]*"|'[^'<]*')*+|[^<>]*)|[!?][^<>]*)>""")

_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "br", "center", "dd", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
    "section", "table", "tr", "ul",
})  # fmt: skip
_CELLS: Final = frozenset({"td", "th"})
_UNSEEN: Final = frozenset({"head", "noscript", "object", "script", "style", "svg", "template", "title"})
_EMPTY: Final = frozenset({"br", "hr"})

# Where mail programs put what is quoted; a bound on what stands before it in the value keeps time linear. A blockquote
# counts in mail alone: a chat's is an emphasis.
_QUOTE: Final = re.compile(
    r"""(?:class|id)\s*=\s*["']?[^"'>]{0,200}\b(?:gmail_quote|yahoo_quoted|moz-cite-prefix|divRplyFwdMsg|appendonsend|"""
    r"""OLK_SRC_BODY_SECTION|protonmail_quote|zmail_extra|gmail_signature|moz-signature|ms-outlook-mobile-signature)""",
    re.IGNORECASE,
)

# What follows such an element is quoted too, up to the end of the mail: Outlook puts its answer's header in one.
_QUOTED_TO_THE_END: Final = re.compile(r"divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION", re.IGNORECASE)


def html_text(source: str, *, mail: bool = False) -> str:
    """The text of an HTML document or fragment; a block is a line of its own. In `mail`, quoted mail is left out.

    Time is linear in the source's length.
    """
    source = _without_comments(source)
    reader = _Reader(mail)
    position = 0
    for match in _TAG.finditer(source):
        reader.text(source[position : match.start()])
        position = match.end()
        if match[2]:
            reader.tag(match[2].lower(), match[3], closing=match[1] == "/")
    reader.text(source[position:])
    return reader.joined()


class _Reader:
    """Collects what is seen, between the elements whose content is not shown or is quoted."""

    def __init__(self, mail: bool) -> None:
        self._mail = mail
        self._pieces: list[str] = []
        self._hidden = ""  # the element whose content is left out
        self._depth = 0  # how many elements of its kind are open in it
        self._ended = False

    def text(self, text: str) -> None:
        if not self._hidden and not self._ended:
            self._pieces.append(re.sub(r"\s+", " ", html.unescape(text)))

    def tag(self, name: str, attributes: str, *, closing: bool) -> None:
        if self._hidden:
            if name == self._hidden:
                self._depth += -1 if closing else name not in _UNSEEN
                self._hidden = self._hidden if self._depth else ""
        elif not closing and self._hides(name, attributes):
            self._ended = self._ended or bool(_QUOTED_TO_THE_END.search(attributes))
            self._hidden, self._depth = name, 1
        elif not self._ended:
            self._pieces.append("\n" if name in _BLOCKS else " " if name in _CELLS else "")

    def joined(self) -> str:
        lines = (re.sub(" +", " ", line).strip() for line in "".join(self._pieces).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def _hides(self, name: str, attributes: str) -> bool:
        if attributes.endswith("/") or name in _EMPTY:
            return False
        return name in _UNSEEN or (self._mail and (name == "blockquote" or bool(_QUOTE.search(attributes))))


def _without_comments(source: str) -> str:
    first, *rest = source.split("<!--")
    pieces = [first]
    for part in rest:
        _, end, after = part.partition("-->")
        pieces.append(after if end else part)  # a comment that never ends hides nothing
    return "".join(pieces)
