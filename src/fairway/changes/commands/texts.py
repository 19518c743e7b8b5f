"""The windows of an organisation as text: what it says, what it changes, and whether its examples hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import yaml
from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.audit.commands import Command, Plan, convert
from fairway.calendars import commands as calendars
from fairway.calendars import queries as windows
from fairway.calendars.commands import ArchiveWindow, CreateWindow, EditWindow
from fairway.calendars.events import CalendarEvent
from fairway.calendars.queries import Activity, Calendar, Compiled, Record
from fairway.changes import queries
from fairway.changes.queries import Backtest, Hit
from fairway.kernel.actor import Actor
from fairway.kernel.errors import FieldError, Invalid, NotFound
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, Severity, Verdict, decide, tell

LONGEST, MOST_WINDOWS, MOST_EXAMPLES = 256_000, 500, 500
DEEPEST = 20
LONGEST_BACKTEST = timedelta(days=366 * 10)
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
EXAMPLE = "calendars.example"


class WindowText(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A window as the text says it; what is left out is as usual."""

    name: str
    kind: str
    reason: str = ""
    zone: str = "UTC"
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    local_start: str = ""
    duration: timedelta | None = None
    rrule: str = ""
    rdates: list[str] = []
    exdates: list[str] = []
    items: list[str] = []
    environments: list[str] = []
    environment_groups: list[str] = []
    criticalities: list[int] = []
    tiers: list[str] = []
    change_models: list[str] = []
    condition: str = ""
    stops: list[str] | None = None
    downtime_only: bool = False


class ExampleText(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A change at a time, and what is to come of it. `until` left out: it is about an instant.

    `notice`: whole hours between asking for it and its beginning; `working_notice`: those worked meanwhile.
    """

    expect: Literal["allow", "warn", "deny"]
    at: Instant
    until: Instant | None = None
    say: str = ""
    activity: Literal["create", "submit", "schedule", "start"] = "start"
    item: str = ""
    environment: str = ""
    organisation: str = ""
    model: str = "normal"
    template: str = ""
    title: str = ""
    category: str = ""
    priority: Annotated[int, msgspec.Meta(ge=1, le=4)] = 3
    custom: dict[str, Any] = {}
    downtime: bool = False
    notice: int = 168
    working_notice: int = 40
    reason: bool = False


class Text(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The windows of an organisation, all of them but lockdowns, and examples of what they do."""

    organisation: str
    windows: list[WindowText] = []
    examples: list[ExampleText] = []


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of an example."""

    position: int
    say: str
    expected: str
    got: str
    why: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        return self.expected == self.got


@dataclass(frozen=True, slots=True)
class Difference:
    """What a text changes. `changed`: the fields of each window that differ."""

    added: tuple[str, ...]
    changed: dict[str, tuple[str, ...]]
    removed: tuple[Ref, ...]
    examples: tuple[Tried, ...]
    hits: tuple[Hit, ...]
    backtest: Backtest | None

    @property
    def nothing(self) -> bool:
        return not (self.added or self.changed or self.removed)


class TextSpan(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """A half-open span [from, to)."""

    start: Instant
    end: Instant


class ApplyWindows(Command, name=CalendarEvent.WINDOWS_APPLY):
    """Make the windows of an organisation what a text says, in one transaction: add, change, archive.

    Lockdowns stay out of it. An example that does not hold refuses the whole. `backtest`: tell what the
    windows would have done to the changes of a span.
    """

    permission: ClassVar[str] = "calendars.edit"
    text: str
    backtest: TextSpan | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what would be added, changed and removed, what that hits, and whether the examples hold.

        :raises Invalid: the text cannot be read, by line, or says what makes no sense, by place in it.
        :raises Forbidden: the actor may not edit windows there.
        """
        text = read(self.text)
        try:
            organisation = accounts.organisation(actor, text.organisation)
        except NotFound as problem:
            raise Invalid.field("organisation", problem.detail) from problem
        accounts.require(actor, self.permission, at=organisation.pk)
        present: dict[str, Record] = {}
        rows = windows.windows(actor).filter(organisation=organisation, archived_at=None, status="")
        for window in rows.order_by("pk"):
            if window.name in present:
                raise Invalid.field(
                    "windows", f"There are two windows called “{window.name}”; rename one of them first."
                )
            present[window.name] = window
        wanted = _wanted(text, organisation.slug, present, actor, at)
        follow: list[Command] = []
        added: list[str] = []
        changed: dict[str, tuple[str, ...]] = {}
        compiled: list[Compiled] = []
        touched: list[Compiled] = []
        for one, made, seen in wanted:
            compiled.append(seen)
            known = present.pop(made.name, None)
            if known is None:
                added.append(made.name)
                touched.append(seen)
                follow.append(_create(one, organisation.slug))
                continue
            fields = _differing(known, made, seen)
            if fields:
                changed[made.name] = fields
                touched.append(seen)
                values = {name: getattr(one, name) for name in one.__struct_fields__}
                follow.append(convert({**values, "window": known.key}, EditWindow))
        follow += [ArchiveWindow(window=window.key) for window in present.values()]
        removed = tuple(window.ref() for window in present.values())
        gone = {*removed, *(seen.ref for seen in touched)}
        in_force = windows.calendar().windows
        after = Calendar([*(window for window in in_force if window.ref not in gone), *touched])
        examples = _tried(text, after, organisation, actor)
        difference = Difference(
            tuple(added),
            changed,
            removed,
            examples,
            tuple(queries.hits(gone, touched, at=at)),
            queries.backtest(compiled, _span(self.backtest)) if self.backtest else None,
        )
        wrong = [one for one in examples if not one.holds]
        note = {"added": len(added), "changed": len(changed), "removed": len(removed)}
        return Plan(
            decision=decide(_finding(organisation.ref(), one) for one in wrong),
            subject=organisation,
            refusal=_told(wrong[0]) if wrong else "",
            follow=[] if wrong else follow,
            note=note if follow else {},
            texts={"text": self.text} if follow else {},
            answer=difference,
        )


def read(source: str) -> Text:
    """Read the text.

    :raises Invalid: it is no YAML, or does not say what is needed; tells where.
    """
    if len(source) > LONGEST:
        raise Invalid.field("text", f"The text is longer than {LONGEST:,} characters.")
    try:
        depth = 0
        for event in yaml.parse(source, Loader=_Loader):
            if isinstance(event, yaml.events.AliasEvent):
                raise Invalid.field("text", "Anchors and aliases (&, *) are not possible here; write it out.")
            depth += isinstance(event, yaml.events.CollectionStartEvent)
            depth -= isinstance(event, yaml.events.CollectionEndEvent)
            if depth > DEEPEST:  # each level makes each word after it take longer
                raise ValueError("nested too deeply")
        loader = _Loader(source)
        try:
            found = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Invalid.field("text", f"The text is no YAML{where}: {cause.problem}.") from cause
    except (yaml.YAMLError, RecursionError, ValueError) as cause:
        raise Invalid.field("text", "The text is no YAML: it is nested too deeply, or holds what"
                            " cannot be read.") from cause  # fmt: skip
    if not isinstance(found, dict):
        raise Invalid.field("text", "Write organisation: …, windows: […] and, if you like, examples: […].")
    text = convert(found, Text)
    for name, some, most in (
        ("windows", text.windows, MOST_WINDOWS),
        ("examples", text.examples, MOST_EXAMPLES),
    ):
        if len(some) > most:
            raise Invalid.field(name, f"{len(some)} are too many; write at most {most}.")
    names = [one.name.strip() for one in text.windows]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise Invalid.field(f"windows[{position}].name", f"“{name[:60]}” stands in the text twice.")
    return text


class _Loader(yaml.SafeLoader):
    """Reads plain values; instants stay text, and a key that stands twice is a mistake."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in some if tag != "tag:yaml.org,2002:timestamp"]
        for first, some in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a name is one word, and no list or mapping", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{str(key.value)[:40]} stands here twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _create(one: WindowText, organisation: str) -> CreateWindow:
    values = {name: getattr(one, name) for name in one.__struct_fields__}
    return convert({**values, "organisation": organisation}, CreateWindow)


def _wanted(
    text: Text, organisation: str, present: dict[str, Record], actor: Actor, at: datetime
) -> list[tuple[WindowText, Record, Compiled]]:
    """Return what the text wants, checked as if all were new; mistakes of all windows at once."""
    errors: list[FieldError] = []
    found = []
    for position, one in enumerate(text.windows):
        if one.kind == Record.Kind.LOCKDOWN:
            errors.append(FieldError(f"windows[{position}].kind", "Lockdowns have a life of their own."))
            continue
        known = present.get(one.name.strip())
        key = known.key if known else f"“{one.name}”"
        try:
            made, seen = calendars.drafted(_create(one, organisation), actor, at=at, key=key)
        except Invalid as problem:
            errors += [FieldError(f"windows[{position}].{e.field}", e.message) for e in problem.errors]
            continue
        found.append((one, made, seen))
    if errors:
        raise Invalid.fields(errors)
    return found


def _differing(before: Record, made: Record, seen: Compiled) -> tuple[str, ...]:
    old = calendars.settings(before)
    new = {
        **calendars.settings(made),
        "items": sorted(seen.scope.items),
        "environments": sorted(seen.scope.environments),
        "environment_groups": sorted(lane.ref.pk or 0 for lane in seen.scope.lanes),
        "change_models": sorted(seen.scope.models),
    }
    return tuple(name for name in old if old[name] != new[name])


def _tried(text: Text, calendar: Calendar, organisation: Any, actor: Actor) -> tuple[Tried, ...]:
    errors: list[FieldError] = []
    found = []
    for position, one in enumerate(text.examples):
        try:
            found.append(_try(position, one, calendar, organisation, actor))
        except Invalid as problem:
            errors += [FieldError(f"examples[{position}].{e.field}", e.message) for e in problem.errors]
    if errors:
        raise Invalid.fields(errors)
    return tuple(found)


def _try(position: int, one: ExampleText, calendar: Calendar, organisation: Any, actor: Actor) -> Tried:
    where = accounts.organisation(actor, one.organisation) if one.organisation else organisation
    items = windows.items(actor, [one.item] if one.item else [])
    places = windows.environments(actor, [one.environment] if one.environment else [])
    model = queries.model(one.model)
    period = Period(one.at, one.until or one.at + timedelta(microseconds=1))
    facts = queries.facts_of(
        one.title,
        one.category,
        one.priority,
        one.custom,
        model=model.slug,
        template=one.template,
        organisation=where.slug,
        downtime=one.downtime,
        notice=queries.Notice(one.notice, one.working_notice),
    )
    with audit.steady():
        findings = calendar.findings(
            Ref("change", _("example %(number)d") % {"number": position + 1}, organisation=where.pk),
            queries.targets(where.pk, [item.pk for item in items], [place.pk for place in places], model.pk),
            [period],
            reason=one.reason,
            activity=Activity(one.activity),
            downtimes=[period] if one.downtime else [],
            facts=lambda: facts,
        )
    decision = decide(findings)
    return Tried(position, one.say, one.expect, str(decision.verdict), decision.findings)


def _finding(subject: Ref, tried: Tried) -> Finding:
    params = {"message": _told(tried), "position": tried.position}
    return Finding(EXAMPLE, Severity.BLOCK, (subject,), params=params)


def _told(tried: Tried) -> str:
    values = {
        "number": tried.position + 1,
        "say": f" ({tried.say})" if tried.say else "",
        "expected": tried.expected,
        "got": tried.got,
        "why": f": {tell(tried.why[0])}" if tried.why and tried.got != Verdict.ALLOW else ".",
    }
    return (
        _("Example %(number)d%(say)s does not hold: expected %(expected)s, and it is %(got)s%(why)s") % values
    )


def _span(given: TextSpan) -> Period:
    """:raises Invalid: the span has no length, or is too long."""
    if given.end <= given.start:
        raise Invalid.field("backtest.to", "The span ends where it starts, or before; it needs a length.")
    if given.end - given.start > LONGEST_BACKTEST:
        raise Invalid.field("backtest.to", "The span is longer than ten years; ask for a shorter one.")
    return Period(given.start, given.end)
