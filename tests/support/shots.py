"""Takes every page at three widths, light and dark, into build/shots."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.browser import chromium, open_page, sign_in, window
from tests.support.pages import PAGES, SCHEMES, SIZES
from tests.support.server import demo_server

FOLDER = Path(__file__).parents[2] / "build" / "shots"


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
                        tab.screenshot(path=path, full_page=True)
    taken = len(pages) * len(SIZES) * len(SCHEMES) - failed
    print(f"{taken} taken into {FOLDER.relative_to(Path.cwd())}, {failed} failed")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
