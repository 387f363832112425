"""Build docs/images/: the terminal report (SVG), the HTML report and its explore page (PNG) on sample_logs/.

    python scripts/build_pictures.py

Needs Chromium for the PNGs. The same audit gives the same SVG; a PNG may differ by the fonts of the machine.
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

from make_sample_logs import SAMPLED
from rich.console import Console

from llm_audit import analyze
from llm_audit.config import Config
from llm_audit.document.audit import Document
from llm_audit.report.interface import Frames
from llm_audit.report.registry import render
from llm_audit.report.terminal.screen import print_report

ROOT = Path(__file__).parent.parent
OUT = ROOT / "docs/images"
COMMAND = f"llm-audit analyze sample_logs/ --sampling-rate {1 / SAMPLED:g}"
WIDTH = 80
FIRST_SCREEN, PART = (1200, 1500), (1200, 460)
MOST_BYTES = 300_000
_DRILLED = """\
<body style="margin:0"><iframe width="{0}" height="{1}" src="report.html" style="border:0"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const page = frame.contentDocument;
  for (const level of ["team", "app"]) page.querySelector("#explored button").click();
  page.getElementById("explore").scrollIntoView({{ behavior: "instant" }});
}};
</script>
"""
_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def terminal(document: Document) -> str:
    """Return the first screen as SVG, without the fonts that rich would load from the network."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    print_report(document, console)
    return _FONT.sub("", console.export_svg(title=COMMAND, unique_id="llm-audit"))


def screenshot(page: bytes, png: Path, *, size: tuple[int, int], drilled: bool = False) -> None:
    """Take a picture of a page in light colours: of its first screen, or of its explorer, two levels down."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is needed to take the picture: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_bytes(page)
        flags = (
            "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--hide-scrollbars", f"--user-data-dir={folder}/profile", f"--window-size={size[0]},{size[1]}",
            f"--screenshot={png}", "--allow-file-access-from-files", "--virtual-time-budget=5000",
        )  # fmt: skip
        if drilled:
            file = Path(folder) / "drilled.html"
            file.write_text(_DRILLED.format(*size))
        subprocess.run([chromium, *flags, file.as_uri()], check=True, capture_output=True, timeout=120)  # noqa: S603
    if png.stat().st_size > MOST_BYTES:
        sys.exit(f"{png.name} has {png.stat().st_size:,} bytes; at most {MOST_BYTES:,} are wanted.")


def main() -> None:
    """Audit the sample logs and write the pictures."""
    os.chdir(ROOT)  # places in the report are as the command would print them
    audit = analyze("sample_logs/", config=Config(sampling_rate=1 / SAMPLED))
    document = audit.document
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "terminal.svg").write_text(terminal(document), encoding="utf-8")
    screenshot(render(document, "html"), OUT / "report.png", size=FIRST_SCREEN)
    explore = render(document, "explore", frames=Frames(make=lambda: audit.requests))
    screenshot(explore, OUT / "explore.png", size=PART, drilled=True)


if __name__ == "__main__":
    main()
