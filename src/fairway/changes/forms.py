"""The forms of changes; whether values make sense is for the commands to say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.accounts import queries as accounts
from fairway.catalog import queries as catalog
from fairway.catalog.commands import patch_of
from fairway.changes import commands, queries
from fairway.changes.models import CalendarFeed, Change, ProposedEdit
from fairway.changes.queries import Dossier
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, Problem
from fairway.ui.custom import CustomMixin
from fairway.ui.forms import KeysField, WindowsField
from fairway.workspace import queries as workspace

NUMBERED = re.compile(r"USR-[0-9]{1,18}")

PRIORITIES = (
    (1, gettext_lazy("1, most urgent")),
    (2, "2"),
    (3, gettext_lazy("3, as usual")),
    (4, gettext_lazy("4, whenever it fits")),
)
TIMES = ("implementation_time", "test_time", "backout_time")
TEXTS = ("description", "reason", "implementation_plan", "test_plan", "backout_plan", "freeze_reason")


def _text(label: Any, help_text: Any = "", rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=False, widget=forms.Textarea(attrs={"rows": rows})
    )


def _minutes(label: Any, help_text: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text=help_text, required=False, min_value=1, max_value=31 * 24 * 60
    )


class ChangeForm(CustomMixin, forms.Form):
    """A new change, or one that is edited; `version` is the one that was read."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=200,
        help_text=gettext_lazy("What is done, to what: “Payments API 2.3 to production”."),
    )
    template = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        initial="normal",
        help_text=gettext_lazy("A normal change needs approval; a standard one was authorised beforehand."),
    )
    items = KeysField(
        url="/items/pick",
        label=gettext_lazy("Affected items"),
        required=False,
        help_text=gettext_lazy("The first one is the primary one."),
    )
    environments = KeysField(
        url="/environments/pick?groups=1",
        label=gettext_lazy("Environments"),
        required=False,
        help_text=gettext_lazy("None means wherever the items stand."),
    )
    windows = WindowsField(
        label=gettext_lazy("Planned windows"),
        required=False,
        most=100,
        help_text=gettext_lazy("One for each night of work."),
    )
    downtime = WindowsField(
        label=gettext_lazy("Downtime"),
        required=False,
        most=100,
        help_text=gettext_lazy(
            "While the items are down, within the planned windows: nobody else can work on them."
        ),
    )
    description = _text(gettext_lazy("Description"))
    reason = _text(gettext_lazy("Reason"), gettext_lazy("Why it is done."), rows=2)
    freeze_reason = _text(
        gettext_lazy("Reason in a soft freeze"),
        gettext_lazy("Why it cannot wait, where a soft freeze covers the time."),
        rows=2,
    )
    implementation_plan = _text(gettext_lazy("Implementation plan"))
    test_plan = _text(gettext_lazy("Test plan"), rows=2)
    backout_plan = _text(
        gettext_lazy("Back-out plan"),
        gettext_lazy("How to go back, and by when to decide."),
        rows=2,
    )
    implementation_time = _minutes(
        gettext_lazy("Minutes to implement"), gettext_lazy("How long doing it takes.")
    )
    test_time = _minutes(
        gettext_lazy("Minutes to test"), gettext_lazy("How long seeing that it worked takes.")
    )
    backout_time = _minutes(
        gettext_lazy("Minutes to back out"),
        gettext_lazy("How long going back takes: the point of no return follows from it."),
    )
    implementers = KeysField(
        url="/changes/people",
        label=gettext_lazy("Implementers"),
        required=False,
        most=50,
        help_text=gettext_lazy("Who carries it out; without any, whoever starts it."),
    )
    category = forms.CharField(label=gettext_lazy("Category"), max_length=80, required=False)
    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"),
        choices=PRIORITIES,
        coerce=int,
        initial=3,
        required=False,
        empty_value="3",
    )
    external_id = forms.CharField(
        label=gettext_lazy("External id"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("What it is called in another tool."),
    )

    FIRST = ("title", "template", "items", "environments", "windows")
    REST = (
        *("description", "reason", "downtime", "implementation_plan", "test_plan", "backout_plan"),
        *("implementation_time", "test_time", "backout_time"),
        *("implementers", "freeze_reason", "priority", "category", "external_id"),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        actor: Actor,
        dossier: Dossier | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            data, initial=_initial(actor, dossier) if dossier is not None else dict(initial or {})
        )
        for name in ("windows", "downtime"):
            self.fields[name].zone = actor.zone  # type: ignore[attr-defined]
        if dossier is not None:
            del self.fields["template"]
        else:
            choices = [(one.slug, _("Standard: %(name)s") % {"name": one.name}) for one in _templates()]
            self.fields["template"].choices = [("normal", _("Normal change")), *choices]  # type: ignore[attr-defined]
        self._name_picked(actor)
        change = dossier.change if dossier is not None else None
        asked = workspace.for_form(
            actor,
            "change",
            kind=change.model.slug if change is not None else self._model(),
            organisation=change.organisation_id if change is not None else accounts.home(actor),
            row=change,
        )
        self.add_custom(**asked)

    def _model(self) -> str:
        """Return the key of the change model that the picked template makes changes of."""
        picked = str(self["template"].value() or "normal")
        return next((one.model.slug for one in _templates() if one.slug == picked), "normal")

    def _name_picked(self, actor: Actor) -> None:
        """Give the pickers the names of what is picked at first."""
        names = {str(row.key): row.name for row in accounts.people(actor).filter(number__in=self._numbers())}
        self.fields["implementers"].widget.names = names

    def _numbers(self) -> list[int]:
        given = self["implementers"].value() or ()
        return [int(key[4:]) for key in given if NUMBERED.fullmatch(key)]

    @property
    def first(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FIRST if name in self.fields]

    @property
    def rest(self) -> list[forms.BoundField]:
        return [self[name] for name in self.REST]

    @property
    def opened(self) -> bool:
        """Whether the folded part holds anything, or anything wrong."""
        if any(name in self.errors for name in self.REST):
            return True
        return any(self[name].value() not in (None, "", [], (), 3, "3") for name in self.REST)

    def values(self) -> dict[str, Any]:
        """Return what the commands take, from a form that is valid."""
        own = self.custom_values()
        found: dict[str, Any] = {
            name: value for name, value in self.cleaned_data.items() if name not in {"version", "template"}
        }
        for name in ("windows", "downtime"):
            found[name] = [{"start": start, "end": end} for start, end in found[name]]
        for name in TIMES:
            minutes = found.get(name)
            found[name] = timedelta(minutes=minutes) if minutes is not None else None
        if found["items"]:
            found["primary_item"] = found["items"][0]
        if own:
            found["custom"] = own
        if self.cleaned_data.get("template", "normal") != "normal":
            found["template"] = self.cleaned_data["template"]
        return found

    def unreadable(self) -> list[str]:
        """Return what is wrong with what was typed about times and things; none for what is missing."""
        return [
            text
            for name in ("windows", "downtime", "items", "environments")
            for error in self.errors.as_data().get(name, [])
            if error.code not in {"required", "half"}
            for text in error.messages
        ]

    def tentative(self) -> dict[str, Any]:
        """Return what is right so far, for a dry run while the form is being filled in."""
        if "title" not in self.cleaned_data:
            self.cleaned_data["title"] = _("New change")
        for name in ("windows", "downtime", "items"):
            self.cleaned_data.setdefault(name, [])
        return self.values()

    def refuse(self, invalid: Invalid) -> None:
        """Show what a command said, at the field where it belongs."""
        for error in invalid.errors:
            name = error.field.partition("[")[0]
            name = name if name in self.fields else name.partition(".")[0]
            self.add_error(name if name in self.fields else None, error.message)
        if not invalid.errors:
            self.add_error(None, invalid.detail)


class CompleteForm(forms.Form):
    """What came of the work."""

    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"), choices=Change.Outcome.choices)
    backed_out = forms.BooleanField(
        label=gettext_lazy("It was backed out"),
        required=False,
        help_text=gettext_lazy("What was there before is there again."),
    )
    note = forms.CharField(
        label=gettext_lazy("What happened"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Needed unless all went well; read before the next change of this kind."),
    )


def _templates() -> list[Any]:
    return queries.templates(authorised=True)


def _initial(actor: Actor, dossier: Dossier) -> dict[str, Any]:
    change: Change = dossier.change
    items, places = queries.keys(actor, dossier)
    return {
        "version": change.version,
        "title": change.title,
        **{name: getattr(change, name) for name in TEXTS},
        **{
            name: int(value.total_seconds() // 60) if (value := getattr(change, name)) is not None else None
            for name in TIMES
        },
        "items": items,
        "environments": places,
        "windows": [(period.start, period.end) for period in dossier.periods(downtime=False)],
        "downtime": [(period.start, period.end) for period in dossier.periods(downtime=True)],
        "implementers": [row.person.key for row in dossier.implementers],
        "category": change.category,
        "priority": change.priority,
        "external_id": change.external_id,
    }


class EditsForm(forms.Form):
    """What is to be altered of one or more items; what is left empty stays."""

    items = KeysField(
        url="/items/pick",
        label=gettext_lazy("Items"),
        most=commands.MOST_EDITED,
        help_text=gettext_lazy("All of them are to get the same values."),
    )
    status = forms.ChoiceField(label=gettext_lazy("Status"), required=False)
    criticality = forms.ChoiceField(label=gettext_lazy("Criticality"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    organisation = forms.ChoiceField(label=gettext_lazy("Organisation"), required=False)
    shared = forms.ChoiceField(label=gettext_lazy("Shared by all environments"), required=False)
    archived = forms.ChoiceField(label=gettext_lazy("In use"), required=False)
    attributes = forms.CharField(
        label=gettext_lazy("Attributes"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("One on each line: name = value; without a value it is taken away."),
    )
    relate = forms.CharField(
        label=gettext_lazy("Relations to add"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy("One on each line: kind and key of the other item, depends-on ledger-db."),
    )
    unrelate = forms.CharField(
        label=gettext_lazy("Relations to remove"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )

    def __init__(
        self, data: Any = None, *, actor: Actor, item: str = "", known: ProposedEdit | None = None
    ) -> None:
        super().__init__(data, initial=_proposed(item, known))
        self.actor = actor
        stays = [("", _("stays as it is"))]
        decided = [("true", _("Yes")), ("false", _("No"))]
        places = list(accounts.organisations(actor).values_list("slug", "name")[:500])
        choices: dict[str, list[Any]] = {
            "status": [("planned", _("Planned")), ("live", _("Live")), ("retired", _("Retired"))],
            "criticality": [(str(level), str(level)) for level in (1, 2, 3, 4)],
            "kind": [(row["slug"], row["name"]) for row in catalog.kinds()],
            "organisation": places,
            "shared": decided,
            "archived": [("true", _("To be archived")), ("false", _("To be used again"))],
        }
        for name, options in choices.items():
            self.fields[name].choices = [*stays, *options]  # type: ignore[attr-defined]

    def clean_attributes(self) -> dict[str, Any]:
        """Read the lines; a value keeps the type of the one that stands there.

        :raises ValidationError: a line has no equals sign.
        """
        read: dict[str, Any] = {}
        for number, text in enumerate(self.cleaned_data["attributes"].splitlines(), start=1):
            if not text.strip():
                continue
            name, sign, value = (part.strip() for part in text.partition("="))
            if not sign or not name:
                raise forms.ValidationError(
                    _("Line %(number)d is not of the form name = value."), params={"number": number}
                )
            read[name] = value or None
        return read

    def clean_relate(self) -> list[dict[str, str]]:
        return _ends(self.cleaned_data["relate"])

    def clean_unrelate(self) -> list[dict[str, str]]:
        return _ends(self.cleaned_data["unrelate"])

    def command(self, change: str) -> commands.ProposeEdits:
        """Return the command that this asks for.

        :raises Invalid: nothing is to be altered.
        """
        words: dict[str, Any] = {
            name: self.cleaned_data[name]
            for name in ("status", "kind", "organisation", "attributes", "relate", "unrelate")
            if self.cleaned_data[name]
        }
        if self.cleaned_data["criticality"]:
            words["criticality"] = int(self.cleaned_data["criticality"])
        for name in ("shared", "archived"):
            if self.cleaned_data[name]:
                words[name] = self.cleaned_data[name] == "true"
        if not words:
            raise Invalid(_("Say what is to be altered."))
        keys = self.cleaned_data["items"]
        if "attributes" in words and keys:
            present = catalog.item(self.actor, keys[0]).attributes
            words["attributes"] = {
                name: _typed(value, present.get(name)) for name, value in words["attributes"].items()
            }
        return commands.ProposeEdits(change=change, items=tuple(keys), patch=patch_of(words))

    def refuse(self, problem: Problem) -> None:
        """Show what the command said, at the field where it belongs."""
        for error in problem.errors:
            name = error.field.removeprefix("patch.").partition(".")[0]
            self.add_error(name if name in self.fields else None, error.message)
        if not problem.errors:
            self.add_error(None, problem.detail)


def _typed(value: str | None, present: Any) -> Any:
    """Return what was typed, as the kind of value that stands there; text, where none does."""
    if value is None or present is None or isinstance(present, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _ends(text: str) -> list[dict[str, str]]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if len(words) == 2:
            found.append({"kind": words[0], "target": words[1]})
        elif words:
            raise forms.ValidationError(
                _("Line %(number)d does not name a kind and an item."), params={"number": number}
            )
    return found


def _proposed(item: str, known: ProposedEdit | None) -> dict[str, Any]:
    """Return what is filled in at first: what was proposed before, where something was."""
    if known is None:
        return {"items": [item] if item else []}
    words = dict(known.patch)
    found: dict[str, Any] = {"items": [known.item.slug]}
    for name, value in words.items():
        if name == "attributes":
            found[name] = "\n".join(
                f"{key} = {'' if one is None else one if isinstance(one, str) else json.dumps(one)}"
                for key, one in value.items()
            )
        elif name in ("relate", "unrelate"):
            found[name] = "\n".join(f"{end['kind']} {end['target']}" for end in value)
        else:
            found[name] = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return found


class PinForm(forms.Form):
    """What a person says about the impact of a change."""

    item = KeysField(url="/items/pick", multiple=False, label=gettext_lazy("Item"))
    affected = forms.ChoiceField(
        label=gettext_lazy("It is"),
        choices=(("false", gettext_lazy("not affected")), ("true", gettext_lazy("affected"))),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Stands beside the item with your name."),
    )

    def command(self, change: str) -> commands.PinItem:
        """Return the command that this asks for."""
        [item] = self.cleaned_data["item"]
        return commands.PinItem(
            change=change,
            item=item,
            affected=self.cleaned_data["affected"] == "true",
            reason=self.cleaned_data["reason"],
        )


class HandlingForm(forms.Form):
    """How a conflict is handled: `people` are those who might see to it, by key."""

    owner = forms.ChoiceField(
        label=gettext_lazy("Who sees to it"),
        required=False,
        help_text=gettext_lazy("Somebody of either change; over the API anybody."),
    )
    accepted = forms.ChoiceField(
        label=gettext_lazy("It is"),
        choices=(
            ("false", gettext_lazy("open: one of both should move")),
            ("true", gettext_lazy("known, and may stay")),
        ),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why it may stay"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Holds for this one meeting: once either change moves, it is open again."),
    )

    def __init__(self, *args: Any, people: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["owner"].choices = [("", _("nobody")), *people.items()]  # type: ignore[attr-defined]

    @staticmethod
    def started(said: queries.Handling) -> dict[str, Any]:
        """Return what the form begins with."""
        return {
            "owner": said.owner.key if said.owner is not None else "",
            "accepted": "true" if said.status == queries.ACCEPTED else "false",
            "reason": said.reason,
        }

    def command(self, change: str, other: str, rule: Any) -> commands.HandleConflict:
        """Return the command that this asks for."""
        accepted = self.cleaned_data["accepted"] == "true"
        return commands.HandleConflict(
            change=change,
            other=other,
            rule=rule,
            owner=self.cleaned_data["owner"] or None,
            accepted=accepted,
            reason=self.cleaned_data["reason"] if accepted else "",
        )


class FeedForm(forms.Form):
    """A calendar feed: its name, what it shows, and of what alone."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        help_text=gettext_lazy("As the calendar program shows it."),
    )
    shows = forms.ChoiceField(label=gettext_lazy("Shows"), choices=CalendarFeed.Shows.choices)
    item = KeysField(url="/items/pick", multiple=False, label=gettext_lazy("Only this item"), required=False)
    environment = KeysField(
        url="/environments/pick", multiple=False, label=gettext_lazy("Only this environment"), required=False
    )

    def clean_item(self) -> str:
        return next(iter(self.cleaned_data["item"]), "")

    def clean_environment(self) -> str:
        return next(iter(self.cleaned_data["environment"]), "")
