"""Loading the demo company: every record by the command that people use, at the instant of its story."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from operator import itemgetter
from typing import Any, cast

from django.db import transaction

from fairway.accounts import commands as accounts
from fairway.accounts import queries
from fairway.audit.commands import Command, execute, execute_many
from fairway.calendars import commands as calendars
from fairway.catalog import commands as catalog
from fairway.changes import commands as changing
from fairway.changes import queries as work
from fairway.changes.commands.reading import Span
from fairway.claims import queries as claims
from fairway.demo.story import builds as pipelines
from fairway.demo.story import calendar, company, elsewhere, fields, landscape
from fairway.demo.story.changes import changes
from fairway.demo.story.planned import Planned, Step
from fairway.demo.story.talk import FILES, VIEWS, WATCHED, Said, talk
from fairway.environments import commands as environments
from fairway.exchange import commands as exchange
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Problem
from fairway.kernel.period import Period
from fairway.workspace import commands as workspace

PERSON = company.DEMO.email
"""Who sees everything and may do most: the person to sign in as."""

SEED = 2026


def load(*, password: str, now: datetime | None = None, seed: int = SEED) -> None:
    """Write the demo company into an empty database, in one transaction: all of it or nothing.

    What it holds follows from the seed and the day; `now` (the clock, when not given) parts past and future.
    `password` is that of everybody who signs in, see `company.Person.signs_in`.
    :raises Problem: a command refused what the story says; the story and the product disagree.
    """
    now = now or datetime.now(UTC)
    founded = datetime.combine(now.date() - timedelta(days=400), time(9), UTC)
    with transaction.atomic():
        _found(password, founded)
        _set_up(founded + timedelta(days=1))
        _work_hours(founded + timedelta(days=2))
        _baseline("The catalogue as it was founded", founded + timedelta(days=3))
        planned, _ = changes(now, seed=seed)
        windows = calendar.windows(now)
        _live(planned, windows, talk(planned, windows, now=now))
        _pin(now)
        _drift(now)
        _waive(now)
        _lock(now)
        _run([calendars.SubscribeCalendar(organisation=calendar.FOLLOWED)], _person(PERSON), now)
        _settle(now)
        _describe(now)
        for by, kind, key, name, words in FILES:
            source = io.BytesIO(words.encode())
            workspace.attach(_person(by), kind=kind, subject=key, name=name, source=source, at=now)
        for by, kind, key in WATCHED:
            execute(workspace.SetWatch(kind=kind, subject=key), actor=_person(by), at=now)
        for view in VIEWS:
            execute(workspace.CreateView(**view.values), actor=_person(view.by), at=now)
        _import(now)
        _programs(now)
        wanted: dict[str, Any] = company.WANTED
        _run([accounts.ProposeRole(action="edit", **wanted)], _person("margaret.okafor@fairway.example"), now)
        elsewhere.fill(now, person=_person(PERSON))


def _import(at: datetime) -> None:
    """Have a list from elsewhere wait for somebody to look at what it would change."""
    keeper = _person("margaret.okafor@fairway.example")
    options = exchange.Options(kind="items", file=landscape.INVENTORY_FILE)
    kept = exchange.keep(io.BytesIO(landscape.INVENTORY.encode()), options, actor=keeper, at=at)
    exchange.begin(kept, actor=keeper, at=at, dry_run=True)


def _found(password: str, at: datetime) -> None:
    """Make organisations, people, teams and grants."""
    units = {unit.slug: unit for unit in company.UNITS}
    _run(
        (
            accounts.CreateOrganisation(slug=unit.slug, name=unit.name, parent=unit.parent)
            for unit in units.values()
        ),
        SYSTEM,
        at,
    )
    _run(
        (
            accounts.CreateUser(
                email=person.email, name=person.name, organisation=person.unit, zone=person.zone
            )
            for person in company.PEOPLE
        ),
        SYSTEM,
        at + timedelta(minutes=10),
    )
    _run(
        [
            accounts.CreateUser(
                email=pipelines.PIPELINE,
                name=pipelines.PIPELINE_NAME,
                organisation=company.ROOT,
                is_service=True,
            ),
            accounts.GrantRole(role="release-manager", organisation=company.ROOT, user=pipelines.PIPELINE),
        ],
        SYSTEM,
        at + timedelta(minutes=15),
    )
    _run(_teams(), SYSTEM, at + timedelta(minutes=20))
    _run(_grants(), SYSTEM, at + timedelta(minutes=30))
    _own_role(at + timedelta(minutes=35))
    signing_in = [person.email for person in company.PEOPLE if person.signs_in]
    _run(
        (accounts.SetPassword(user=email, password=password) for email in signing_in),
        SYSTEM,
        at + timedelta(minutes=40),
    )


def _programs(now: datetime) -> None:
    """Add the programs that ask and act here, with a limit for one; and let somebody stand in for another."""
    keeper = _person("margaret.okafor@fairway.example")
    for slug, name, role, per_minute in company.PROGRAMS:
        made = execute(
            accounts.CreateServiceAccount(slug=slug, name=name, organisation=company.ROOT),
            actor=keeper,
            at=now,
        )
        who = made.subject.uid if made.subject is not None else ""
        rule = accounts.PutRateRule(user=who, per_minute=per_minute, burst=per_minute // 10)
        _run([accounts.GrantRole(role=role, organisation=company.ROOT, user=who), rule], keeper, now)
    for giver, taker, since, days in company.STANDING_IN:
        start = now + timedelta(days=since)
        _run(
            [
                accounts.Delegate(
                    taker=taker, start=start.isoformat(), end=(start + timedelta(days=days)).isoformat()
                )
            ],
            _person(giver),
            now,
        )


def _own_role(at: datetime) -> None:
    """Have one administrator propose a role of the bank's own, and another confirm it."""
    made: dict[str, Any] = company.OWN_ROLE
    proposed = execute(
        accounts.ProposeRole(action="create", **made), actor=_person("margaret.okafor@fairway.example"), at=at
    )
    assert proposed.subject is not None  # noqa: S101  (what was created)
    execute(accounts.ConfirmRole(proposal=proposed.subject.uid), actor=_person(PERSON), at=at)
    grant = accounts.GrantRole(role=made["role"], organisation=company.STEWARDED, user=company.STEWARD)
    _run([grant], SYSTEM, at)


def _pin(now: datetime) -> None:
    """Let the change manager say of the next changes to an item that something is not affected by them."""
    item, spared, reason = landscape.PINNED
    query = work.ChangeQuery(item=item, open=True, sort="planned_start", limit=5)
    keys = [f"CHG-{row['number']}" for row in work.change_page(SYSTEM, query).rows]
    pins = [changing.PinItem(change=key, item=spared, affected=False, reason=reason) for key in keys]
    _run(pins, _person(PERSON), now)


def _drift(now: datetime) -> None:
    """Let a draft propose to edit an item in production, and a scan see what no change accounts for."""
    query = work.ChangeQuery(state="draft", environment="prod", model="normal", sort="planned_start", limit=1)
    for row in work.change_page(SYSTEM, query).rows:
        key = f"CHG-{row['number']}"
        dossier = work.dossier(SYSTEM, key)
        edit = changing.ProposeEdits(
            change=key,
            items=tuple(work.keys(SYSTEM, dossier)[0][:1]),
            patch=catalog.ItemPatch(attributes=landscape.PROPOSED),
        )
        _run([edit], _person(PERSON), now)
    keeper = _person("margaret.okafor@fairway.example")
    item, source, seen = landscape.DRIFTED
    _run([changing.NoteDrift(item=item, source=source, seen=seen)], keeper, now)


def _baseline(name: str, at: datetime) -> None:
    """Name the catalogue of the whole bank as it stands."""
    keeper = _person("margaret.okafor@fairway.example")
    _run([catalog.TakeBaseline(name=name, organisation=company.ROOT)], keeper, at)


def _describe(now: datetime) -> None:
    """Let somebody tidy up words of the catalogue, so that a baseline has something to differ from."""
    edits = [catalog.EditItem(item=item, description=words) for item, words in landscape.DESCRIBED]
    _run(edits, _person("margaret.okafor@fairway.example"), now)


WAIVED = (
    ("The regulator asked for it by the end of the month.", True),
    ("The vendor is on site that night and not again this quarter.", True),
    ("It would be convenient.", False),
    ("The certificate ends on that weekend.", None),
)
"""Why somebody asks for an exception, and whether it is granted; None: it waits to be decided."""


def _waive(now: datetime) -> None:
    """Let owners ask for exceptions from what stands in the way of coming work; some are granted."""
    manager = _person("tomas.ferreira@fairway.example")
    left = list(WAIVED)
    query = work.ChangeQuery(open=True, planned_start__gte=now.isoformat(), sort="planned_start", limit=200)
    for row in work.change_page(SYSTEM, query).rows:
        key = f"CHG-{row['number']}"
        dossier = work.dossier(SYSTEM, key)
        owner = dossier.change.owner
        found = work.time_findings(dossier.proposal(), at=now)
        blocked = next((one for one in found if one.rule.startswith("calendars.") and one.waivable_by), None)
        if not left or blocked is None or blocked.severity != "block" or owner is None:
            continue
        reason, granted = left.pop(0)
        asked = changing.RequestWaiver(change=key, finding=blocked.id, reason=reason)
        outcome = execute(asked, actor=queries.person(owner), at=now)
        waiver = outcome.subject.key if outcome.subject else ""
        if granted:
            _run([changing.GrantWaiver(waiver=waiver, note="Once.")], manager, now)
        elif granted is not None:
            _run([changing.RefuseWaiver(waiver=waiver, reason="Wait until January.")], manager, now)


MAY_STAY = (
    "The two teams sit together that night; the second waits for a word of the first.",
    "",
    "Both only read from it.",
)
"""Why conflicts to come may stay; empty: somebody sees to it, and it is open."""


def _settle(now: datetime) -> None:
    """Let people say of some conflicts to come who sees to them, and which may stay."""
    left = list(MAY_STAY)
    for clash in claims.conflicts(SYSTEM, period=Period(now, now + timedelta(days=30))):
        one, other, finding = clash.one, clash.other, clash.finding
        owner = work.change(SYSTEM, one.key).owner
        if not left or owner is None or finding.severity != "warn":
            continue
        person, rule = queries.person(owner), cast("Any", finding.rule)
        if not all(map(queries.access(person).sees, finding.parties)):
            continue
        reason = left.pop(0)
        command = changing.HandleConflict(
            change=one.key,
            other=other.key,
            rule=rule,
            owner=owner.key,
            accepted=bool(reason),
            reason=reason,
        )
        execute(command, actor=person, at=now)


def _teams() -> Iterable[Command]:
    for unit in company.UNITS:
        if unit.team:
            yield accounts.CreateTeam(
                slug=company.team_of(unit.slug),
                name=unit.team,
                organisation=unit.slug,
                members=list(company.engineers(unit.slug)),
            )
    everyone = [person.email for person in company.PEOPLE]
    yield accounts.CreateTeam(
        slug=company.STAFF, name="Everyone", organisation=company.ENVIRONMENTS, members=everyone
    )


def _grants() -> Iterable[Command]:
    for person in company.PEOPLE:
        for role, where in person.grants:
            yield accounts.GrantRole(role=role, organisation=where, user=person.email)
    for unit in company.UNITS:
        if unit.team:
            team = company.team_of(unit.slug)
            yield accounts.GrantRole(role="implementer", organisation=unit.slug, team=team)
    yield accounts.GrantRole(role="viewer", organisation=company.ENVIRONMENTS, team=company.STAFF)


def _field(given: Mapping[str, Any]) -> workspace.CreateField:
    options = [workspace.OptionBody(key=key, label=label) for key, label in given.get("options", ())]
    return workspace.CreateField(**{**given, "options": options})


def _set_up(at: datetime) -> None:
    """Make items, relations, environments and what stands in them."""
    keeper = _person("margaret.okafor@fairway.example")
    _run(map(_field, fields.FIELDS), SYSTEM, at - timedelta(hours=1))
    _run(
        (
            catalog.CreateItem(
                key=item.key,
                name=item.name,
                kind=item.kind,
                organisation=item.unit,
                criticality=item.criticality,
                shared=item.shared,
                description=item.description,
                owner_team=company.team_of(item.unit),
                attributes=fields.of_item(item),
                service_hours=fields.hours_of(item),
            )
            for item in landscape.items()
        ),
        keeper,
        at,
    )
    _run(
        (
            catalog.SetStakeholders(
                item=item.key,
                responsible=[company.team_of(item.unit)],
                accountable="margaret.okafor@fairway.example",
                informed=[company.STAFF] if item.criticality == 1 else [],
            )
            for item in landscape.items()
            if item.kind == "system" and item.criticality <= 2
        ),
        keeper,
        at + timedelta(hours=1),
    )
    _run(
        (
            catalog.CreateRelation(source=source, target=target, kind=kind)
            for source, target, kind in landscape.relations()
        ),
        keeper,
        at + timedelta(hours=2),
    )
    _run(
        (
            catalog.PutRedundancy(item=item, kind=kind, needed=needed, members=list(members))
            for item, kind, needed, members in landscape.REDUNDANCIES
        ),
        keeper,
        at + timedelta(hours=3),
    )
    manager = _person("weiling.tan@fairway.example")
    _run(
        (
            environments.CreateEnvironment(
                key=place.key,
                name=place.name,
                tier=place.tier,
                control=place.control,
                organisation=company.ENVIRONMENTS,
                zone=place.zone,
                shared=place.shared,
                description=place.description,
                position=position,
                custom=fields.of_place(place),
            )
            for position, place in enumerate(landscape.PLACES)
        ),
        manager,
        at + timedelta(days=1),
    )
    _run(
        (environments.CreateInstance(item=item, environment=place) for item, place in landscape.instances()),
        manager,
        at + timedelta(days=1, hours=1),
    )
    groups = (
        environments.CreateEnvironmentGroup(key=key, name=name, members=list(members), description=about)
        for key, name, members, about in landscape.LANES
    )
    links = (
        environments.CreateEnvironmentLink(parent=parent, child=child) for parent, child in landscape.LINKS
    )
    _run([*groups, *links], manager, at + timedelta(days=1, hours=2))


def _live(planned: Sequence[Planned], windows: Sequence[calendar.Window], said: Sequence[Said]) -> None:
    """Announce the windows, take the steps of all changes and say what was said, in the order of time."""
    people: dict[str, Actor] = {person.email: _person(person.email) for person in company.PEOPLE}
    keys: dict[int, str] = {}
    announced: dict[str, str] = {}
    names = {person.email: person.name for person in company.PEOPLE}
    numbers = {email: queries.user(SYSTEM, email).key for email in people}
    moments: list[tuple[datetime, int, Callable[[], None]]] = []

    def announce(window: calendar.Window) -> None:
        outcome = execute(_window(window), actor=people["tomas.ferreira@fairway.example"], at=window.known)
        announced[window.name] = outcome.subject.key if outcome.subject else ""

    def take(number: int, step: Step) -> None:
        change, actor = planned[number], people[step.by]
        if step.verb == "create":
            outcome = execute(_request(change), actor=actor, at=step.at)
            keys[number] = outcome.subject.key if outcome.subject else ""
            return
        said = dict(step.said)
        if step.verb == "vote":
            said["digest"] = work.change(actor, keys[number]).digest
        execute(changing.STEPS[step.verb](change=keys[number], **said), actor=actor, at=step.at)

    def say(one: Said) -> None:
        about = keys[one.change] if one.change is not None else announced.get(one.about, one.about)
        text, *rest = one.text.split("@")
        for email, part in zip(one.names, rest, strict=True):
            text += f"@[{names[email]}]({numbers[email]}){part}"
        command = workspace.CreateComment(kind=one.kind, subject=about, text=text)
        execute(command, actor=people[one.by], at=one.at)

    pipeline = _person(pipelines.PIPELINE)

    def build(one: pipelines.Built) -> None:
        execute(_registered(one), actor=pipeline, at=one.at)
        name = f"{one.system}@{one.version}"
        if one.rejected:
            rejected = catalog.EditBuild(build=name, status="rejected", reason=pipelines.BROKEN)
            execute(rejected, actor=people["margaret.okafor@fairway.example"], at=one.at)
        else:
            execute(changing.AttachBuild(change=keys[one.change], build=name), actor=pipeline, at=one.at)

    def accept(one: pipelines.Built) -> None:
        accepted = catalog.EditBuild(build=f"{one.system}@{one.version}", status="accepted")
        execute(accepted, actor=people["margaret.okafor@fairway.example"], at=one.accepted)

    for made in pipelines.builds(planned):
        moments.append((made.at, len(moments), partial(build, made)))
        if made.accepted:
            moments.append((made.accepted, len(moments), partial(accept, made)))
    for window in windows:
        moments.append((window.known, len(moments), partial(announce, window)))
    for number, change in enumerate(planned):
        for step in change.steps:
            moments.append((step.at, len(moments), partial(take, number, step)))
    for one in said:
        moments.append((one.at, len(moments), partial(say, one)))
    for _, _, act in sorted(moments, key=itemgetter(0, 1)):
        act()


def _registered(one: pipelines.Built) -> Command:
    home = f"{pipelines.REPOSITORY}/{one.system}"
    return catalog.RegisterBuild(
        system=one.system,
        build_version=one.version,
        commit=one.commit,
        commit_url=f"{home}/commit/{one.commit}",
        branch="main",
        tag=f"v{one.version}",
        url=f"{home}/runs/{int(one.commit[:5], 16)}",
        built_at=one.at,
        artefacts=[catalog.ArtefactFacts(purl=purl, digest=digest) for purl, digest in one.artefacts],
        work_items=[f"{one.system[:3].upper()}-{100 + one.change}"],
    )


def _lock(now: datetime) -> None:
    """Have a lockdown ready: drafted by one, approved by another."""
    drafted = execute(
        calendars.CreateWindow(**calendar.LOCKED), actor=_person("margaret.okafor@fairway.example"), at=now
    )
    assert drafted.subject is not None  # noqa: S101  (what was created)
    _run([calendars.ApproveLockdown(window=drafted.subject.uid)], _person(PERSON), now)


def _work_hours(at: datetime) -> None:
    """Say when people work where, with the days off of some years."""
    for one in calendar.WORKING:
        made = calendars.CreateWorkingCalendar(
            key=one.key,
            name=one.name,
            organisation=one.unit,
            zone=one.zone,
            hours={day: list(one.week) for day in ("mo", "tu", "we", "th", "fr")},
        )
        days = [
            calendars.PutHoliday(
                calendar=one.key,
                day=date(at.year, month, day),
                name=name,
                duration=timedelta(days=length),
                rrule="FREQ=YEARLY;COUNT=5",
            )
            for month, day, length, name in one.yearly
        ]
        _run([made, *days], _person("margaret.okafor@fairway.example"), at)


def _window(window: calendar.Window) -> Command:
    when: dict[str, Any] = {
        "local_start": window.start.isoformat(),
        "duration": window.length,
        "rrule": window.rrule,
    }
    if not window.rrule:
        start, end = window.span(window.start)
        when = {"starts_at": start, "ends_at": end}
    return calendars.CreateWindow(
        name=window.name,
        kind=window.kind,
        organisation=window.unit,
        reason=window.reason,
        zone=window.zone,
        items=list(window.items),
        environments=list(window.environments),
        environment_groups=list(window.groups),
        tiers=list(window.tiers),
        criticalities=list(window.criticalities),
        change_models=list(window.models),
        condition=window.condition,
        stops=None if window.stops is None else list(window.stops),
        **when,
    )


def _request(change: Planned) -> Command:
    minutes = int((change.span[1] - change.span[0]).total_seconds() // 60)
    parts: dict[str, Any] = {
        name: timedelta(minutes=minutes * share // 100)
        for name, share in (("implementation_time", 45), ("test_time", 20), ("backout_time", 30))
        if minutes >= 10 and change.backout
    }
    return changing.CreateChange(
        title=change.title,
        description=change.description,
        reason=change.reason,
        template=change.work.template or None,
        organisation=change.unit,
        category="" if change.work.template else change.work.category,
        priority=change.priority,
        external_id=change.external_id,
        implementation_plan=change.plan,
        test_plan=change.test,
        backout_plan=change.backout,
        freeze_reason=change.freeze_reason,
        owner=change.owner,
        implementers=change.implementers,
        items=change.items,
        environments=change.places,
        windows=(Span(*change.span),),
        downtime=(Span(*change.downtime),) if change.downtime else (),
        **parts,
    )


def _person(email: str) -> Actor:
    return queries.person(queries.user(SYSTEM, email))


def _run(commands: Iterable[Command], actor: Actor, at: datetime) -> None:
    for answer in execute_many(commands, actor=actor, at=at):
        if isinstance(answer, Problem):
            raise answer
