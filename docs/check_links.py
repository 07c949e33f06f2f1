"""Check the links of a built site: ``python -m docs.check_links DIRECTORY``.

Sphinx checks links between pages. This also checks what Sphinx copies without reading: frames, pictures, downloads and
raw HTML. Links to other sites are not requested.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit


class Page(HTMLParser):
    """The links and anchors of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what the element points to, and what can point to it."""
        for name, value in attrs:
            if value is not None and name in ("href", "src"):
                self.links.add(value)
            elif value is not None and name == "id":
                self.anchors.add(value)


def broken(site: Path) -> list[str]:
    """One line for each link to a file or anchor of the site that does not exist."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        for link in sorted(page.links):
            target, anchor = urldefrag(link)
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not file.is_file() or (file in pages and unquote(anchor) not in pages[file].anchors):
                found.append(f"{path.relative_to(site.resolve())}: {link}")
    return found


def main() -> int:
    """Print the broken links; 1 if there are any."""
    found = broken(Path(sys.argv[1]))
    print("\n".join(found) or "All links inside the site work.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
