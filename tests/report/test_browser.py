"""The page in a real browser: silent console, no request, axe's rules, no sideways scrolling, A4 in print."""

import base64
import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest
from tests.report import hostile, pages

from llm_audit.report.interface import Options
from llm_audit.report.registry import render

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--virtual-time-budget=20000",
)  # fmt: skip
DARK = "--blink-settings=preferredColorScheme=0"
SHOW = "document.body.innerHTML='<pre id=\"result\"></pre>';document.getElementById('result').textContent"
AXE = f"""
for (const d of document.querySelectorAll('details')) d.open = true;
const found = r => r.violations.map(v => [v.id, v.nodes.slice(0, 3).map(n => n.html)]);
const dark = matchMedia('(prefers-color-scheme: dark)').matches;
const colours = {{runOnly: ['color-contrast']}};
axe.run(document, dark ? colours : {{resultTypes: ['violations', 'incomplete']}}).then(async r => {{
  document.documentElement.removeAttribute('lang');
  document.querySelector('footer').style.cssText = 'color:#777;background:#666';
  const edges = {{include: ['html'], exclude: ['main']}};
  const broken = await axe.run(edges, {{runOnly: ['html-has-lang', 'color-contrast']}});
  const said = {{dark, found: found(r), passed: r.passes.map(p => p.id), broken: found(broken)}};
  {SHOW} = btoa(unescape(encodeURIComponent(JSON.stringify(said))));
}});
"""


@pytest.fixture(scope="module")
def page() -> str:
    return pages.page()


def browse(folder: Path, html: str, *flags: str) -> tuple[str, list[str]]:
    """Open a page and return its document after its scripts, and what it wrote to the console."""
    assert CHROMIUM, "install Chromium: the HTML report is tested in a real browser"
    file = folder / "page.html"
    file.write_text(html, encoding="utf-8")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, encoding="utf-8")
    return done.stdout, re.findall(r"CONSOLE[:(]\d+\)?\] (.*)", done.stderr)


def scripted(html: str, *scripts: str) -> str:
    """The page with scripts of the test's own, which its own policy would not let run."""
    open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    return open_page.replace("</body>", "".join(f"<script>{s}</script>" for s in scripts) + "</body>")


def axe(folder: Path, html: str, *flags: str) -> dict:
    library = (resources.files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    dom, _ = browse(folder, scripted(html, library, AXE), "--dump-dom", *flags)
    result = re.search(r'<pre id="result">([^<]+)</pre>', dom)
    assert result, "axe did not finish"
    return json.loads(base64.b64decode(result[1]))


def test_the_console_is_silent_so_nothing_ran_or_was_asked_for(tmp_path: Path, page: str) -> None:
    pages = {"rich": page, "hostile": render(hostile.cycled(), "html", options=Options(check=hostile.check())).decode()}
    for name, html in pages.items():
        (tmp_path / f"{name}.html").write_text(html, encoding="utf-8")
    frames = "".join(f'<iframe src="{name}.html" onload="this.title=this.src"></iframe>' for name in pages)
    dom, console = browse(tmp_path, f"<!DOCTYPE html><body>{frames}</body>", "--dump-dom")
    assert console == []
    assert all(re.search(rf'title="file:[^"]*/{name}.html"', dom) for name in pages), "both were opened"


def test_a_page_that_did_run_or_ask_would_be_noticed(tmp_path: Path, page: str) -> None:
    broken = page.replace("</main>", '<script>alert(1)</script><img src="https://evil.example/x.png"></main>')
    console = browse(tmp_path, broken, "--dump-dom")[1]
    assert len(console) >= 2
    assert any("Content Security Policy" in line for line in console)


def test_axe_finds_no_violation_and_would_notice_one(tmp_path: Path, page: str) -> None:
    result = axe(tmp_path, page)
    assert result["found"] == []
    assert not result["dark"]
    assert {"color-contrast", "landmark-one-main", "scrollable-region-focusable"} <= set(result["passed"])
    assert {rule for rule, _ in result["broken"]} == {"html-has-lang", "color-contrast"}


def test_axe_finds_enough_contrast_in_the_dark(tmp_path: Path, page: str) -> None:
    result = axe(tmp_path, page, DARK)
    assert result["dark"]
    assert result["found"] == []
    assert result["passed"] == ["color-contrast"]
    assert "color-contrast" in {rule for rule, _ in result["broken"]}


def test_a_narrow_window_does_not_scroll_sideways_and_cuts_no_chart(tmp_path: Path) -> None:
    html = render(hostile.long(), "html", options=Options(check=hostile.check())).decode()
    source = json.dumps(html).replace("</", "<\\/")
    frame = f"""
    const source = {source};
    const wide = {{}}, cut = [];
    for (const width of [320, 375, 390, 768]) {{
      const f = document.createElement('iframe');
      f.style.cssText = `width:${{width}}px;height:900px;border:0`;
      f.onload = () => {{
        const d = f.contentDocument;
        for (const e of d.querySelectorAll('details')) e.open = true;
        wide[width] = d.documentElement.scrollWidth;
        if (width === 375)
          for (const e of d.querySelectorAll('.chart')) {{
            const box = e.getBoundingClientRect(), marks = [...e.querySelectorAll('svg text')];
            if (!box.width) continue;
            const edge = Math.max(...marks.map(m => m.getBoundingClientRect().right));
            if (e.scrollWidth > e.clientWidth || edge > width) cut.push(e.querySelector('title').textContent);
          }}
        if (Object.keys(wide).length === 4) {SHOW} = JSON.stringify([wide, cut]);
      }};
      f.srcdoc = source;
      document.body.append(f);
    }}
    """
    dom, _ = browse(tmp_path, f"<!DOCTYPE html><body><script>{{{frame}}}</script></body>", "--dump-dom")
    shown = re.search(r'<pre id="result">([^<]+)</pre>', dom)
    assert shown
    wide, cut = json.loads(shown[1])
    assert all(found <= int(width) for width, found in wide.items())
    assert cut == [], "charts fit a telephone, texts at their bars included"


def test_print_is_a4_and_eight_pages(tmp_path: Path, page: str) -> None:
    pdf = tmp_path / "report.pdf"
    browse(tmp_path, page, f"--print-to-pdf={pdf}", "--no-pdf-header-footer")
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf.read_bytes())
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {(595, 842)}
    assert 6 <= len(boxes) <= 8
