"""Northgate Bank: its organisations, people and teams, and who may do what where."""

from __future__ import annotations

from dataclasses import dataclass

DOMAIN = "fairway.example"
ROOT = "northgate"
ENVIRONMENTS = "environment-services"
"""Where the environments stand, so that whoever works in a branch sees them."""

LONDON, NEW_YORK, SINGAPORE, SAO_PAULO = (
    "Europe/London",
    "America/New_York",
    "Asia/Singapore",
    "America/Sao_Paulo",
)


@dataclass(frozen=True, slots=True)
class Unit:
    """An organisation; `zone` is where its work is planned, `team` the name of those who do it."""

    slug: str
    name: str
    parent: str | None
    zone: str = LONDON
    team: str = ""


UNITS = (
    Unit("northgate", "Northgate Bank", None),
    Unit("retail", "Retail Banking", "northgate", LONDON, "Retail Engineering"),
    Unit("digital", "Digital Channels", "retail", SAO_PAULO, "Digital Channels"),
    Unit("payments", "Payments", "northgate", LONDON, "Payments Engineering"),
    Unit("cards", "Cards", "payments", NEW_YORK, "Card Systems"),
    Unit("lending", "Lending", "northgate", LONDON, "Lending Engineering"),
    Unit("markets", "Markets", "northgate", SINGAPORE, "Markets Technology"),
    Unit("finance", "Finance and Risk", "northgate", LONDON, "Finance Systems"),
    Unit("technology", "Group Technology", "northgate"),
    Unit("platforms", "Platforms", "technology", LONDON, "Platform Engineering"),
    Unit("networks", "Networks", "technology", NEW_YORK, "Network Operations"),
    Unit("security", "Identity and Security", "technology", LONDON, "Security Engineering"),
    Unit(ENVIRONMENTS, "Environment Services", "northgate"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the bank. `grants`: role and organisation; the unit's team brings implementer there."""

    mail: str
    name: str
    unit: str
    zone: str
    grants: tuple[tuple[str, str], ...] = ()
    in_team: bool = False
    signs_in: bool = False

    @property
    def email(self) -> str:
        return f"{self.mail}@{DOMAIN}"


def _engineer(mail: str, name: str, unit: str, zone: str, *, signs_in: bool = False) -> Person:
    return Person(mail, name, unit, zone, in_team=True, signs_in=signs_in)


def _head(mail: str, name: str, unit: str, zone: str, *, signs_in: bool = False) -> Person:
    """Make somebody who approves what a unit and those below it do, and does none of it."""
    return Person(mail, name, unit, zone, (("approver", unit),), signs_in=signs_in)


DEMO = Person(
    "demo", "Robin Hale", ROOT, LONDON,
    (("change-manager", ROOT), ("administrator", ROOT), ("environment-manager", ROOT), ("implementer", ROOT)),
    signs_in=True,
)  # fmt: skip

PEOPLE = (
    DEMO,
    # The group: whoever runs the processes that all share
    Person("margaret.okafor", "Margaret Okafor", ROOT, LONDON, (("administrator", ROOT),), signs_in=True),
    Person("tomas.ferreira", "Tomás Ferreira", ROOT, SAO_PAULO, (("change-manager", ROOT),), signs_in=True),
    Person("priya.raman", "Priya Raman", ROOT, SINGAPORE, (("change-manager", ROOT),)),
    Person("ingrid.solberg", "Ingrid Solberg", ROOT, LONDON, (("release-manager", ROOT),), signs_in=True),
    Person("weiling.tan", "Tan Wei Ling", ROOT, SINGAPORE, (("environment-manager", ROOT),), signs_in=True),
    Person("marcus.bell", "Marcus Bell", ROOT, NEW_YORK, (("test-manager", ROOT),), signs_in=True),
    Person("kofi.mensah", "Kofi Mensah", ROOT, LONDON, (("run-coordinator", ROOT),), signs_in=True),
    Person("helen.whitcombe", "Helen Whitcombe", ROOT, LONDON, (("auditor", ROOT),), signs_in=True),
    Person("daniel.abara", "Daniel Abara", ROOT, LONDON, (("viewer", ROOT),), signs_in=True),
    Person(
        "camila.duarte", "Camila Duarte", "retail", SAO_PAULO, (("project-manager", "retail"),), signs_in=True
    ),
    Person("grace.oneill", "Grace O’Neill", "lending", LONDON, (("requester", "lending"),), signs_in=True),
    # Those who build and run, and who approves it
    _engineer("sophie.lambert", "Sophie Lambert", "retail", LONDON),
    _engineer("hamish.reid", "Hamish Reid", "retail", LONDON),
    _head("oluwaseun.adeyemi", "Oluwaseun Adeyemi", "retail", LONDON),
    _engineer("rafael.moura", "Rafael Moura", "digital", SAO_PAULO),
    _engineer("beatriz.nogueira", "Beatriz Nogueira", "digital", SAO_PAULO),
    _head("leticia.prado", "Letícia Prado", "digital", SAO_PAULO),
    _engineer("aisha.rahman", "Aisha Rahman", "payments", LONDON, signs_in=True),
    _engineer("piotr.zielinski", "Piotr Zieliński", "payments", LONDON),
    _head("fiona.macrae", "Fiona MacRae", "payments", LONDON, signs_in=True),
    _engineer("deshawn.carter", "DeShawn Carter", "cards", NEW_YORK),
    _engineer("miriam.katz", "Miriam Katz", "cards", NEW_YORK),
    _head("robert.delgado", "Robert Delgado", "cards", NEW_YORK),
    _engineer("tariq.hussain", "Tariq Hussain", "lending", LONDON),
    _engineer("elin.bergstrom", "Elin Bergström", "lending", LONDON),
    _head("victoria.ashdown", "Victoria Ashdown", "lending", LONDON),
    _engineer("jun.hao.lim", "Lim Jun Hao", "markets", SINGAPORE),
    _engineer("nurul.aziz", "Nurul Aziz", "markets", SINGAPORE),
    _head("arjun.mehta", "Arjun Mehta", "markets", SINGAPORE),
    _engineer("claire.dubois", "Claire Dubois", "finance", LONDON),
    _engineer("samuel.osei", "Samuel Osei", "finance", LONDON),
    _head("patricia.holm", "Patricia Holm", "finance", LONDON),
    _engineer("yusuf.demir", "Yusuf Demir", "platforms", LONDON),
    _engineer("hannah.kowalska", "Hannah Kowalska", "platforms", LONDON),
    _engineer("liam.gallagher-byrne", "Liam Gallagher-Byrne", "platforms", NEW_YORK),
    _head("rajesh.iyer", "Rajesh Iyer", "technology", LONDON),
    _engineer("carlos.rivera", "Carlos Rivera", "networks", NEW_YORK),
    _engineer("mei.chen", "Chen Mei", "networks", SINGAPORE),
    _engineer("nadia.petrova", "Nadia Petrova", "security", LONDON),
    _engineer("owen.pritchard", "Owen Pritchard", "security", LONDON),
)

OWN_ROLE = {
    "role": "catalogue-steward",
    "name": "Catalogue steward",
    "description": "Keeps items and relations of a unit right, and does nothing else.",
    "permissions": [
        "accounts.view", "audit.view", "catalog.edit", "catalog.view", "environments.view",
        "workspace.comment",
    ],
    "reason": "Somebody in each unit looks after its items; they need no say in changes.",
}  # fmt: skip
"""A role of the bank's own."""
STEWARD, STEWARDED = "daniel.abara@fairway.example", "retail"
WANTED = {
    "role": OWN_ROLE["role"],
    "permissions": [*OWN_ROLE["permissions"], "catalog.import"],
    "reason": "Retail gets its list of systems as a file each month.",
}
"""What somebody would have that role do besides."""

STAFF = "everyone"
"""The team of all: it may look at the environments."""


def team_of(unit: str) -> str:
    """Return the slug of a unit's team."""
    return f"{unit}-team"


def engineers(unit: str) -> tuple[str, ...]:
    """Return the e-mail addresses of those who carry out the unit's work."""
    return tuple(person.email for person in PEOPLE if person.unit == unit and person.in_team)


PROGRAMS = (
    ("delivery-pipeline", "Delivery pipeline", "requester", 6_000),
    ("inventory-scanner", "Inventory scanner", "implementer", 1_200),
)
"""Programs that act by token: key, name, role at the top, calls a minute."""

STANDING_IN = (
    ("priya.raman@fairway.example", DEMO.email, -2, 9),
    (DEMO.email, "tomas.ferreira@fairway.example", 12, 10),
)
"""Who is away: giver, taker, days from now, for how many days."""


def approver(unit: str) -> str:
    """Return the e-mail address of whoever approves the unit's work: its head, else the head above."""
    where: str | None = unit
    while where is not None:
        for person in PEOPLE:
            if ("approver", where) in person.grants:
                return person.email
        where = unit_of(where).parent
    raise KeyError(unit)


def unit_of(slug: str) -> Unit:
    return next(unit for unit in UNITS if unit.slug == slug)
