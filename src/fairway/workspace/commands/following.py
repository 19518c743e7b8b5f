"""Following records, and saying what one wants to be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any, ClassVar, Literal

from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, registry
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.kernel.models import Row
from fairway.workspace import queries
from fairway.workspace.events import WorkspaceEvent
from fairway.workspace.models import Notification, NotificationSettings, Told, Watch
from fairway.workspace.queries.following import WatchState

MOST_MUTED = 100


class SetWatch(Command, name=WorkspaceEvent.WATCH_SET):
    """Watch a record or mute it; `none`: be told what one's part in it brings.

    `person`: let somebody else watch it, which takes the permission to comment; they can still mute it.
    """

    permission: ClassVar[str] = "workspace.comment"
    kind: str
    subject: str
    state: WatchState = "watching"
    person: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        record = queries.readable(actor, self.kind, self.subject)
        person = accounts.myself(actor)
        if self.person is not None:
            person = accounts.user(actor, self.person)
        if person.pk != actor.pk:
            accounts.require(actor, self.permission, at=record.owning_organisation)
            self._check_other(person, record)
        known = Watch.objects.filter(subject_uid=record.uid, person=person)
        found = (known.select_for_update(no_key=True) if lock else known).first()
        if person.pk != actor.pk and found is not None and found.muted:
            raise Invalid.field("person", f"{person.name} has muted this record.")
        if self.state == "none":
            return Plan(remove=[found] if found is not None else [])
        muted = self.state == "muted"
        if found is not None:
            return Plan(change=[(found, {"muted": muted})])
        made: list[Row] = [
            Watch(person=person, subject_kind=record.kind, subject_uid=record.uid, muted=muted)
        ]
        return Plan(create=made)

    def _check_other(self, person: Any, record: Any) -> None:
        """:raises Invalid: they cannot be told of it, or it is not for others to say."""
        if self.state == "muted":
            raise Invalid.field("state", "A record is muted by nobody but oneself.")
        if not person.is_active or person.is_service:
            raise Invalid.field("person", f"{person.name} does not sign in.")
        if not queries.may_read(accounts.person(person), record):
            raise Invalid.field("person", f"{person.name} may not see this record.")


class EditSettings(Command, name=WorkspaceEvent.SETTINGS_EDIT):
    """Say what one wants to be told, and how; what is left out stays."""

    muted: list[str] | UnsetType = UNSET
    reasons_off: list[str] | UnsetType = UNSET
    mail: Literal["none", "each", "daily"] | UnsetType = UNSET
    quiet_from: time | UnsetType | None = UNSET
    quiet_until: time | UnsetType | None = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        person = accounts.myself(actor)
        known = NotificationSettings.objects.filter(person=person)
        found = (known.select_for_update(no_key=True) if lock else known).first()
        values: dict[str, Any] = {}
        if self.muted is not UNSET:
            values["muted"] = _known("muted", self.muted, registry)
        if self.reasons_off is not UNSET:
            values["reasons_off"] = _known("reasons_off", self.reasons_off, Notification.Reason.values)
        if self.mail is not UNSET:
            values["mail"] = self.mail
        for name in ("quiet_from", "quiet_until"):
            value = getattr(self, name)
            if value is not UNSET:
                if value is not None and value.tzinfo is not None:
                    raise Invalid.field(name, "Quiet hours are in your own zone; give them without one.")
                values[name] = value
        made = found or NotificationSettings(person=person)
        quiet = [values.get(name, getattr(made, name)) for name in ("quiet_from", "quiet_until")]
        if quiet.count(None) == 1:
            raise Invalid.field("quiet_until", "Quiet hours have a beginning and an end.")
        if found is not None:
            return Plan(change=[(found, values)])
        for name, value in values.items():
            setattr(made, name, value)
        return Plan(create=[made])


def _known(field: str, given: Sequence[str], known: Any) -> list[str]:
    if len(given) > MOST_MUTED:
        raise Invalid.field(field, f"{MOST_MUTED} are the most.")
    unknown = [one for one in given if one not in known]
    if unknown:
        raise Invalid.field(field, f"There is no “{unknown[0][:60]}”.")
    return sorted(set(given))


def mark_read(
    actor: Actor,
    *,
    at: datetime,
    uids: Sequence[str] | None = None,
    subject: Any = None,
    read: bool = True,
) -> int:
    """Mark as read what a person was told: these, all of one record, or all; return how many.

    What one has read is nobody else's concern, so that no event tells it; see docs/workspace.md.
    """
    found = Notification.objects.filter(person_id=actor.pk or 0, read_at__isnull=read)
    if uids is not None:
        found = found.filter(uid__in=queries.uids_of(uids))
    if subject is not None:
        found = found.filter(subject_uid=subject.uid)
    return found.update(read_at=at if read else None)


def told_until(sequence: int) -> None:
    """Let nobody be told of events up to this number: of an imported log they were told elsewhere."""
    Told.objects.update_or_create(name=Told.NOTIFICATIONS, defaults={"sequence": sequence})
