"""The change models as they are shipped, for tests of the pure rules."""

from __future__ import annotations

import json
from importlib import resources

from fairway.changes.rules import Workflow, read

_TEXT = (resources.files("fairway.changes.migrations") / "shipped.json").read_text(encoding="utf-8")
DEFINITIONS = {slug: model["definition"] for slug, model in json.loads(_TEXT).items() if slug != "templates"}
NORMAL: Workflow = read(DEFINITIONS["normal"])
STANDARD: Workflow = read(DEFINITIONS["standard"])
