"""The frame of every view: title, navigation, content; and the parts that a report has no use for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import count
from typing import Final, NamedTuple
from urllib.parse import urlencode

from streams.web.document import Chart, Markup, Section, Table
from streams.web.html import part_html, section_html

VIEWS: Final = (
    ("/", "Overview"),
    ("/health", "Health"),
    ("/report", "Thirty days"),
    ("/conversations", "Conversations"),
    ("/events", "Events"),
    ("/alerts", "Alerts"),
)
"""What the navigation leads to."""


@dataclass(frozen=True)
class View:
    """What a view shows. `is_live`: it is drawn again whenever there is something new."""

    title: str
    path: str  # of `VIEWS`
    lead: Sequence[str | Table | Chart] = ()
    sections: Sequence[Section] = ()
    is_live: bool = False
    status: int = 200


@dataclass(frozen=True)
class Frame:
    """What is the same for all views."""

    installation: str = ""  # the topics' prefix
    notices: Sequence[str] = field(default_factory=tuple)
    can_sign_out: bool = False
    seen: str = ""  # another one whenever there is something new to be seen


class Card(NamedTuple):
    """A figure, where it leads, and a word about it; `standing` is a class of the style."""

    name: str
    value: str
    href: str
    note: str = ""
    standing: str = ""


def path(view: str, **parameters: str | int | None) -> str:
    """The address of a view; parameters that are None, or empty, are left out."""
    given = {name: value for name, value in parameters.items() if value is not None and value != ""}
    return f"{view}?{urlencode(given)}" if given else view


def cards(found: Iterable[Card]) -> Markup:
    """Figures side by side."""
    items = "".join(
        f'<div class="card {escape(each.standing)}"><dt>{escape(each.name)}</dt>'
        f'<dd><a href="{escape(each.href)}">{escape(each.value)}</a>'
        f"{f'<span>{escape(each.note)}</span>' if each.note else ''}</dd></div>"
        for each in found
    )
    return Markup(f'<dl class="cards">{items}</dl>')


def links(label: str, found: Iterable[tuple[str, str, bool]]) -> Markup:
    """A list of links: text, address, and whether that is what is shown now."""
    items = "".join(
        f'<li><a href="{escape(href)}"{_CURRENT if current else ""}>{escape(text)}</a></li>'
        for text, href, current in found
    )
    return Markup(f'<nav class="links" aria-label="{escape(label)}"><ul>{items}</ul></nav>')


def form(action: str, fields: Mapping[str, tuple[str, str, Sequence[str]]], submit: str) -> Markup:
    """A form that looks things up: by name the label, the value, and what there is to choose from, none: any text."""
    controls = []
    for name, (label, value, choices) in fields.items():
        if choices:
            options = "".join(
                f'<option value="{escape(each)}"{" selected" if each == value else ""}>{escape(each or "any")}</option>'
                for each in ("", *choices)
            )
            control = f'<select name="{name}">{options}</select>'
        else:
            control = f'<input name="{name}" value="{escape(value)}" maxlength="300" autocomplete="off">'
        controls.append(f"<label>{escape(label)} {control}</label>")
    return Markup(
        f'<form class="filters" action="{escape(action)}" method="get">{"".join(controls)}'
        f"<button>{escape(submit)}</button></form>"
    )


def sign_in(wrong: bool, leads_to: str) -> Markup:
    """The form that asks for the token."""
    said = '<p id="wrong" class="missed">That is not the token.</p>' if wrong else ""
    described = ' aria-describedby="wrong" aria-invalid="true"' if wrong else ""
    return Markup(
        f'{said}<form class="sign-in" action="/login" method="post">'
        f'<input type="hidden" name="next" value="{escape(leads_to)}">'
        f'<label>Token <input type="password" name="token" required autocomplete="current-password"{described}></label>'
        "<button>Look</button></form>"
    )


def page_html(view: View, frame: Frame) -> str:
    """The whole page."""
    numbers = count(1)
    heading = f"{view.title} · {frame.installation}" if frame.installation else view.title
    content = [
        f"<h1>{escape(heading)}</h1>",
        *(f'<p class="notice" role="status">{escape(notice)}</p>' for notice in frame.notices),
        *(part_html(part, numbers) for part in view.lead),
        *(line for at, section in enumerate(view.sections) for line in section_html(section, at, numbers)),
    ]
    live = f' id="live" data-seen="{escape(frame.seen)}"' if view.is_live else ""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(view.title)} – Edgewise</title>",
            '<link rel="icon" href="data:,">',
            '<link rel="stylesheet" href="/page.css">',
            '<script src="/page.js" defer></script>',
            "</head>",
            "<body>",
            '<a class="skip" href="#content">Skip to the content</a>',
            f"<header>{_navigation(view, frame)}</header>",
            f'<main id="content" tabindex="-1"><div{live}>',
            *content,
            "</div></main>",
            "</body>",
            "</html>\n",
        ]
    )


_CURRENT: Final = ' aria-current="page"'


def _navigation(view: View, frame: Frame) -> str:
    items = "".join(
        f'<li><a href="{href}"{_CURRENT if href == view.path else ""}>{name}</a></li>' for href, name in VIEWS
    )
    out = '<form action="/logout" method="post"><button>Sign out</button></form>' if frame.can_sign_out else ""
    pause = '<button id="pause" type="button" hidden>Pause updates</button>' if view.is_live else ""
    return f'<nav aria-label="Views"><ul>{items}</ul></nav>{pause}{out}'
