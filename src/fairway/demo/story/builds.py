"""What the pipelines of the bank built: a build for every third change to a system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from fairway.demo.story.landscape import SYSTEMS
from fairway.demo.story.planned import Planned

PIPELINE, PIPELINE_NAME = "pipeline@fairway.example", "Build pipeline"
REPOSITORY = "https://git.fairway.example"
BROKEN = "The contract test of the ledger interface fails; fixed in the next build."


@dataclass(frozen=True, slots=True)
class Built:
    """`change`: the number in the story of the change that it carries."""

    change: int
    system: str
    version: str
    at: datetime
    accepted: datetime | None = None
    rejected: bool = False

    @property
    def commit(self) -> str:
        return sha256(f"{self.system} {self.version}".encode()).hexdigest()[:40]

    def digest(self, part: str) -> str:
        return "sha256:" + sha256(f"{self.system} {self.version} {part}".encode()).hexdigest()

    @property
    def artefacts(self) -> tuple[tuple[str, str], ...]:
        """Return the image and the configuration that were built, each with its digest."""
        image = f"pkg:oci/{self.system}@{self.version}?repository_url=registry.fairway.example"
        return (
            (image, self.digest("image")),
            (f"pkg:generic/{self.system}-config@{self.version}", self.digest("config")),
        )


def builds(planned: Sequence[Planned]) -> Iterator[Built]:
    """Yield the builds in the order of the changes that they carry."""
    systems = {system.key for system in SYSTEMS}
    counts: Counter[str] = Counter()
    for number, change in enumerate(planned):
        if number % 3 or not change.items or change.items[0] not in systems or len(change.steps) < 2:
            continue
        system, asked = change.items[0], change.steps[1].at
        begun = next((step.at for step in change.steps if step.verb == "start"), None)
        if number % 12 == 0:
            counts[system] += 1
            yield Built(
                number, system, f"2.{counts[system]}.0-rc1", asked - timedelta(minutes=9), rejected=True
            )
        else:
            counts[system] += 1
        yield Built(
            number,
            system,
            f"2.{counts[system]}.0",
            asked - timedelta(minutes=1),
            accepted=begun - timedelta(minutes=1) if begun else None,
        )
