"""Two branches that are twins: each holds one of everything, recognisable wherever it turns up."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client

from fairway.accounts import commands as accounts
from fairway.accounts import queries as who
from fairway.accounts.models import ApiToken, Delegation, Grant, Organisation, RateRule, Role, ShareLink, User
from fairway.accounts.webhooks import CreateWebhook
from fairway.audit.commands import Command, Outcome, execute
from fairway.calendars.commands import (
    ApproveLockdown,
    ArchiveWorkingCalendar,
    CreateWindow,
    CreateWorkingCalendar,
    EnforceLockdown,
    PutHoliday,
    SubscribeCalendar,
)
from fairway.catalog.commands import (
    ArchiveBuild,
    ArchiveItem,
    ArtefactFacts,
    CreateItem,
    CreateRedundancy,
    CreateRelation,
    EditItem,
    ItemPatch,
    RegisterBuild,
    SetStakeholders,
    TakeBaseline,
)
from fairway.catalog.models import ItemKind, RelationKind
from fairway.changes import commands as changes
from fairway.changes import queries
from fairway.changes.commands.reading import Span
from fairway.changes.models import CalendarFeed, Change, ChangeModel, ChangeTemplate
from fairway.environments.commands import (
    ArchiveEnvironment,
    ArchiveEnvironmentGroup,
    CreateEnvironment,
    CreateEnvironmentGroup,
    CreateEnvironmentLink,
    CreateInstance,
)
from fairway.exchange.commands import StartImport
from fairway.jobs.commands import drain, enqueue, sweep
from fairway.jobs.models import Job, Webhook
from fairway.kernel import blobs
from fairway.kernel.actor import SYSTEM
from fairway.kernel.models import Row
from fairway.workspace import commands as workspace
from fairway.workspace.commands import ArchiveField, CreateField
from fairway.workspace.listeners import feed
from fairway.workspace.models import Attachment, Comment

HOUR = timedelta(hours=1)


class Named(NamedTuple):
    """A record by the names that any door takes; people by their address too."""

    key: str
    uid: str
    email: str = ""


@dataclass(frozen=True)
class Person:
    named: Named
    email: str
    token: str
    client: Client


@dataclass
class Branch:
    """One of the twins. `records`: by what they are; `people`: by role; `extra`: what tests alone need."""

    slug: str
    loud: str
    records: dict[str, Named] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    uids: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)

    def __getattr__(self, name: str) -> Named:
        try:
            found: Named = self.__dict__["records"][name]
        except KeyError:
            raise AttributeError(f"the world has no “{name}” in each branch") from None
        return found

    def traces(self, answer: bytes | str, *, but: str = "") -> set[str]:
        """Return what an answer holds of this branch: its name, keys or uids; `but`: what the caller sent."""
        text = (answer.decode(errors="replace") if isinstance(answer, bytes) else answer).lower()
        if but:
            text = text.replace(but.lower(), "")
        if "pattern" not in self.extra:
            words = "|".join(map(re.escape, sorted(self.keys)))
            self.extra["pattern"] = re.compile(rf"(?<![\w-])(?:{words})(?!\w)")
        found = {trace for trace in (self.slug, *self.uids) if trace in text}
        return found | set(self.extra["pattern"].findall(text))


@dataclass
class World:
    now: datetime
    root: Person
    north: Branch
    south: Branch
    roles: Mapping[str, frozenset[str]]
    tables: dict[str, str] = field(default_factory=dict)

    def twin(self, branch: Branch) -> Branch:
        return self.south if branch is self.north else self.north


def run(command: Command, *, by: str = "", at: datetime | None = None) -> Outcome:
    """Run a command as the person of this address, or as Fairway itself."""
    actor = who.person(User.objects.get(email_folded=by)) if by else SYSTEM
    return execute(command, actor=actor, at=at)


def named(outcome: Outcome) -> Named:
    assert outcome.subject is not None
    return Named(outcome.subject.key, outcome.subject.uid)


def build() -> World:
    """Make the world by commands alone."""
    now = datetime.now(UTC).replace(microsecond=0)
    run(accounts.CreateOrganisation(slug="group", name="The Group"))
    roles = {role.slug: frozenset(role.permissions) for role in Role.objects.all()}
    root = _person("root@group.example", "Root", "group", "administrator")
    north, south = (Branch(slug, slug.upper()) for slug in ("north-secret", "south-secret"))
    for branch in (north, south):
        fill(branch, roles, now)
    _person("second@group.example", "Second", "group", "administrator")
    shared = agree_on_roles()
    for branch in (north, south):
        branch.records.update(shared)
    feed(now)
    drain()
    for branch in (north, south):
        remember(branch)
    plant((north, south), (root, *north.people.values(), *south.people.values()))
    return World(now, root, north, south, roles)


def agree_on_roles(key: str = "own", name: str = "Own role") -> dict[str, Named]:
    """Make a role that two people agreed on, and propose more: what concerns the whole tree."""
    root, other = "root@group.example", "second@group.example"

    def propose(role: str, by: str) -> Named:
        permissions = ["accounts.view", "catalog.view"]
        command = accounts.ProposeRole(
            action="create", role=role, name=name, description=name, reason=name, permissions=permissions
        )
        made = named(run(command, by=by))
        return Named(made.uid, made.uid)

    run(accounts.ConfirmRole(proposal=propose(f"{key}-role", root).uid, comment=name), by=other)
    return {
        "role": _slugged(Role.objects.get(slug=f"{key}-role")),
        "proposal": propose(f"{key}-wanted", other),
        "own_proposal": propose(f"{key}-mine", root),
    }


def _slugged(row: Any) -> Named:
    return Named(row.slug, str(row.uid))


def _person(email: str, name: str, organisation: str, role: str) -> Person:
    made = named(run(accounts.CreateUser(email=email, name=name, organisation=organisation)))
    made = made._replace(email=email)
    if role:
        run(accounts.GrantRole(role=role, organisation=organisation, user=email))
    token = run(accounts.CreateToken(name=f"{name} token"), by=email).answer
    ApiToken.objects.filter(user__email=email).update(last_used_at=datetime.now(UTC))
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(email=email))
    return Person(made, email, token, client)


def fill(branch: Branch, roles: Mapping[str, frozenset[str]], now: datetime) -> None:
    """Make a branch with one of everything; all its texts begin with its loud name."""
    branch.extra["now"] = now
    branch.records["model"] = _slugged(ChangeModel.objects.get(slug="normal"))
    branch.records["kind_of_items"] = _slugged(ItemKind.objects.get(slug="component"))
    branch.records["relation_kind"] = _slugged(RelationKind.objects.get(slug="part-of"))
    branch.records["kinds_of"] = Named("items", "items")
    branch.records["decision"] = Named("confirm", "confirm")
    branch.records["verb"] = Named("submit", "submit")
    branch.records["a_day"] = Named("2030-01-01", "2030-01-01")
    branch.records["resource"] = Named("items", "items")
    branch.records["retry_verb"] = Named("retry", "retry")
    branch.records["template"] = _slugged(ChangeTemplate.objects.get(slug="os-patch"))
    slug, loud = branch.slug, branch.loud
    domain = f"{slug}.example"
    records = branch.records
    records["organisation"] = named(
        run(accounts.CreateOrganisation(slug=slug, name=f"{loud} division", parent="group"))
    )
    records["office"] = named(
        run(accounts.CreateOrganisation(slug=f"{slug}-office", name=f"{loud} office", parent=slug))
    )
    for role in roles:
        branch.people[role] = _person(f"{role}@{domain}", f"{loud} {role}", slug, role)
    for other in ("nobody", "leaver", "member", "newcomer"):
        branch.people[other] = _person(f"{other}@{domain}", f"{loud} {other}", slug, "")
    run(accounts.GrantRole(role="administrator", organisation=slug, user=f"leaver@{domain}"))
    run(accounts.SetUserActive(user=f"leaver@{domain}", active=False))
    branch.tokens["of somebody inactive"] = branch.people["leaver"].token
    boss = f"administrator@{domain}"
    records["person"] = branch.people["member"].named
    for other in ("newcomer", "leaver", "viewer"):
        records[other] = branch.people[other].named
    records["requester"] = branch.people["requester"].named
    records["implementer"] = branch.people["implementer"].named
    records["approver"] = branch.people["approver"].named
    invited = User.objects.get(email=f"newcomer@{domain}")
    secret = who.invitation(invited).rpartition("/")[2]
    records["invited"] = _only_uid(invited)
    records["invitation"] = Named(secret, secret)
    records["service"] = named(
        run(
            accounts.CreateUser(
                email=f"robot@{domain}", name=f"{loud} robot", organisation=slug, is_service=True
            ),
            by=boss,
        )
    )
    records["team"] = named(
        run(
            accounts.CreateTeam(
                slug=f"{slug}-team", name=f"{loud} team", organisation=slug, members=[f"member@{domain}"]
            ),
            by=boss,
        )
    )
    run(accounts.GrantRole(role="viewer", organisation=slug, team=f"{slug}-team"), by=boss)
    run(accounts.GrantRole(role="viewer", organisation=slug, user=f"newcomer@{domain}"), by=boss)
    _tokens(branch, boss, now)
    run(
        accounts.Delegate(
            taker=f"approver@{domain}",
            start=(now - HOUR).isoformat(),
            end=(now + 9 * HOUR).isoformat(),
        ),
        by=f"viewer@{domain}",
    )
    records["delegation"] = _only_uid(Delegation.objects.get(giver__email=f"viewer@{domain}"))
    records["grant"] = _only_uid(Grant.objects.get(user__email=f"newcomer@{domain}"))
    records["team_grant"] = _only_uid(Grant.objects.get(team__slug=f"{slug}-team"))
    _things(branch, boss)
    _calendar(branch, boss, now)
    _changes(branch, now)
    _workspace(branch, boss)
    text = f"key,name,kind\n{slug}-new,{loud} new,system\n".encode()
    blob = blobs.store([text], media_type="text/csv", at=now)
    start = StartImport(kind="items", digest=str(blob.digest), file=f"{loud}.csv", organisation=slug)
    records["import"] = named(run(start, by=boss))
    _jobs(branch, boss)


def _jobs(branch: Branch, boss: str) -> None:
    place = Organisation.objects.get(slug=branch.slug).pk
    asker = who.person(User.objects.get(email=boss))
    for what, state in (("job", "failed"), ("waiting_job", "ready")):
        job = enqueue(
            sweep,
            {},
            actor=asker,
            organisation=place,
            title=f"{branch.loud} {what}",
            unique_key=branch.slug + what,
            run_after=datetime.now(UTC) + 24 * HOUR,  # who drains the queue leaves it alone
        )
        Job.objects.filter(pk=job.pk).update(
            state=state, error=f"{branch.loud} error", text=f"{branch.loud} text"
        )
        branch.records[what] = Named(job.key, str(job.uid))
    made = run(
        CreateWebhook(
            name=f"{branch.loud} webhook",
            url=f"https://{branch.slug}.example/hook",
            organisation=branch.slug,
            kinds=["item"],
        ),
        by=boss,
    )
    branch.records["webhook"] = named(made)


def _workspace(branch: Branch, boss: str) -> None:
    slug, loud, records = branch.slug, branch.loud, branch.records
    records["item_kind"] = Named("item", "item")
    records["boss"] = branch.people["administrator"].named
    run(workspace.SetWatch(kind="item", subject=f"{slug}-item"), by="root@group.example")
    run(SubscribeCalendar(organisation=slug), by="root@group.example")
    words = f"{loud} **comment** for @{records['person'].key}"
    run(workspace.CreateComment(kind="item", subject=f"{slug}-item", text=words), by=boss)
    records["comment"] = _only_uid(Comment.objects.get(author__email=boss))
    content = io.BytesIO(f"{loud} file".encode())
    actor = who.person(User.objects.get(email_folded=boss))
    workspace.attach(actor, kind="item", subject=f"{slug}-item", name=f"{loud}.txt", source=content)
    records["file"] = _only_uid(Attachment.objects.get(author__email=boss))
    view = workspace.CreateView(
        page="items",
        name=f"{loud} view",
        filters={"q": loud},
        sharing="organisation",
        organisation=slug,
        pinned=True,
    )
    records["view"] = named(run(view, by=f"change-manager@{branch.slug}.example"))


def _only_uid(row: Row) -> Named:
    return Named(str(row.uid), str(row.uid))


def _tokens(branch: Branch, boss: str, now: datetime) -> None:
    def make(name: str, at: datetime, days: int = 90, user: str | None = None) -> ApiToken:
        made = run(accounts.CreateToken(name=f"{branch.loud} {name}", days=days, user=user), by=boss, at=at)
        branch.tokens[name] = made.answer
        return ApiToken.objects.get(digest=who.digest(made.answer))

    make("that expired", now - timedelta(days=60), 30)
    run(accounts.RevokeToken(token=str(make("that was revoked", now).uid)), by=boss)
    branch.tokens["that nobody made"] = "fw_" + "x" * 43
    branch.tokens["that is empty"] = "fw_"
    branch.records["token"] = _only_uid(make("spare", now))
    branch.records["service_token"] = _only_uid(make("robot", now, user=f"robot@{branch.slug}.example"))
    branch.extra["client_secret"] = branch.tokens["robot"]
    for name in ("spare", "robot"):
        del branch.tokens[name]
    run(
        accounts.PutRateRule(user=f"requester@{branch.slug}.example", per_minute=100_000, burst=9_000),
        by=boss,
    )
    link = run(
        accounts.CreateShareLink(name=f"{branch.loud} link", what="items", fields=["key", "name"]), by=boss
    )
    made = ShareLink.objects.get(digest=who.digest(link.answer))
    branch.records["share"], branch.records["shared"] = _only_uid(made), Named(link.answer, link.answer)
    subscribed = run(changes.CreateFeed(name=f"{branch.loud} feed"), by=boss)
    kept = CalendarFeed.objects.get(digest=who.digest(subscribed.answer))
    branch.records["feed"] = _only_uid(kept)
    branch.records["feeding"] = Named(subscribed.answer, subscribed.answer)
    branch.records["rate_rule"] = _only_uid(
        RateRule.objects.get(user__email=f"requester@{branch.slug}.example")
    )


def digest_of(*words: str) -> str:
    return "sha256:" + sha256("/".join(words).encode()).hexdigest()


def _things(branch: Branch, boss: str) -> None:
    slug, loud, records = branch.slug, branch.loud, branch.records

    for what in ("field", "former_field"):
        field = CreateField(
            subject="item",
            name=f"{slug}-{what.replace('_', '-')}",
            label=f"{loud} {what}",
            help=f"{loud} help",
            type="text",
            organisation=slug,
            group=f"{loud} group",
        )
        records[what] = named(run(field, by=boss))
    run(ArchiveField(field=f"item.{slug}-former-field"), by=boss)

    def item(what: str, kind: str, **more: Any) -> None:
        command = CreateItem(
            key=f"{slug}-{what}",
            name=f"{loud} {what}",
            kind=kind,
            organisation=slug,
            description=f"{loud} description",
            external_id=f"{loud}-{what}",
            attributes={"note": f"{loud} attribute", f"{slug}-field": f"{loud} value"},
            **more,
        )
        records[what] = named(run(command, by=boss))

    item("item", "system", criticality=1, owner_team=f"{slug}-team")
    item("database", "database")
    item("network", "network", shared=True)
    item("spare", "system")
    edited = run(EditItem(item=f"{slug}-spare", description=f"{loud} spare, edited"))
    branch.extra["undoable"] = edited.sequence
    item("old", "system")
    run(CreateRelation(source=f"{slug}-spare", target=f"{slug}-old", kind="depends-on"), by=boss)
    run(ArchiveItem(item=f"{slug}-old"), by=boss)
    run(SetStakeholders(item=f"{slug}-item", responsible=[f"{slug}-team"]), by=boss)
    for source, target in (("spare", "network"), ("item", "database"), ("database", "network")):
        made = run(
            CreateRelation(source=f"{slug}-{source}", target=f"{slug}-{target}", kind="depends-on"), by=boss
        )
        records.setdefault("relation", named(made))
    run(CreateRelation(source=f"{slug}-item", target=f"{slug}-spare", kind="depends-on"), by=boss)
    members = [f"{slug}-database", f"{slug}-spare"]
    records["redundancy"] = named(
        run(
            CreateRedundancy(item=f"{slug}-item", kind="depends-on", needed=1, members=members, name=loud),
            by=boss,
        )
    )
    taken = TakeBaseline(name=f"{loud} baseline", organisation=slug)
    records["baseline"] = named(run(taken, by=boss))
    for what, version in (("build", "1.0"), ("former_build", "0.9")):
        registered = RegisterBuild(
            system=f"{slug}-item",
            build_version=version,
            branch=f"{slug}-branch",
            commit_url=f"https://{slug}.example/commit",
            artefacts=[ArtefactFacts(purl=f"pkg:oci/{slug}-item@{version}", digest=digest_of(slug, version))],
            work_items=[f"{loud}-work-{version}"],
        )
        records[what] = named(run(registered, by=boss))
    run(ArchiveBuild(build=records["former_build"].key), by=boss)
    for what in ("spare", "network"):
        run(CreateRelation(source=f"{slug}-database", target=f"{slug}-{what}", kind="runs-on"), by=boss)
    for what, tier, control in (
        ("production", "production", "controlled"),
        ("integration", "integration", "coordinated"),
        ("former", "staging", "open"),
        ("mirror", "training", "open"),
    ):
        command = CreateEnvironment(
            key=f"{slug}-{what}",
            name=f"{loud} {what}",
            tier=tier,
            control=control,
            organisation=slug,
            description=f"{loud} description",
        )
        records[what] = named(run(command, by=boss))
    run(ArchiveEnvironment(environment=f"{slug}-former"), by=boss)
    link = CreateEnvironmentLink(parent=f"{slug}-production", child=f"{slug}-mirror")
    records["link"] = named(run(link, by=boss))
    for what in ("lane", "former_lane"):
        group = CreateEnvironmentGroup(
            key=f"{slug}-{what.replace('_', '-')}",
            name=f"{loud} {what}",
            members=[f"{slug}-integration", f"{slug}-mirror"],
            organisation=slug,
            description=f"{loud} description",
        )
        records[what] = named(run(group, by=boss))
    run(ArchiveEnvironmentGroup(group=f"{slug}-former-lane"), by=boss)
    for what in ("item", "database"):
        made = run(CreateInstance(item=f"{slug}-{what}", environment=f"{slug}-production"), by=boss)
        records.setdefault("instance", named(made))


LOCKDOWNS: dict[str, tuple[Any, ...]] = {
    "lockdown": (),
    "approved_lockdown": (ApproveLockdown,),
    "enforced_lockdown": (ApproveLockdown, EnforceLockdown),
}


def _calendar(branch: Branch, boss: str, now: datetime) -> None:
    slug, loud = branch.slug, branch.loud

    def window(what: str, kind: str, **more: Any) -> None:
        command = CreateWindow(
            name=f"{loud} {what}", kind=kind, organisation=slug, reason=f"{loud} reason", zone="UTC", **more
        )
        branch.records[what] = named(run(command, by=boss))

    far = now + timedelta(days=20)
    window(
        "freeze",
        "hard_freeze",
        starts_at=far,
        ends_at=far + 48 * HOUR,
        items=[f"{slug}-item"],
        environments=[f"{slug}-production"],
    )
    for what, steps in LOCKDOWNS.items():
        spare: dict[str, Any] = {"items": [f"{slug}-spare"], "change_models": ["standard"]}
        made = CreateWindow(
            name=f"{loud} {what}", kind="lockdown", organisation=slug, reason=f"{loud} reason", **spare
        )
        branch.records[what] = named(run(made))
        for step in steps:
            run(step(window=branch.records[what].key), by=boss)
    window(
        "weekly",
        "soft_freeze",
        local_start=(now.replace(tzinfo=None) + timedelta(days=3)).isoformat(),
        duration=2 * HOUR,
        rrule="FREQ=WEEKLY",
        items=[f"{slug}-spare"],
    )
    for what in ("former_hours", "hours"):
        key = f"{slug}-{what.replace('_', '-')}"
        hours = CreateWorkingCalendar(
            key=key,
            name=f"{loud} {what}",
            organisation=slug if what == "hours" else f"{slug}-office",
            zone="UTC",
            hours={"mo": ["09:00-17:00"]},
        )
        branch.records[what] = named(run(hours, by=boss))
        run(PutHoliday(calendar=key, day=date(2030, 1, 1), name=f"{loud} holiday"), by=boss)
        if what == "former_hours":
            run(ArchiveWorkingCalendar(calendar=key), by=boss)


def _changes(branch: Branch, now: datetime) -> None:
    slug, loud, domain = branch.slug, branch.loud, f"{branch.slug}.example"
    requester, approver = f"requester@{domain}", f"approver2@{domain}"
    implementer = f"implementer@{domain}"
    branch.people["approver2"] = _person(approver, f"{loud} second approver", slug, "approver")

    def change(what: str, **more: Any) -> str:
        given: dict[str, Any] = {
            "title": f"{loud} change {what}",
            "organisation": slug,
            "description": f"{loud} description",
            "reason": f"{loud} reason",
            "category": loud,
            "external_id": f"{loud}-{what}",
            "implementation_plan": f"{loud} plan",
            "items": (f"{slug}-item",),
            "environments": (f"{slug}-production",),
            "windows": (Span(now - HOUR, now + 6 * HOUR),),
            "implementers": (implementer,),
            **more,
        }
        made = named(run(changes.CreateChange(**given), by=requester))
        branch.records[what] = made
        return made.key

    def step(verb: str, key: str, by: str, **more: Any) -> None:
        if verb == "vote":
            number = int(key.removeprefix("CHG-"))
            more = {"choice": "approve", "digest": Change.objects.get(number=number).digest, **more}
        run(changes.STEPS[verb](change=key, **more), by=by)

    change("draft", items=(f"{slug}-database",))
    way = {
        "authorising": (),
        "scheduled": (("vote", approver, {}),),
        "held": (("vote", approver, {}), ("hold", requester, {"reason": f"{loud} hold"})),
        "implementing": (("vote", approver, {}), ("start", implementer, {})),
        "reviewing": (
            ("vote", approver, {}),
            ("start", implementer, {}),
            ("complete", implementer, {"outcome": "with_issues", "note": f"{loud} outcome"}),
        ),
    }
    for what, steps in way.items():
        patch = ItemPatch(attributes={"note": f"{loud} applied"})
        edits = (changes.ItemEdits(items=(f"{slug}-item",), patch=patch),)
        key = change(what, **({"edits": edits} if what == "implementing" else {}))
        step("submit", key, requester)
        for verb, by, more in steps:
            step(verb, key, by, **more)
    for what in way:
        number = int(branch.records[what].key.removeprefix("CHG-"))
        expected = "scheduled" if what == "held" else what
        assert Change.objects.get(number=number).state == expected, what
    pin = changes.PinItem(
        change=branch.records["scheduled"].key, item=f"{slug}-spare", affected=False, reason=f"{loud} pin"
    )
    run(pin, by=requester)
    noted = changes.NoteDrift(
        item=f"{slug}-item", source=f"{loud} scan", seen={"attributes": {"note": f"{loud} seen"}}
    )
    branch.records["drift"] = named(run(noted, by=f"administrator@{domain}"))
    run(changes.AttachBuild(change=branch.records["scheduled"].key, build=f"{slug}-item@1.0"), by=requester)
    change("proposing")
    run(
        changes.ProposeEdits(
            change=branch.records["proposing"].key,
            items=(f"{slug}-item",),
            patch=ItemPatch(criticality=2, attributes={"note": f"{loud} proposed"}),
        ),
        by=requester,
    )
    far = now + timedelta(days=20)
    for what in ("frozen", "excepted", "exempt"):
        change(what, windows=(Span(far + HOUR, far + 3 * HOUR),))
        key = branch.records[what].key
        found = queries.time_findings(queries.dossier(SYSTEM, key).proposal(), at=now)
        finding = next(one.id for one in found if one.rule == "calendars.freeze")
        if what == "frozen":
            branch.extra["finding"] = finding
        else:
            ask = changes.RequestWaiver(change=key, finding=finding, reason=f"{loud} reason")
            branch.records["waiver" if what == "excepted" else "granted"] = named(run(ask, by=requester))
    run(changes.GrantWaiver(waiver=branch.records["granted"].key), by=f"change-manager@{domain}")
    draft = Change.objects.get(number=int(branch.records["draft"].key.removeprefix("CHG-")))
    branch.extra["version"] = draft.version
    branch.extra["digest"] = Change.objects.get(
        number=int(branch.records["authorising"].key.removeprefix("CHG-"))
    ).digest


def remember(branch: Branch) -> None:
    """Note every uid and key of the branch's rows, for looking where they turn up."""
    branch.extra.pop("pattern", None)
    below = {branch.records["organisation"].uid, branch.records["office"].uid}
    places = set(Organisation.objects.filter(uid__in=below).values_list("pk", flat=True))
    for model in apps.get_models():
        if issubclass(model, Row):
            for row in model._default_manager.all():
                if row.owning_organisation in places:
                    branch.uids.add(str(row.uid))
                    key = str(getattr(row, "key", ""))
                    if "-" in key and key.rpartition("-")[2].isdigit():
                        branch.keys.add(key.lower())


_PLANTED: set[str] = set()


def planted() -> set[str]:
    """Return every secret of the world, told or stored: tokens, passwords, links, keys, and their digests."""
    return _PLANTED


def plant(branches: Iterable[Branch], people: Iterable[Person]) -> None:
    """Note the secrets of the world by the longest piece of each that no mark divides."""
    told = [settings.SECRET_KEY]
    for branch in branches:
        told += [*branch.tokens.values(), branch.extra["client_secret"]]
        told += [branch.records[name].key for name in ("shared", "feeding", "invitation")]
    told += [person.token for person in people]
    told += Session.objects.values_list("session_key", flat=True)
    told += [who.digest(secret) for secret in told]
    told += User.objects.values_list("password", flat=True)
    told += Webhook.objects.values_list("secret", flat=True)
    found = {max(re.split(r"[^A-Za-z0-9_-]+", secret), key=len) for secret in told}
    _PLANTED.clear()
    _PLANTED.update(secret for secret in found if len(secret) >= 16)


def keeps_silent(answer: Any, asked: str) -> Any:
    """Return an answer of any door, once it holds no secret but one that was sent.

    :raises AssertionError: it does.
    """
    if not answer.streaming:
        for piece in _LONG.findall(answer.content):
            if piece.decode() in _PLANTED:
                assert piece.decode() in asked, f"a secret in the answer to {asked[:200]}"
    return answer


_LONG = re.compile(rb"[A-Za-z0-9_-]{16,}")


LEFT_OUT = {"audit_denial", "accounts_shareopening", "accounts_signinfailure"}
"""What a call may write all the same: its denial, that a link was opened, that signing in failed."""


def stored() -> dict[str, str]:
    """Return a digest of each table's contents."""
    with connection.cursor() as cursor:
        tables = sorted(set(connection.introspection.table_names(cursor)) - LEFT_OUT)
    return {table: _contents(table) for table in tables}


def _contents(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  (a table's own name)
        rows = sorted(repr(row) for row in cursor.fetchall())
    return sha256("\n".join(rows).encode()).hexdigest()


def differing(world: World, tables: Iterable[str] = ()) -> Iterator[str]:
    """Yield which of these tables (or of all) hold something else than at first, the likeliest first."""
    for table in sorted(tables or world.tables, key=lambda table: table != "audit_event"):
        if table in world.tables and _contents(table) != world.tables[table]:
            yield table


def _rows_written() -> dict[str, int]:
    """Return how many rows were written, taken back or not: by this connection, or in this transaction.

    By table where the database tells; an empty name stands for all.
    """
    if connection.vendor == "sqlite":
        return {"": connection.connection.total_changes}
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
        return dict(cursor.fetchall())


@contextmanager
def unwritten(world: World, what: str) -> Iterator[None]:
    """Check that the body wrote nothing."""
    before = _rows_written()
    yield
    touched = {table for table, rows in _rows_written().items() if rows != before.get(table, 0)}
    if not touched:
        return  # so there is no need to read what they hold
    found = list(differing(world, touched - {""}))
    assert not found, f"{what} wrote into {', '.join(found)}"


@contextmanager
def undone() -> Iterator[None]:
    """Undo whatever the body writes."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
