"""Windows with what they hit, over the API: as text, and changed while they are in force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import queries as accounts
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.audit.commands import preview
from fairway.calendars import queries as calendars
from fairway.calendars.commands import WindowEdit
from fairway.changes import commands
from fairway.changes.commands import Difference
from fairway.changes.queries import Hit
from fairway.kernel.actor import Actor
from fairway.kernel.refs import HIDDEN, Ref
from fairway.policy import Finding, tell


class KeyPath(msgspec.Struct):
    key: str


class TextBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`text`: YAML, see docs/calendars.md. `backtest`: tell what it would have done in that span."""

    text: str
    backtest: commands.TextSpan | None = None


class ChangedView(msgspec.Struct, kw_only=True):
    name: str
    fields: list[str]


class ExampleView(msgspec.Struct, kw_only=True):
    """`position` counts from 0."""

    position: int
    say: str
    expected: str
    got: str
    holds: bool
    why: list[str]


class HitView(msgspec.Struct, kw_only=True):
    """A change that would be stopped, or set free; `why`: by what it would be, or is."""

    change: RefView
    owner: RefView | None
    effect: str
    starts_at: datetime
    why: list[str]


class BacktestView(msgspec.Struct, kw_only=True):
    """`by`: how many each window would have stopped; a change counts for each. `keys`: those you may see."""

    changes: int
    stopped: int
    by: dict[str, int]
    keys: list[str]


class DifferenceView(msgspec.Struct, kw_only=True):
    """What a text changes; `applied`: whether it was done."""

    applied: bool
    holds: bool
    added: list[str]
    changed: list[ChangedView]
    removed: list[RefView]
    examples: list[ExampleView]
    hits: list[HitView]
    backtest: BacktestView | None


def hit_view(hit: Hit, sees: Callable[[Ref], bool]) -> HitView:
    """Return a change that is hit, as it may be told."""
    seen = sees(hit.change)
    return HitView(
        change=ref_view(hit.change if seen else HIDDEN),
        owner=RefView(kind="user", key=hit.owner[0], name=hit.owner[1], uid=hit.owner[0])
        if hit.owner and seen
        else None,
        effect=hit.effect,
        starts_at=hit.starts_at,
        why=[tell(finding.redacted(sees)) for finding in hit.findings],
    )


def difference_view(actor: Actor, found: Difference, *, applied: bool) -> DifferenceView:
    """Return the difference as the actor may be told it."""
    sees = accounts.access(actor).sees

    def told(findings: tuple[Finding, ...]) -> list[str]:
        return [tell(finding.redacted(sees)) for finding in findings]

    test = found.backtest
    return DifferenceView(
        applied=applied,
        holds=all(one.holds for one in found.examples),
        added=list(found.added),
        changed=[ChangedView(name=name, fields=list(fields)) for name, fields in found.changed.items()],
        removed=[ref_view(ref) for ref in found.removed],
        examples=[
            ExampleView(
                position=one.position,
                say=one.say,
                expected=one.expected,
                got=one.got,
                holds=one.holds,
                why=told(one.why),
            )
            for one in found.examples
        ],
        hits=[hit_view(hit, sees) for hit in found.hits],
        backtest=BacktestView(
            changes=test.changes,
            stopped=test.stopped,
            by=test.by,
            keys=[ref.key for ref in test.keys if sees(ref)],
        )
        if test
        else None,
    )


class ReplanBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`edit`: what changes of the window. `choices`: by key of each change that it newly stops."""

    edit: WindowEdit
    choices: dict[str, commands.Choice] = {}


class ReplanView(msgspec.Struct, kw_only=True):
    """What an edit stops and sets free; `version`: of the window; `applied`: whether it was done."""

    applied: bool
    version: int
    hits: list[HitView]


class ReplanController(ApiController):
    """The edit of a window that is in force, with what becomes of the changes that it hits."""

    @operation("calendars.edit", ReplanView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[ReplanBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Change the window; each change that it newly stops needs a choice: keep, move, cancel or ask.

        `dry_run`: tell which those are, and which are set free.
        """
        command = commands.ReplanWindow(
            window=parsed_path.key,
            version=self.expected(required=False),
            edit=parsed_body.edit,
            choices=parsed_body.choices,
            asking=parsed_query.dry_run,
        )
        if parsed_query.dry_run:
            found = preview(command, actor=self.actor, at=self.at).answer
        else:
            found = self.run(command).answer
        window = calendars.window(self.actor, parsed_path.key)
        sees = accounts.access(self.actor).sees
        view = ReplanView(
            applied=not parsed_query.dry_run,
            version=window.version,
            hits=[hit_view(hit, sees) for hit in found.hits],
        )
        return self.answer(view, version=window.version)


class TextController(ApiController):
    """The windows of an organisation as text."""

    @operation("calendars.edit", DifferenceView, dry_run=True)
    def post(self, parsed_body: Body[TextBody], parsed_query: Query[DryRun]) -> HttpResponse:
        """Make the windows what the text says; `dry_run`: say what that would add, change, remove and hit.

        An example that does not hold refuses the whole: 409, and in a dry run `holds` is false.
        """
        command = commands.ApplyWindows(text=parsed_body.text, backtest=parsed_body.backtest)
        if parsed_query.dry_run:
            found = preview(command, actor=self.actor, at=self.at).answer
        else:
            found = self.run(command).answer
        return self.answer(difference_view(self.actor, found, applied=not parsed_query.dry_run))


urls = [
    path("window-texts", TextController.as_view(), name="window-texts"),
    path("windows/<str:key>/replan", ReplanController.as_view(), name="window-replan"),
]
