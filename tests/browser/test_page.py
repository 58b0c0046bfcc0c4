"""The page as people have it: in a browser, dark and light, narrow, by keyboard, without a script, while it changes."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from schemas.topics import MONITORING
from streams.agents.open_windows import WindowKey
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.window import Window
from streams.system.clock import now_ms
from tests.browser.pages import chromium, page_at
from tests.events import routing_event
from tests.traffic import WORDS, Said, fill

TOKEN = "a token of the tests"
VIEWS = ("/", "/health", "/report", "/conversations", "/events?since=-2h", "/alerts", "/conversation?id=call-14")

SEEN = tuple(view for view in VIEWS if view != "/report")  # axe takes seconds, and the report has the same parts


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def settings(embedded_broker: str) -> Settings:
    return Settings(bootstrap_servers=embedded_broker, topic_prefix=f"test-{uuid.uuid4().hex[:12]}.")


@pytest.fixture(scope="module")
def said(settings: Settings) -> list[Said]:
    return fill(settings, now_ms(), 80)


@pytest.fixture(scope="module")
def address(settings: Settings, said: list[Said]) -> Iterator[str]:  # noqa: ARG001 - the topics are filled
    with page_at(settings) as served:
        yield served.address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page of its own, on which nothing may go wrong unseen: what a browser refuses it says on its console."""
    context = browser.new_context(base_url=address)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert said == []


def whole(page: Page, view: str = "/") -> None:
    """Waits until the server has read all there is."""
    page.goto(view)
    expect(page.locator(".notice")).to_have_count(0, timeout=60_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out_by_how_it_looks(page: Page, scheme: str) -> None:
    """axe, WCAG A and AA; seen to fail with a grey of less contrast, and with a table's region without a name."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    whole(page)
    for view in SEEN if scheme == "light" else SEEN[:1]:
        page.goto(view)
        page.get_by_role("heading", level=1).wait_for()
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, f"{view}: {found.generate_report()}"


def test_a_narrow_screen_needs_no_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    whole(page)
    for view in VIEWS:
        page.goto(view)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, view


def test_the_keyboard_gets_everywhere(page: Page) -> None:
    whole(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Last 24h")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.get_by_role("link", name="Alerts").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alerts")


def test_the_figures_are_there_without_a_script(browser: Browser, page: Page, address: str) -> None:
    whole(page)
    with_script = page.locator(".card dd a").all_inner_texts()
    context = browser.new_context(base_url=address, java_script_enabled=False)
    plain = context.new_page()
    plain.goto("/")
    assert plain.locator(".card dd a").count() == len(with_script) >= 10
    assert plain.locator(".card", has_text="cost today").locator("a").inner_text() == (
        page.locator(".card", has_text="cost today").locator("a").inner_text()
    )
    expect(plain.get_by_role("button", name="Pause updates")).to_be_hidden()
    context.close()


def test_from_a_figure_to_its_events_to_a_conversation(page: Page) -> None:
    whole(page)
    page.locator(".card", has_text="degraded").locator("a").click()
    expect(page.get_by_role("main")).to_contain_text("audit events recorded")
    page.locator("tbody tr").first.locator("th a").click()
    expect(page.get_by_role("main")).to_contain_text("It is marked as degraded: the cloud should have answered.")
    page.get_by_role("navigation", name="Conversation").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Turns")).to_be_visible()
    assert WORDS not in page.content()
    page.get_by_role("link", name="Conversations", exact=True).click()
    page.get_by_role("link", name=re.compile("^call-")).first.click()
    expect(page.get_by_role("heading", name="Audit trail")).to_be_visible()


def test_a_point_of_a_chart_leads_to_its_events(page: Page) -> None:
    whole(page)
    place = page.get_by_role("link", name=re.compile(r"^\d\d:00: events \d")).last
    [count] = re.findall(r"events (.*)$", place.get_attribute("aria-label") or "")
    place.click()
    expect(page.get_by_role("main")).to_contain_text(f"{count} audit events recorded")
    page.go_back()
    place.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text(f"{count} audit events recorded")
    page.goto("/conversation?id=call-14")
    turn = page.get_by_role("link", name=re.compile(r"^\d+: (customer|agent) [+-]")).last
    [number] = re.findall(r"^\d+", turn.get_attribute("aria-label") or "")
    turn.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(rf"Event call-14-{number}\b"))


def test_the_form_finds_what_is_asked_for(page: Page) -> None:
    whole(page, "/events")
    page.get_by_label("conversation").fill("call-14")
    page.get_by_label("from (-1h, or a time)").fill("-2d")
    page.get_by_label("role").select_option("agent")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("main")).to_contain_text("audit events recorded")
    assert set(page.locator("tbody tr td:nth-child(2)").all_inner_texts()) == {"call-14"}
    assert set(page.locator("tbody tr td:nth-child(4)").all_inner_texts()) == {"agent"}
    assert page.get_by_label("role").input_value() == "agent"


def send(settings: Settings, partition: int, events: int) -> None:
    """A window of this minute, of events on `partition`, which is no other's."""
    start = now_ms() // 60_000 * 60_000
    window = Window(start, start + 60_000, partition)
    window.add([replace(routing_event(), recorded_at=start)] * events)
    producer = Cluster(settings).producer()
    value = codec(settings, MONITORING).encode(window.to_record(start))
    producer.produce(settings.topic(MONITORING), value, WindowKey(start, partition).encoded())
    assert producer.flush(30) == 0


def test_what_comes_is_drawn_and_the_focus_stays_and_a_pause_is_one(page: Page, settings: Settings) -> None:
    whole(page)
    scored = page.locator(".card", has_text="events scored").locator("a")
    before = int(scored.inner_text().replace(",", ""))
    page.locator(".card", has_text="health").locator("a").focus()
    send(settings, 90, 1_000)
    expect(scored).to_have_text(f"{before + 1_000:,}")
    expect(page.locator(".card", has_text="health").locator("a")).to_be_focused()
    page.get_by_role("button", name="Pause updates").click()
    with page.expect_request("**/changes"):
        page.evaluate("new EventSource('/changes').addEventListener('change', () => { document.title = 'changed' })")
    send(settings, 91, 500)
    expect(page).to_have_title("changed")
    expect(scored).to_have_text(f"{before + 1_000:,}")
    page.get_by_role("button", name="Resume updates").click()
    expect(scored).to_have_text(f"{before + 1_500:,}")


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Page]:
    """A page that counts in `data-told` what its stream of events says, and on which what is refused is no fault."""
    context = browser.new_context(base_url=address)
    opened = context.new_page()
    opened.add_init_script(
        "let told = 0; window.EventSource = class extends EventSource { constructor(address) { super(address);"
        " this.addEventListener('change', () => { document.documentElement.dataset.told = ++told; }); } };"
    )
    yield opened
    context.close()


def test_what_comes_while_it_draws_is_drawn_after_it(watched: Page, settings: Settings, address: str) -> None:
    """Seen to fail where it was drawn with the next change alone, which may be hours later."""
    whole(watched)
    scored = watched.locator(".card", has_text="events scored").locator("a")
    before = int(scored.inner_text().replace(",", ""))
    held: list[Route] = []
    watched.route(f"{address}/", lambda route: route.continue_() if held else held.append(route))
    whole_page = watched.locator("html")
    told = whole_page.get_attribute("data-told") or ""
    with watched.expect_request(lambda request: request.resource_type == "fetch"):
        send(settings, 92, 100)
    expect(whole_page).not_to_have_attribute("data-told", told)
    first, told = held[0].fetch(), whole_page.get_attribute("data-told") or ""
    send(settings, 93, 200)
    expect(whole_page).not_to_have_attribute("data-told", told)
    held[0].fulfill(response=first)
    expect(scored).to_have_text(f"{before + 300:,}")


def test_a_stream_that_is_refused_is_said_and_asked_for_again(watched: Page, settings: Settings) -> None:
    """Seen to fail where the browser gave it up for good, and the page stood still without a word."""
    refused: list[Route] = []

    def refuse(route: Route) -> None:
        refused.append(route)
        route.fulfill(status=502, body="bad gateway")

    watched.route("**/changes?*", refuse)
    cut_off = watched.get_by_text("Not connected: what is shown may be old.")
    watched.goto("/")
    expect(cut_off).to_be_visible()
    with watched.expect_response(lambda response: "/changes?" in response.url and response.status == 200):
        watched.unroute("**/changes?*")
    expect(cut_off).to_have_count(0)
    assert refused
    scored = watched.locator(".card", has_text="events scored").locator("a")
    whole(watched)
    before = int(scored.inner_text().replace(",", ""))
    send(settings, 94, 100)
    expect(scored).to_have_text(f"{before + 100:,}")


def test_a_page_outlives_its_server(browser: Browser, settings: Settings, said: list[Said]) -> None:
    """A server that starts again at the same place is followed again; nobody has to reload."""
    assert said
    with page_at(settings) as served:
        context = browser.new_context(base_url=served.address)
        page = context.new_page()
        whole(page)
        port = served.address.rpartition(":")[2]
    expect(page.get_by_text("Not connected: what is shown may be old.")).to_be_visible()
    with page_at(settings, EDGEWISE_PAGE_PORT=port):
        expect(page.locator(".notice")).to_have_count(0, timeout=60_000)
        scored = page.locator(".card", has_text="events scored").locator("a")
        before = int(scored.inner_text().replace(",", ""))
        send(settings, 95, 100)
        expect(scored).to_have_text(f"{before + 100:,}", timeout=60_000)
        context.close()


def test_a_token_is_asked_for_once(browser: Browser, settings: Settings, said: list[Said], tmp_path: Path) -> None:
    assert said
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with page_at(settings, EDGEWISE_PAGE_TOKEN_FILE=str(tmp_path / "token")) as served:
        context = browser.new_context(base_url=served.address)
        page = context.new_page()
        page.goto("/alerts")
        assert Axe().run(page).violations_count == 0
        page.get_by_label("Token").fill("not the token")
        page.get_by_role("button", name="Look").click()
        expect(page.get_by_text("That is not the token.")).to_be_visible()
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Look").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Alerts")
        assert page.url == f"{served.address}/alerts"
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("link", name="Overview").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        context.close()
