"""The page can be read by all, loads nothing, and takes every value for a text."""

from collections import Counter
from html.parser import HTMLParser

from streams.web.html import as_html
from streams.web.report_document import report_document
from tests.reports import HOSTILE, report, state

VOID = {"meta", "br", "link", "input", "rect", "circle", "line", "polyline"}


class Page(HTMLParser):
    """Elements by name, attributes by element, the text; every end tag must be that of the last open element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], str | None]] = []  # with its parent
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), self._open[-1] if self._open else None))
        if tag not in VOID or tag in {"rect", "circle"}:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), self._open[-1] if self._open else None))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.texts.append((self._open[-1], data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes, _ in self.elements if name == tag]


def page(*more: str) -> Page:
    return Page(as_html(report_document(report(*(state(each, 0.99) for each in more)))))


def test_headings_tables_and_charts_are_named() -> None:
    made = page()
    headings = [name for name, _, _ in made.elements if name in {"h1", "h2", "h3"}]
    assert headings == ["h1", *["h2"] * 9]
    parents = Counter((name, parent) for name, _, parent in made.elements)
    assert parents["caption", "table"] == len(made.of("table")) >= 12
    assert parents["title", "svg"] == parents["desc", "svg"] == len(made.of("svg")) == 4
    assert {each["role"] for each in made.of("svg")} == {"img"}
    assert {each["scope"] for each in made.of("th")} == {"col", "row"}
    assert made.of("html") == [{"lang": "en"}]


def test_every_name_leads_to_one_element() -> None:
    made = page()
    ids = Counter(attributes["id"] for _, attributes, _ in made.elements if "id" in attributes)
    assert set(ids.values()) == {1}
    for _, attributes, _ in made.elements:
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)
        if (link := attributes.get("href")) is not None:
            assert link.removeprefix("#") in ids


def test_nothing_is_loaded_and_nothing_runs() -> None:
    made = page(HOSTILE)
    assert {name for name, _, _ in made.elements} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "image",
        "use",
    } == set()
    assert [name for _, attributes, _ in made.elements for name in attributes if name.startswith("on")] == []
    text = as_html(report_document(report()))
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "default-src 'none'" in text


def test_an_id_is_shown_as_it_is_and_is_no_markup() -> None:
    assert ("th", HOSTILE) in page(HOSTILE).texts
