"""Build docs/images/: the first screen of the terminal report (SVG) and of the HTML report (PNG) on sample_logs/.

    python scripts/build_pictures.py

Needs Chromium for the PNG. The same audit gives the same SVG; a PNG may differ by the fonts of the machine.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from llm_audit import analyze
from llm_audit.document.audit import Document
from llm_audit.report.registry import render
from llm_audit.report.terminal.screen import print_report

ROOT = Path(__file__).parent.parent
OUT = ROOT / "docs/images"
COMMAND = "llm-audit analyze sample_logs/"
WIDTH = 80
SIZE = (1200, 1500)
MOST_BYTES = 300_000
_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def terminal(document: Document) -> str:
    """Return the first screen as SVG, without the fonts that rich would load from the network."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    print_report(document, console)
    return _FONT.sub("", console.export_svg(title=COMMAND, unique_id="llm-audit"))


def screenshot(page: bytes, png: Path) -> None:
    """Return the first screen of a page, in light colours."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is needed to take the picture: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_bytes(page)
        flags = (
            "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--hide-scrollbars", f"--user-data-dir={folder}/profile", f"--window-size={SIZE[0]},{SIZE[1]}",
            f"--screenshot={png}",
        )  # fmt: skip
        subprocess.run([chromium, *flags, file.as_uri()], check=True, capture_output=True, timeout=120)  # noqa: S603
    if png.stat().st_size > MOST_BYTES:
        sys.exit(f"{png.name} has {png.stat().st_size:,} bytes; at most {MOST_BYTES:,} are wanted.")


def main() -> None:
    """Audit the sample logs and write both pictures."""
    os.chdir(ROOT)  # places in the report are as the command would print them
    document = analyze("sample_logs/").document
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "terminal.svg").write_text(terminal(document), encoding="utf-8")
    screenshot(render(document, "html"), OUT / "report.png")


if __name__ == "__main__":
    main()
