"""The commands that the documents print: in blocks, which a reader pastes into a shell, and in the text."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "training/README.md", "training/behaviour/README.md", "samples/README.md",
         *sorted(str(page.relative_to(REPOSITORY)) for page in (REPOSITORY / "docs").glob("*.md")))  # fmt: skip

PROGRAMS = frozenset(
    ("edgewise", "make", "python", "pip", "pipx", "uv", "docker", "source", "export", "promtool", "echo")
)
"""What a line begins with that is a command; a block with one such line is made of them."""

_ENDS = frozenset(("|", "&", ">", ";", "&&", "||"))
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_PLACEHOLDER = re.compile(r"(.*[/=:])?[A-Z][A-Z_]*(/.*)?|host:port")


class Call(NamedTuple):
    """A program with its arguments, as the shell would start it."""

    assignments: tuple[str, ...]
    program: str
    arguments: tuple[str, ...]

    @property
    def placeholders(self) -> list[str]:
        """The words that a reader has to replace: FILE, RUN/ship, host:port."""
        words = (*(each.partition("=")[2] for each in self.assignments), *self.arguments)
        return [word for word in words if _PLACEHOLDER.fullmatch(word)]


class Line(NamedTuple):
    """A line of a block."""

    page: str
    number: int
    text: str

    @property
    def where(self) -> str:
        """`README.md:50`."""
        return f"{self.page}:{self.number}"

    def calls(self) -> list[Call]:
        """The programs that the line starts, a pipe's in their order."""
        words = shlex.shlex(self.text, posix=True, punctuation_chars="|&>;")
        words.whitespace_split = True
        words.commenters = "#"
        calls: list[Call] = []
        words_of_call: list[str] = []
        target = False
        for word in (*words, ";"):
            if word in _ENDS:
                if words_of_call:
                    calls.append(_call(words_of_call))
                words_of_call, target = [], word == ">"
            elif target:
                target = False  # the file that a redirection goes to
            else:
                words_of_call.append(word)
        return calls


def blocks(page: str, text: str) -> Iterator[list[Line]]:
    """The blocks of commands in `text`, the page called `page`: indented by four spaces, or fenced."""
    lines = text.splitlines()
    block: list[Line] = []
    fenced = False
    language = before = ""
    for number, line in enumerate([*lines, ""], start=1):
        if line.startswith("```"):
            fenced, language = not fenced, line.strip("`")
        if fenced and language not in {"", "sh", "bash"}:
            continue
        indented = line.startswith("    ") and (block or not before.strip())
        if (fenced and not line.startswith("```")) or (not fenced and indented):
            block.append(Line(page, number, line.strip()))
        elif block and (line.strip() or fenced):
            yield from _of_commands(block)
            block = []
        before = line
    yield from _of_commands(block)


def inline(page: str, text: str) -> Iterator[Line]:
    """The commands `edgewise …`, `make …` and `python …` that stand in the text."""
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("    "):
            for found in re.findall(r"`((?:edgewise|make|python|pip) [^`]+)`", line):
                yield Line(page, number, found.replace("…", "").strip())


def read(page: str) -> str:
    """The page's text."""
    return (REPOSITORY / page).read_text("utf-8")


def _of_commands(block: Sequence[Line]) -> Iterator[list[Line]]:
    lines = [line for line in block if line.text and not line.text.startswith("#")]
    if any(_program(line.text) in PROGRAMS for line in lines):
        yield lines


def _program(text: str) -> str:
    words = [word for word in text.partition("#")[0].split() if not _ASSIGNMENT.fullmatch(word)]
    return words[0] if words and words[1:2] != [">"] else ""  # `a > b` is an order, not a command


def _call(words: Sequence[str]) -> Call:
    at = next((at for at, word in enumerate(words) if not _ASSIGNMENT.fullmatch(word)), len(words))
    program, *arguments = words[at:] or ["export"]  # assignments alone
    return Call(tuple(words[:at]), program, tuple(arguments))
