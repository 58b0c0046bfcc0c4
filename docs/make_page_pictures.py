"""Takes pictures of the live page on a made-up day: `python -m docs.make_page_pictures` writes docs/pictures.

It needs Chromium, as `chromium` in PATH.
"""

from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import expect

from streams.config.settings import Settings
from streams.kafka.embedded_broker import EmbeddedBroker
from streams.system.clock import now_ms
from tests.browser.pages import chromium, page_at
from tests.traffic import fill

FOLDER = Path(__file__).with_name("pictures")
CONVERSATIONS = 400
MOST_BYTES = 150_000


class Picture(NamedTuple):
    """A view as it is taken."""

    name: str
    view: str
    scheme: Literal["light", "dark"]
    width: int
    height: int
    first: str = ""
    """A link of the view, by how its address begins, that is followed before."""


PICTURES = (
    Picture("overview", "/", "light", 1000, 900),
    Picture("overview-narrow", "/", "dark", 360, 760),
    Picture("health", "/health", "dark", 1000, 700),
    Picture("conversation", "/conversation?id=call-392", "light", 1000, 800),
    Picture("conversations", "/conversations", "dark", 1000, 600),
    Picture("events", "/events?since=-2h&route=cloud", "light", 1000, 600),
    Picture("event", "/events?since=-2h&route=cloud", "dark", 1000, 700, first="/event?"),
    Picture("thirty-days", "/report", "light", 1000, 900),
    Picture("alerts", "/alerts", "light", 1000, 500),
)


def main() -> None:
    """Writes the pictures. Raises SystemExit: one is larger than a page of documentation should load."""
    FOLDER.mkdir(exist_ok=True)
    with EmbeddedBroker() as broker:
        settings = Settings(bootstrap_servers=broker.bootstrap_servers)
        fill(settings, now_ms(), CONVERSATIONS)
        with page_at(settings) as served, chromium() as browser:
            for each in PICTURES:
                context = browser.new_context(
                    base_url=served.address,
                    viewport={"width": each.width, "height": each.height},
                    color_scheme=each.scheme,
                )
                page = context.new_page()
                page.goto(each.view)
                if each.first:
                    page.locator(f"a[href^='{each.first}']").first.click()
                expect(page.locator(".notice")).to_have_count(0, timeout=60_000)  # all is read
                page.screenshot(path=FOLDER / f"page-{each.name}.png")
                context.close()
    for picture in FOLDER.glob("page-*.png"):
        if picture.stat().st_size > MOST_BYTES:
            raise SystemExit(f"{picture} is larger than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
