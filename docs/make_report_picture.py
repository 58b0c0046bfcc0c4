"""Draws a report on a month of made-up events: `python -m docs.make_report_picture` writes docs/report.png.

It needs Chromium, as `chromium` in PATH.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from streams.web.html import as_html
from streams.web.report_document import report_document
from tests.reports import report

PNG = Path(__file__).with_name("report.png")
WIDTH, HEIGHT = 740, 960


def main() -> None:
    """Writes the picture. Exits with a message where there is no Chromium."""
    chromium = shutil.which("chromium") or sys.exit("there is no chromium in PATH")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        page.write_text(as_html(report_document(report())), "utf-8")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/user"]
        shown = [f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={PNG}", page.as_uri()]
        subprocess.run([chromium, *options, *shown], check=True, capture_output=True)


if __name__ == "__main__":
    main()
