"""Whole stories through a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live import Live, fresh_database


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with fresh_database(tmp_path) as url:
        server = Live(tmp_path, url)
        try:
            server.start()
            yield server
        finally:
            server.end()
