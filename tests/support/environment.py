"""A pytest plugin that sets what the settings read. pytest loads it by `-p`, hence before Django is set up.

Tests never see what a person has set for a server of their own: every `FAIRWAY_` variable is taken away
but the database that dev.py sets for them.
"""

import os
import tempfile
from pathlib import Path

KEPT = {"FAIRWAY_DATABASE_URL"}

for name in [name for name in os.environ if name.startswith("FAIRWAY_") and name not in KEPT]:
    del os.environ[name]

if not os.environ.get("FAIRWAY_DATABASE_URL"):
    os.environ.pop("FAIRWAY_DATABASE_URL", None)

folder = Path(os.environ.setdefault("TEST_FOLDER", tempfile.mkdtemp(prefix="fairway-tests-")))
os.environ["FAIRWAY_DATA"] = str(folder / "data")
os.environ["FAIRWAY_SECRET_KEY"] = "tests alone use this key, it opens nothing"
os.environ["DJANGO_SETTINGS_MODULE"] = "fairway.interfaces.settings"
(folder / "data").mkdir(parents=True, exist_ok=True)
