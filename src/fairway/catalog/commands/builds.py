"""What can be done to builds: registering them, and saying what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.catalog import queries
from fairway.catalog.events import CatalogEvent
from fairway.catalog.models import Artefact, Build, CarriedWorkItem, ConfigurationItem
from fairway.catalog.rules import builds as rules
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, FieldError, Invalid
from fairway.kernel.models import Row
from fairway.kernel.text import line, prose

MOST_ARTEFACTS, MOST_WORK_ITEMS = 200, 500


class ArtefactFacts(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One file or image: where it is found (a package URL), and the digest that names its bytes."""

    purl: str
    digest: str


class RegisterBuild(Command, name=CatalogEvent.BUILD_REGISTER):
    """Enter a build of a system. Its content is entered once: saying the same again changes nothing.

    What is left out is not compared with what stands there; `url` and `built_at` never are, for a pipeline
    that runs again has others. Without `built_at` it was built now. An artefact may also be one text, its
    package URL, `=` and its digest.
    """

    permission: ClassVar[str] = "catalog.register"
    system: str
    build_version: str
    commit: str = ""
    commit_url: str = ""
    branch: str = ""
    tag: str = ""
    url: str = ""
    built_at: datetime | None = None
    artefacts: list[ArtefactFacts | str] = []
    work_items: list[str] = []

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        [system] = queries.items(actor, [self.system], field="system")
        accounts.require(actor, self.permission, at=system.organisation_id)
        values = self._values(at)
        artefacts = _artefacts(self.artefacts)
        if len(self.work_items) > MOST_WORK_ITEMS:
            raise Invalid.field("work_items", f"{MOST_WORK_ITEMS} work items are the most.")
        work_items = list(dict.fromkeys(line(one, field="work_items") for one in self.work_items))
        if lock:  # two pipelines that register the same: the second finds what the first wrote
            ConfigurationItem.objects.select_for_update().filter(pk=system.pk).first()
        name = f"{system.slug}@{values['build_version']}"
        known = Build.objects.filter(name=name).select_related("system").first()
        if known is not None:
            _same(known, values, artefacts, work_items)
            return Plan(subject=known)
        _free(actor, artefacts)
        made = Build(system=system, name=name, organisation_id=system.organisation_id, **values)
        parts: list[Row] = [
            Artefact(build=made, position=position, purl=purl, digest=digest)
            for position, (purl, digest) in enumerate(artefacts)
        ]
        parts += [
            CarriedWorkItem(build=made, external_id=one, position=position)
            for position, one in enumerate(work_items)
        ]
        return Plan(subject=made, create=[made, *parts])

    def _values(self, at: datetime) -> dict[str, Any]:
        """:raises Invalid: a value has no sense, by field."""
        version = self.build_version.strip()
        if not rules.VERSION.fullmatch(version):
            raise Invalid.field(
                "build_version",
                f"“{version[:60]}” is not a version: use letters, figures and . : _ + ~ -, 100 at most,"
                " such as 2.3.0 or 1:2.3-4~rc1.",
            )
        commit = self.commit.strip().lower()
        if commit and not rules.COMMIT.fullmatch(commit):
            raise Invalid.field(
                "commit", f"“{commit[:70]}” is not a commit: write its hash, 7 to 64 figures 0-9 and a-f."
            )
        if self.built_at is not None and self.built_at.tzinfo is None:
            raise Invalid.field("built_at", "An instant needs an offset, such as 2027-01-04T08:00:00Z.")
        return {
            "build_version": version,
            "commit": commit,
            "commit_url": _address(self.commit_url, "commit_url"),
            "branch": line(self.branch, field="branch", needed=False),
            "tag": line(self.tag, field="tag", needed=False),
            "url": _address(self.url, "url"),
            "built_at": self.built_at or at,
        }


class EditBuild(Command, name=CatalogEvent.BUILD_EDIT):
    """Say what became of a build: accepted, rejected (which takes a reason), retired. Its content stays."""

    permission: ClassVar[str] = "catalog.register"
    undoable: ClassVar[bool] = True
    build: str
    version: int | None = None
    status: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _found(actor, self.build, self.permission, self.version)
        if found.archived_at is not None:
            raise Conflict(f"{found.key} is archived; use it again first.", code="catalog.build.archived")
        values: dict[str, Any] = {}
        if self.reason is not UNSET:
            values["reason"] = prose(self.reason, field="reason", longest=2_000)
        if self.status is not UNSET and self.status != found.status:
            if self.status not in Build.Status.values:
                there_are = ", ".join(Build.Status.values)
                raise Invalid.field(
                    "status", f"“{self.status[:40]}” is no status of a build; there are {there_are}."
                )
            legal = rules.STEPS[found.status]
            if self.status not in legal:
                way = f"it can become {' or '.join(legal)}" if legal else "it stays so"
                raise Conflict(
                    f"{found.key} is {found.status}; {way}, not {self.status}.", code="catalog.build.status"
                )
            values = {"reason": "", **values, "status": self.status}
            if self.status == Build.Status.REJECTED and not values["reason"]:
                raise Invalid.field("reason", "Say why the build is rejected.")
        return Plan(subject=found, change=[(found, values)])


class ArchiveBuild(Command, name=CatalogEvent.BUILD_ARCHIVE):
    """Take a build out of lists; its digests stay known."""

    permission: ClassVar[str] = "catalog.register"
    undoable: ClassVar[bool] = True
    build: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _found(actor, self.build, self.permission, self.version)
        return Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])


class RestoreBuild(Command, name=CatalogEvent.BUILD_RESTORE):
    """Show an archived build in lists again."""

    permission: ClassVar[str] = "catalog.register"
    undoable: ClassVar[bool] = True
    build: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _found(actor, self.build, self.permission, self.version)
        return Plan(subject=found, change=[(found, {"archived_at": None})] if found.archived_at else [])


def _found(actor: Actor, reference: str, permission: str, version: int | None) -> Build:
    found = queries.build(actor, reference)
    accounts.require(actor, permission, at=found.organisation_id)
    expect(found, version)
    return found


def _address(text: str, field: str) -> str:
    """:raises Invalid: it is no web address."""
    text = line(text, field=field, longest=1_000, needed=False)
    if text:
        try:
            parts = urlsplit(text)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in text
        except ValueError:
            good = False
        if not good:
            raise Invalid.field(field, f"“{text[:60]}” is not a web address; it begins with https://.")
    return text


def _split(text: str) -> ArtefactFacts:
    purl, _, digest = text.rpartition("=")
    return ArtefactFacts(purl=purl.strip(), digest=digest.strip())


def _artefacts(given: Sequence[ArtefactFacts | str]) -> list[tuple[str, str]]:
    """Return package URL and digest of each artefact.

    :raises Invalid: one is neither, two have one digest, or there are too many.
    """
    if len(given) > MOST_ARTEFACTS:
        raise Invalid.field("artefacts", f"{MOST_ARTEFACTS} artefacts are the most.")
    found: list[tuple[str, str]] = []
    faults = []
    seen: set[str] = set()
    for position, told in enumerate(given):
        one = _split(told) if isinstance(told, str) else told
        purl, digest = rules.purl(one.purl), rules.digest(one.digest)
        if purl is None or len(purl) > 500:
            faults.append(
                FieldError(
                    f"artefacts[{position}].purl",
                    f"“{one.purl[:80]}” is not a package URL, such as pkg:oci/payments-api@2.3.0.",
                )
            )
        if digest is None:
            faults.append(
                FieldError(
                    f"artefacts[{position}].digest",
                    f"“{one.digest[:80]}” is not a digest: write sha256: and 64 figures 0-9 and a-f"
                    " (or sha384, sha512).",
                )
            )
        elif digest in seen:
            faults.append(
                FieldError(f"artefacts[{position}].digest", f"{digest[:23]}… stands here more than once.")
            )
        if purl and digest:
            seen.add(digest)
            found.append((purl, digest))
    if faults:
        raise Invalid.fields(faults)
    return found


def _same(
    known: Build, values: dict[str, Any], artefacts: list[tuple[str, str]], work_items: list[str]
) -> None:
    """Check that what is said again is what was registered.

    :raises Conflict: it is not; names the fields that differ.
    """
    differing = [
        name.replace("_", " ")
        for name in ("commit", "commit_url", "branch", "tag")
        if values[name] and values[name] != getattr(known, name)
    ]
    if work_items and set(work_items) != set(known.work_items.values_list("external_id", flat=True)):
        differing.append("work items")
    if artefacts and set(artefacts) != set(known.artefacts.values_list("purl", "digest")):
        differing.append("artefacts")
    if differing:
        raise Conflict(
            f"{known.key} is {known.name} already, with another {' and another '.join(differing)}: what was"
            " registered is not edited. Build it under a new version, or say the same again.",
            code="catalog.build.differs",
        )


def _free(actor: Actor, artefacts: list[tuple[str, str]]) -> None:
    """Check that no other build has one of these digests.

    :raises Conflict: one has; it is named only to who sees it.
    """
    taken = Artefact.objects.filter(digest__in=[digest for _, digest in artefacts])
    first = taken.select_related("build").order_by("pk").first()
    if first is not None:
        sees = accounts.access(actor).sees(first.build.ref())
        where = f"{first.build.key} ({first.build.name})" if sees else "another build"
        raise Conflict(
            f"{first.digest[:23]}… is an artefact of {where} already; a digest is registered once.",
            code="catalog.build.digest",
        )
