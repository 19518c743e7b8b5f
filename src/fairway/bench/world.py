"""Fills an empty database with the world of a benchmark, in bulk, the projection of claims included."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Count

from fairway.accounts import commands as accounts
from fairway.audit import queries as audit
from fairway.audit.commands import Command, execute_many
from fairway.bench import bookings
from fairway.bench.shape import FUTURE, KINDS, PAST, TODAY, Chance, Popular, Shape
from fairway.changes import queries as changes
from fairway.claims import queries as claims
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Problem
from fairway.kernel.numbers import next_numbers

Say = Callable[[str], None]
PLACES = (
    ("dev", "development", "open"), ("sit1", "system_test", "coordinated"), ("sit2", "system_test",
    "coordinated"),
    ("int", "integration", "coordinated"), ("perf", "performance", "coordinated"),
    ("uat", "acceptance", "coordinated"), ("training", "training", "coordinated"), ("staging", "staging",
    "controlled"),
    ("prod", "production", "controlled"), ("dr", "disaster_recovery", "controlled"),
)  # fmt: skip
FEW, ALL = "few@bench.example", "all@bench.example"
"""Who asks: somebody with 5 branches, and somebody with the whole tree."""
BRANCHES = 5
CHUNK = 2_000
SAMPLE = 2_000


def model(label: str) -> Any:
    return apps.get_model(label)


def fill(shape: Shape, say: Say) -> dict[str, Any]:
    """Write the world in one transaction, check its projection, and return what it came out as.

    :raises RuntimeError: the claims stored are not what the changes' rows say.
    """
    with transaction.atomic():
        world = _World(shape)
        for what, write in world.parts():
            say(what)
            write()
        world.revise()
    say("checking the projection")
    wrong = differing(shape)
    if wrong:
        raise RuntimeError(f"the claims of {len(wrong)} changes are not what their rows say: {wrong[:5]}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return described(shape)


def differing(shape: Shape) -> list[int]:
    """Return changes of a sample whose stored claims are not those that follow from their rows."""
    numbers = list(model("changes.Change").objects.order_by("number").values_list("pk", flat=True))
    sample = Chance(shape.seed).sample(numbers, min(SAMPLE, len(numbers)))
    follow = changes.held(sample)
    stored: dict[int, set[Any]] = {pk: set() for pk in sample}
    for claim in claims.stored("change"):
        if claim.source.pk in stored:
            stored[claim.source.pk].add(claim)
    return [pk for pk in sample if stored[pk] != set(follow[pk])]


def described(shape: Shape) -> dict[str, Any]:
    """Return counts and spread of the world as it stands in the database."""
    relation = model("catalog.Relation").objects
    needed_by = Counter(relation.values_list("target_id", flat=True))
    needs = Counter(relation.values_list("source_id", flat=True))
    counts = {
        name: model(label).objects.count()
        for name, label in (
            ("organisations", "accounts.Organisation"),
            ("items", "catalog.ConfigurationItem"),
            ("relations", "catalog.Relation"),
            ("environments", "environments.Environment"),
            ("instances", "environments.Instance"),
            ("windows", "calendars.Window"),
            ("changes", "changes.Change"),
            ("affected items", "changes.AffectedItem"),
            ("votes", "approvals.Vote"),
            ("claims", "claims.ClaimRow"),
        )
    }
    return {
        "shape": {**shape.told(), **bookings.told()},
        "rows": {**counts, "claims by thing": _by_thing()},
        "needed by (in-degree)": _spread(list(needed_by.values())),
        "needs (out-degree)": _spread(list(needs.values())),
    }


def _by_thing() -> dict[str, int]:
    rows = model("claims.ClaimRow").objects.values_list("source_kind", "thing")
    counts = rows.annotate(count=Count("pk")).order_by("source_kind", "thing")
    return {f"{kind} on {claims.THINGS[thing]}": count for kind, thing, count in counts}


def _spread(numbers: Sequence[int]) -> dict[str, float]:
    ordered = sorted(numbers)
    return {
        "mean": round(statistics.fmean(ordered), 2),
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[len(ordered) * 99 // 100],
        "max": ordered[-1],
    }


class _World:
    def __init__(self, shape: Shape) -> None:
        self.shape, self.chance = shape, Chance(shape.seed)
        self.organisations: list[int] = []
        self.leaves: list[int] = []
        self.few: list[int] = []
        self.people: list[int] = []
        self.items: dict[str, list[int]] = {}
        self.owned: dict[int, list[int]] = {}
        self.places: dict[str, int] = {}
        self.popular: Popular | None = None

    def parts(self) -> Iterator[tuple[str, Callable[[], None]]]:
        shape = self.shape
        yield f"{shape.organisations} organisations and {shape.people} people", self._company
        yield f"{len(PLACES)} environments", self._environments
        yield f"{shape.items:,} items", self._items
        yield "relations", self._relations
        yield "instances", self._instances
        yield f"{shape.windows} windows", self._windows
        yield f"{shape.changes:,} changes, their votes and claims", self._changes
        yield f"{shape.bookings:,} claims of bookings", self._bookings

    def revise(self) -> None:
        """Say that each app was written, as the frame would have: caches hang on it."""
        sequence = audit.head()[0]
        labels = ("catalog", "environments", "calendars", "changes", "approvals")
        revision = model("audit.Revision")
        revision.objects.bulk_create(
            [revision(label=label, value=sequence) for label in labels],
            update_conflicts=True,
            unique_fields=["label"],
            update_fields=["value"],
        )

    def _company(self) -> None:
        shape, chance = self.shape, self.chance
        upper = max(2, shape.organisations // 10)
        slugs = [f"org-{number:03}" for number in range(shape.organisations)]
        parents = [None, *(slugs[0] for _ in range(upper - 1))]
        parents += [slugs[chance.randrange(1, upper)] for _ in range(shape.organisations - upper)]
        _run(
            accounts.CreateOrganisation(slug=slug, name=f"Organisation {slug[4:]}", parent=parent)
            for slug, parent in zip(slugs, parents, strict=True)
        )
        found = dict(model("accounts.Organisation").objects.values_list("slug", "pk"))
        self.organisations = [found[slug] for slug in slugs]
        self.leaves = self.organisations[upper:]
        self.few = self.leaves[-BRANCHES:]
        emails = [FEW, ALL, *(f"person-{number}@bench.example" for number in range(shape.people))]
        _run(
            accounts.CreateUser(
                email=email, name=email.partition("@")[0].title(), organisation=slugs[0],
                is_service=email in {FEW, ALL},
            )
            for email in emails
        )  # fmt: skip
        _run(
            [
                accounts.GrantRole(role="administrator", organisation=slugs[0], user=ALL),
                *(
                    accounts.GrantRole(role="viewer", organisation=slug, user=FEW)
                    for slug in slugs[-BRANCHES:]
                ),
            ]
        )
        self.people = list(
            model("accounts.User")
            .objects.filter(email_folded__startswith="person-")
            .order_by("pk")
            .values_list("pk", flat=True)
        )

    def _environments(self) -> None:
        environment = model("environments.Environment")
        rows = [
            environment(
                uid=self.chance.uid(), slug=slug, name=slug.upper(), tier=tier, control=control,
                organisation_id=self.few[0], created_at=TODAY - PAST, position=position,
            )
            for position, (slug, tier, control) in enumerate(PLACES)
        ]  # fmt: skip
        rows += [
            environment(
                uid=self.chance.uid(), slug=f"team-{number:04}", name=f"Team {number:04}", tier="system_test",
                control="open", organisation_id=self.leaves[number % len(self.leaves)],
                created_at=TODAY - PAST, position=number,
            )
            for number in range(self.shape.teams)
        ]  # fmt: skip
        self.places = {row.slug: row.pk for row in _written(rows)}

    def _items(self) -> None:
        item, chance = model("catalog.ConfigurationItem"), self.chance
        kinds = {kind.slug: kind for kind in model("catalog.ItemKind").objects.all()}

        def rows() -> Iterator[Any]:
            for slug, share in KINDS:
                for number in range(max(5, round(share * self.shape.items))):
                    key = f"{slug}-{number:05}"
                    yield item(
                        uid=chance.uid(), slug=key, name=key.replace("-", " ").title(), item_kind=kinds[slug],
                        organisation_id=chance.choice(self.leaves), created_at=TODAY - PAST,
                        criticality=chance.choices((1, 2, 3, 4), weights=(1, 3, 4, 2))[0],
                        shared=kinds[slug].shared_default or (slug == "middleware" and number < 10),
                    )  # fmt: skip

        for some in _chunks(rows()):
            for row in _written(some):
                slug = row.slug.rpartition("-")[0]
                self.items.setdefault(slug, []).append(row.pk)
                if slug in {"system", "component", "database", "host"}:
                    self.owned.setdefault(row.organisation_id, []).append(row.pk)

    def _relations(self) -> None:
        relation, chance, skew = model("catalog.Relation"), self.chance, self.shape.skew
        kinds = dict(model("catalog.RelationKind").objects.values_list("slug", "pk"))
        owner = dict(model("catalog.ConfigurationItem").objects.values_list("pk", "organisation_id"))
        of = self.items
        systems = Popular(chance.sample(of["system"], len(of["system"])), skew, chance)
        middleware = Popular(of["middleware"], skew, chance)
        vendors = Popular(of["third-party"], skew, chance)
        self.popular = systems
        seen: set[tuple[int, int]] = set()

        def joined() -> Iterator[tuple[int, int, str]]:
            for number, system in enumerate(of["system"]):
                yield system, of["database"][number % len(of["database"])], "depends-on"
                for _ in range(chance.choice((1, 1, 2, 2, 3))):
                    yield system, systems.draw(), "depends-on"
                if chance.random() < 0.4:
                    yield system, middleware.draw(), "depends-on"
                if chance.random() < 0.2:
                    yield system, vendors.draw(), "depends-on"
                yield system, chance.choice(of["host"]), "runs-on"
            for component in of["component"]:
                yield component, chance.choice(of["system"]), "part-of"
                yield component, chance.choice(of["host"]), "runs-on"
                if chance.random() < 0.3:
                    yield component, middleware.draw(), "depends-on"
            for database in of["database"]:
                yield database, chance.choice(of["host"]), "runs-on"
            for host in of["host"]:
                yield host, chance.choice(of["network"]), "connects-to"
            for network in of["network"][5:]:
                yield network, chance.choice(of["network"][:5]), "connects-to"
            for service in of["business-service"]:
                for _ in range(3):
                    yield service, systems.draw(), "depends-on"

        def rows() -> Iterator[Any]:
            for source, target, kind in joined():
                if source != target and (source, target) not in seen:
                    seen.add((source, target))
                    yield relation(
                        uid=chance.uid(), source_id=source, target_id=target, relation_kind_id=kinds[kind],
                        organisation_id=owner[source], created_at=TODAY - PAST,
                    )  # fmt: skip

        for some in _chunks(rows()):
            _written(some)

    def _instances(self) -> None:
        instance = model("environments.Instance")

        def rows() -> Iterator[Any]:
            for pk in self.items["system"]:
                for place in {"prod", self.chance.choice(PLACES)[0]}:
                    yield instance(
                        uid=self.chance.uid(), item_id=pk, environment_id=self.places[place],
                        organisation_id=self.few[0], created_at=TODAY - PAST,
                    )  # fmt: skip

        for some in _chunks(rows()):
            _written(some)

    def _windows(self) -> None:
        """Write recurring maintenance, freezes of branches for some days, and single maintenance windows."""
        shape, chance = self.shape, self.chance
        window, scope = model("calendars.Window"), model("calendars.WindowItem")
        numbers = next_numbers("window", shape.windows)
        zones = ("Europe/London", "America/New_York", "Asia/Singapore", "America/Sao_Paulo")
        rows, named = [], []
        for place, number in enumerate(numbers):
            made = window(
                uid=chance.uid(), number=number, name=f"Window {number}", created_at=TODAY - PAST,
                organisation_id=chance.choice(self.leaves), zone=chance.choice(zones), tiers=["production"],
            )  # fmt: skip
            if place < shape.recurring:
                made.window_kind, made.organisation_id = "maintenance", self.organisations[0]
                day = (TODAY - PAST).replace(hour=0) + timedelta(days=chance.randrange(7))
                made.local_start = day.replace(tzinfo=None, hour=chance.randint(0, 3)).isoformat()
                made.duration = timedelta(hours=chance.randint(4, 8))
                made.rrule = f"FREQ=WEEKLY;BYDAY={('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU')[day.weekday()]}"
                named.append((made, chance.sample(self.items["system"], min(20, len(self.items["system"])))))
            else:
                kinds = ("hard_freeze", "soft_freeze", "maintenance")
                made.window_kind = chance.choices(kinds, weights=(5, 3, 2))[0]
                start = TODAY - PAST + chance.random() * (PAST + FUTURE)
                made.starts_at = start.replace(minute=0, second=0, microsecond=0)
                made.ends_at = made.starts_at + timedelta(hours=chance.randint(6, 120))
                made.criticalities = [1, 2] if made.window_kind == "soft_freeze" else []
                if made.window_kind == "maintenance":
                    named.append((made, chance.sample(self.items["host"], min(10, len(self.items["host"])))))
            rows.append(made)
        _written(rows)
        _written([scope(uid=chance.uid(), window=made, item_id=pk) for made, pks in named for pk in pks])

    def _changes(self) -> None:
        models = {one.slug: one for one in model("changes.ChangeModel").objects.all()}
        template = model("changes.ChangeTemplate").objects.filter(authorised=True).first()
        left = self.shape.changes
        while left:
            count = min(CHUNK, left)
            left -= count
            with audit.steady():
                self._some_changes(next_numbers("change", count), models, template)

    def _some_changes(self, numbers: Sequence[int], models: Any, template: Any) -> None:
        chance = self.chance
        rounds, votes, rows = [], [], []
        parts: dict[str, list[Any]] = {"window": [], "item": [], "place": [], "person": []}
        dossiers = []
        for number in numbers:
            ahead = chance.random() < self.shape.future
            day = TODAY + (FUTURE if ahead else -PAST) * chance.random()
            standard = chance.random() < 0.3
            change = self._change(number, day, models["standard" if standard else "normal"], ahead=ahead)
            if standard:
                change.template = template
                for name in template.FIXED:
                    setattr(change, name, getattr(template, name))
            dossier = self._dossier(change, chance.night(day), parts)
            change.digest = changes.content_digest(dossier)
            dossiers.append(dossier)
            rows.append(change)
            if not standard and change.state not in {"draft", "authorising", "cancelled"}:
                approved = change.state != "rejected"
                change.round = self._round(change, approved=approved)
                rounds.append(change.round)
                votes.append(self._vote(change, approved=approved))
        _written(rounds)
        _written(votes)
        for change in rows:
            if change.round is not None:
                change.round_id = change.round.pk
        _written(rows)
        for some in parts.values():
            for row in some:
                row.change_id = row.change.pk
            _written(some)
        claims.replace("change", changes.held([change.pk for change in rows]))

    def _bookings(self) -> None:
        place = self.places
        made = bookings.held(
            self.shape.bookings,
            self.shape.seed,
            company=[place[slug] for slug, _, _ in PLACES[:8]],
            teams=[pk for slug, pk in place.items() if slug.startswith("team-")],
            systems=self.items["system"],
            places=self.leaves,
        )
        claims.replace(bookings.KIND, made)
        if claims.stored(bookings.KIND) != {claim for some in made.values() for claim in some}:
            raise RuntimeError("the claims of bookings are not stored as they were made")

    def _change(self, number: int, day: datetime, of: Any, *, ahead: bool) -> Any:
        chance, change = self.chance, model("changes.Change")
        standard = of.slug == "standard"
        if ahead:
            states, weights = ("scheduled", "draft", "authorising"), (60, 20, 0 if standard else 20)
        else:
            states, weights = ("closed", "cancelled", "rejected"), (94, 4, 0 if standard else 2)
        [state] = chance.choices(states, weights=weights)
        requester, owner = chance.sample(self.people, 2)
        done = state == "closed"
        return change(
            uid=chance.uid(), number=number, model=of, state=state, is_open=ahead,
            title=f"Change {number} of the benchmark", description="Deploys a version. " * 12,
            reason="Planned work.", organisation_id=chance.choice(self.leaves), requester_id=requester,
            owner_id=owner, created_at=day - timedelta(days=20), priority=chance.randint(1, 4),
            submitted_at=None if state == "draft" else day - timedelta(days=18),
            outcome=chance.choices(("successful", "with_issues", "unsuccessful"), (90, 7,
                3))[0] if done else "",
        )  # fmt: skip

    def _dossier(self, change: Any, start: datetime, parts: dict[str, list[Any]]) -> Any:
        """Draw what the change is about; its rows go to `parts`."""
        chance = self.chance
        items = chance.sample(
            self.owned.get(change.organisation_id) or self.items["system"],
            chance.choices((1, 2, 3, 4, 5), weights=(36, 30, 20, 9, 5))[0],
        )
        if self.popular is not None and chance.random() < 0.1:
            items[0] = self.popular.draw()
        items = list(dict.fromkeys(items))
        [places] = chance.choices(
            (("prod",), (chance.choice(PLACES[:8])[0],), ("prod", "dr"), ()), weights=(70, 22, 5, 3)
        )
        length, nights = chance.hours(), chance.choices((1, 2, 3), weights=(90, 7, 3))[0]
        window = model("changes.PlannedWindow")
        down = chance.random() < 0.2
        windows = [
            window(
                uid=chance.uid(), change=change, starts_at=start + timedelta(days=night),
                ends_at=start + timedelta(days=night) + min(length,
                    timedelta(hours=20 if nights > 1 else 72)),
                downtime=downtime,
            )
            for downtime in ((False, True) if down else (False,))
            for night in range(nights)
        ]  # fmt: skip
        change.planned_start = min(row.starts_at for row in windows)
        change.planned_end = max(row.ends_at for row in windows)
        if change.state == "closed":
            change.actual_start, change.actual_end = change.planned_start, change.planned_end
        affected = [
            model("changes.AffectedItem")(uid=chance.uid(), change=change, item_id=pk, primary=pk == items[0])
            for pk in items
        ]
        where = [
            model("changes.AffectedEnvironment")(
                uid=chance.uid(), change=change, environment_id=self.places[place]
            )
            for place in places
        ]
        person = model("changes.Implementer")(uid=chance.uid(), change=change, person_id=change.owner_id)
        parts["window"] += windows
        parts["item"] += affected
        parts["place"] += where
        parts["person"].append(person)
        return changes.Dossier(
            change, changes.workflow(change.model), windows=windows, affected=affected, places=where
        )

    def _round(self, change: Any, *, approved: bool) -> Any:
        opened = change.created_at + timedelta(days=2)
        return model("approvals.Round")(
            uid=self.chance.uid(), organisation_id=change.organisation_id, subject_kind="change",
            subject_uid=change.uid, quorum=1, rejections=1, opened_at=opened,
            outcome="approved" if approved else "rejected", closed_at=opened + timedelta(days=1),
        )  # fmt: skip

    def _vote(self, change: Any, *, approved: bool) -> Any:
        others = [pk for pk in self.people if pk not in {change.requester_id, change.owner_id}]
        return model("approvals.Vote")(
            uid=self.chance.uid(), round=change.round, voter_id=self.chance.choice(others),
            choice="approve" if approved else "reject", comment="" if approved else "Not in this window.",
            digest=change.digest, cast_at=change.round.closed_at,
        )  # fmt: skip


def token(email: str) -> str:
    """Make a token for one of the two who ask, and return it."""
    [answer] = execute_many([accounts.CreateToken(name="benchmark", user=email, days=1)], actor=SYSTEM)
    if isinstance(answer, Problem):
        raise answer
    made: str = answer.answer
    return made


def _run(commands: Any) -> None:
    listed: list[Command] = list(commands)
    for answer in execute_many(listed, actor=SYSTEM, at=TODAY - PAST):
        if isinstance(answer, Problem):
            raise answer


def _written(rows: Sequence[Any]) -> Sequence[Any]:
    if rows:
        for row in rows:
            row.before_write()
            if hasattr(row, "title_folded"):
                row.title_folded = row.title.casefold()
        type(rows[0])._default_manager.bulk_create(rows, batch_size=1_000)
    return rows


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while some := list(islice(rows, 10_000)):
        yield some
