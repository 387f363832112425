"""Hooks for mkdocs: the project's own pages in the site, and links that lead out of ``docs/``.

Pages at the top of the project, such as CHANGELOG.md, are part of the site. Links are written for who reads the files;
on the site they lead to the page there, or are plain text where the file is no page.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
TOP = ("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages at the top of the project."""
    for name in TOP:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to the site's pages, and leave the text of those that have none."""
    del config
    name = page.file.src_uri
    folder = "" if name in TOP else "docs"

    def linked(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        path = os.path.normpath(os.path.join(folder, target))  # noqa: PTH118 - no file is meant, only its name
        uri = "index.md" if path == "README.md" else path.removeprefix("docs/")
        known = files.get_file_from_path(uri) is not None and (path.startswith("docs/") or uri in (*TOP, "index.md"))
        return f"[{text}]({uri}{anchor})" if known else text

    blocks = re.split(r"(^```.*?^```)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(block if block.startswith("```") else LINK.sub(linked, block) for block in blocks)
