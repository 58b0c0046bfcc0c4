"""`edgewise page` as a process, and a Chromium that looks at it."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, sync_playwright

from streams.config.settings import Settings
from streams.system.processes import die_with_parent
from tests.faults.line import environ
from tests.kafka.kafka_server import REPOSITORY


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's. Where there is none, the test is skipped, or fails where CI=true."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("with CI=true Chromium must be there (Debian: chromium)", pytrace=False)
        pytest.skip("needs Chromium (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


class Served(NamedTuple):
    """A page that is served."""

    address: str
    pid: int


@contextmanager
def page_at(settings: Settings, **variables: str) -> Iterator[Served]:
    """The page, as long as the block lasts; `variables` are those of the process besides the settings'."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "page"],
        cwd=REPOSITORY,
        env=environ(settings) | {"EDGEWISE_PAGE_PORT": "0"} | variables,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(),  # noqa: PLW1509
    )
    assert process.stderr is not None
    reader = threading.Thread(target=process.stderr.read, daemon=True)  # else it would wait for one
    lines = []
    try:
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"look at (http://\S+)", line):
                reader.start()
                yield Served(found[1], process.pid)
                break
        else:
            pytest.fail(f"the page ended with {process.wait()}: {''.join(lines)}")
    finally:
        process.terminate()
        ended = process.wait(30)
        if reader.ident is not None:
            reader.join()
        process.stderr.close()
        assert ended == 0
