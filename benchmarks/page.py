"""How soon the live page is there, and what it takes: `python -m benchmarks.page [DAYS…]`; it needs Chromium.

`monitoring` on a Kafka broker of its own holds windows of a minute, of one partition, each written twice, as far back
as the period goes. (The embedded broker answers a fetch with all that there is, which is then in memory.) A browser
opens the page as soon as the process listens, while the days are still being read, and again once all of it has been.
"""

import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, expect
from rich.console import Console
from rich.table import Table

from benchmarks.brokers import running
from benchmarks.live_windows import window_records
from benchmarks.machine import machine
from schemas.codec import Codec
from schemas.topics import MONITORING
from streams.agents.open_windows import WindowKey
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.window import Window
from streams.operate.topics import create
from streams.system.clock import now_ms
from tests.browser.pages import chromium, page_at

DAYS = (1, 30)

# In ms since the navigation.
_FIRST_PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
  const [first] = list.getEntriesByName("first-contentful-paint");
  if (first) done(first.startTime);
}).observe({type: "paint", buffered: true}))"""

TIMES_WRITTEN = 2


def main() -> None:
    """Prints a row for each period."""
    console = Console(width=110)
    console.print("\n".join(f"{heading}: {words}" for heading, words in machine().items()), highlight=False)
    table = Table("days", "windows", "first paint while reading, s", "all is read after, s", "first paint, s",
                  "most memory, MiB")  # fmt: skip
    with chromium() as browser:
        for days in [int(each) for each in sys.argv[1:]] or DAYS:
            table.add_row(str(days), f"{days * 1440:,}", *_measured(browser, days))
    console.print(table)


def _measured(browser: Browser, days: int) -> list[str]:
    with running("kafka") as servers:
        settings = Settings(bootstrap_servers=servers)
        create(settings)
        _fill(settings, days * 1440)
        began = time.monotonic()
        with page_at(settings) as served:
            early = _first_paint_s(browser, served.address)
            page = browser.new_page()
            page.goto(served.address)
            expect(page.locator(".notice")).to_have_count(0, timeout=600_000)
            read_s = time.monotonic() - began
            page.close()
            late = _first_paint_s(browser, served.address)
            memory = _most_memory_mib(served.pid)
    return [f"{early:.2f}", f"{read_s:.0f}", f"{late:.2f}", f"{memory:.0f}"]


def _fill(settings: Settings, minutes: int) -> None:
    """The windows of the last `minutes`, the earliest first."""
    producer, decode, encode = Cluster(settings).producer(), Codec(MONITORING).decode, Codec(MONITORING).encode
    _, value = next(window_records(1))
    window = Window.from_record(decode(value))
    last = now_ms() // 60_000
    for minute in range(last - minutes + 1, last + 1):
        window.start, window.end = minute * 60_000, (minute + 1) * 60_000
        value = encode(window.to_record(window.end))
        for _ in range(TIMES_WRITTEN):
            producer.produce(settings.topic(MONITORING), value, WindowKey(window.start, 0).encoded())
            producer.poll(0)
    if producer.flush(60):
        raise RuntimeError("the broker did not take the windows")


def _first_paint_s(browser: Browser, address: str) -> float:
    """From the navigation to the first contentful paint, by the browser's own clock."""
    page = browser.new_page()
    page.goto(address)
    taken = float(page.evaluate(_FIRST_PAINT)) / 1000
    page.close()
    return taken


def _most_memory_mib(pid: int) -> float:
    [peak] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(peak.split()[1]) / 1024


if __name__ == "__main__":
    main()
