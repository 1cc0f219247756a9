"""What MkDocs asks while it builds the site: which files are pages, and what their sources mean.

Pages keep the paths they have in the repository, so MkDocs resolves their links as a code host does; only their
addresses are shorter.  Source files that pages link to become highlighted listings.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

import api_pages  # noqa: E402  (found by the line above)

#: Pages that lie outside docs/.
OUTSIDE = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
           "examples/README.md", "benchmarks/README.md", "benchmarks/RESULTS.md")  # fmt: skip
INCLUDED = InclusionLevel.INCLUDED  # whatever exclude_docs says of their suffix
INDEX = ("/README.md", "/index.md")
LINK = re.compile(r"\]\(([^)\s#:]+)\)")
LISTING = HtmlFormatter(full=True, linenos="inline", style="friendly")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """All files of the site, under the paths of the repository."""
    docs = Path(config.docs_dir)
    result = Files([])
    for file in files:
        if file.abs_src_path is None or docs not in Path(file.abs_src_path).parents:
            result.append(file)  # the theme's
        elif not file.inclusion.is_excluded():
            result.append(_repository_file(f"docs/{file.src_uri}", config, file.dest_uri))
    for path in OUTSIDE:
        if (ROOT / path).exists():
            result.append(_repository_file(path, config))
    for path, text in api_pages.pages().items():
        page = File.generated(config, f"docs/{path}", content=text)
        page.dest_uri = page.dest_uri.removeprefix("docs/")
        result.append(page)
    for path in _linked_sources(result):
        listing = File.generated(config, path, content=_listing(ROOT / path), inclusion=INCLUDED)
        listing.dest_uri = f"source/{path}.html"
        result.append(listing)
    config.nav = _menu(config.nav or [], sorted(page.src_uri for page in result.documentation_pages()))
    return result


def _menu(entries: list[Any], pages: list[str]) -> list[Any]:
    """The menu of mkdocs.yml, with a folder's pages in the folder's place."""
    menu: list[Any] = []
    for entry in entries:
        title, value = next(iter(entry.items())) if isinstance(entry, dict) else (None, entry)
        if value == "docs/api/":
            value = api_pages.navigation()
        elif isinstance(value, list):
            value = _menu(value, pages)
        elif value.endswith("/"):
            value = sorted((p for p in pages if p.startswith(value)), key=lambda p: not p.endswith(INDEX))
        elif value not in pages:
            continue  # if only its name is wrong, MkDocs says that the page is missing in the menu
        if not value:
            continue
        menu.append({title: value} if title else value)
    return menu


def _repository_file(path: str, config: MkDocsConfig, dest_uri: str | None = None) -> File:
    return File(path, str(ROOT), config.site_dir, config.use_directory_urls, dest_uri=dest_uri)


def _linked_sources(files: Files) -> list[str]:
    """Repository files, other than pages, to which pages link."""
    found = set()
    for page in files.documentation_pages():
        for target in LINK.findall(page.content_string):
            path = (ROOT / page.src_uri).parent.joinpath(target).resolve()
            if path.is_file() and path.is_relative_to(ROOT):
                found.add(path.relative_to(ROOT).as_posix())
    return sorted(found - set(files.src_uris))


def _listing(path: Path) -> str:
    try:
        lexer = get_lexer_for_filename(path.name)
    except ClassNotFound:
        lexer = get_lexer_for_filename("x.txt")
    LISTING.title = path.relative_to(ROOT).as_posix()
    return str(highlight(path.read_text(encoding="utf-8"), lexer, LISTING))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fences may say ``python no-run: why``, which is for the tests, not for Markdown."""
    return re.sub(r"^(\s*```python) no-run\b.*$", r"\1", markdown, flags=re.MULTILINE)
