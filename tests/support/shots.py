"""Takes every page at three widths, light and dark, into build/shots."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page as Tab

from tests.support.browser import chromium, open_page, sign_in, window
from tests.support.pages import PAGES, SCHEMES, SIZES
from tests.support.server import demo_server

TALLEST = 5000  # pixels; longer lists look the same further down
FOLDER = Path(__file__).parents[2] / "build" / "shots"


def _unfold(tab: Tab, width: int) -> None:
    """Make the window as tall as what the page scrolls, so that its lower parts are taken too."""
    tall = tab.evaluate(
        """() => { const main = document.querySelector(".fw-main") ?? document.documentElement;
          return innerHeight + main.scrollHeight - main.clientHeight; }"""
    )
    if tall > SIZES[width]:
        tab.set_viewport_size({"width": width, "height": min(tall, TALLEST)})


def main(names: Sequence[str]) -> int:
    """Take the pages of these names, or all; return 1 when one of them could not be taken."""
    pages = [page for page in PAGES if not names or page.name in names]
    if unknown := set(names) - {page.name for page in pages}:
        print(f"no page {', '.join(sorted(unknown))}; there are {', '.join(p.name for p in PAGES)}")  # noqa: T201
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    failed = 0
    with demo_server() as server, chromium() as browser:
        cookies = sign_in(browser, server) if any(page.signed_in for page in pages) else None
        for page in pages:
            for width in SIZES:
                for scheme in SCHEMES:
                    path = FOLDER / f"{page.name}-{width}-{scheme}.png"
                    path.unlink(missing_ok=True)
                    with window(
                        browser,
                        server.address,
                        width=width,
                        scheme=scheme,
                        cookies=cookies if page.signed_in else None,
                    ) as context:
                        tab = context.new_page()
                        try:
                            open_page(tab, page)
                        except LookupError as missing:
                            failed += 1
                            print(f"{page.name}: {missing}")  # noqa: T201
                            continue
                        _unfold(tab, width)
                        tab.screenshot(path=path)
    taken = len(pages) * len(SIZES) * len(SCHEMES) - failed
    print(f"{taken} taken into {FOLDER.relative_to(Path.cwd())}, {failed} failed")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
