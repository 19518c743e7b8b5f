"""The forms of items and relations; whether values make sense is for the commands to say."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.accounts import queries as accounts
from fairway.catalog import commands, queries
from fairway.catalog.models import ConfigurationItem
from fairway.kernel.actor import Actor
from fairway.ui.custom import CustomMixin
from fairway.ui.forms import KeysField
from fairway.workspace import queries as workspace

CRITICALITIES = (
    (1, gettext_lazy("1 – most critical")),
    (2, gettext_lazy("2 – high")),
    (3, gettext_lazy("3 – medium")),
    (4, gettext_lazy("4 – low")),
)
_ATTRIBUTE = re.compile(r"\s*([^=]+?)\s*=\s*(.*?)\s*")


class ItemForm(CustomMixin, forms.Form):
    """A new item, or one that is changed; `version` is the one that was read."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=100,
        help_text=gettext_lazy(
            "Short and lasting, such as payments-api; it stands in addresses and pipelines."
        ),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), initial="system")
    organisation = forms.ChoiceField(
        label=gettext_lazy("Organisation"), help_text=gettext_lazy("Who sees it and may change it.")
    )
    criticality = forms.TypedChoiceField(
        label=gettext_lazy("Criticality"), choices=CRITICALITIES, coerce=int, initial=3
    )
    status = forms.ChoiceField(
        label=gettext_lazy("Status"), choices=ConfigurationItem.Status.choices, initial="live"
    )
    shared = forms.ChoiceField(
        label=gettext_lazy("Shared by all environments"),
        required=False,
        help_text=gettext_lazy(
            "One and the same everywhere, such as a network or a third party:"
            " two changes to it meet, whatever environments they name."
        ),
    )
    owner_team = forms.ChoiceField(label=gettext_lazy("Owner team"), required=False)
    external_id = forms.CharField(
        label=gettext_lazy("External id"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("What another tool calls it."),
    )
    alias = forms.CharField(
        label=gettext_lazy("Also called"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Other names that people search for."),
    )
    vendor = KeysField(
        url="/items/pick",
        multiple=False,
        label=gettext_lazy("Vendor"),
        required=False,
        help_text=gettext_lazy("The third party that makes or runs it, an item as well."),
    )
    service_hours = forms.CharField(
        label=gettext_lazy("Service hours"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Such as mon-fri 08:00-18:00; sat 09:00-13:00 Europe/London, or 24x7."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    column = "attributes"
    decides = ("kind", "organisation")
    attributes = forms.CharField(
        label=gettext_lazy("Attributes"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy("One on each line: name = value."),
    )

    def __init__(
        self, data: Any = None, *, actor: Actor, item: ConfigurationItem | None = None, new: bool = False
    ) -> None:
        super().__init__(data, initial=_initial(actor, item) if item else {"organisation": _home(actor)})
        self.actor, self.item = actor, item
        self.free = queries.free_attributes(actor, item) if item else {}
        if not new:
            del self.fields["key"]
        kinds = [(row["slug"], row["name"]) for row in queries.kinds()]
        places = _places(actor)
        teams = list(accounts.teams(actor).values_list("slug", "name")[:500])
        if item is not None and item.owner_team and item.owner_team.slug not in dict(teams):
            teams.append((item.owner_team.slug, item.owner_team.name))
        if item is not None and item.organisation.slug not in dict(places):
            places.append((item.organisation.slug, item.organisation.name))
        decided = [("true", _("Yes")), ("false", _("No"))]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]
        self.fields["organisation"].choices = places  # type: ignore[attr-defined]
        self.fields["owner_team"].choices = [("", _("Nobody yet")), *teams]  # type: ignore[attr-defined]
        usual = [("", _("As is usual for its kind"))] if new else []
        self.fields["shared"].choices = [*usual, *decided]  # type: ignore[attr-defined]

        found = accounts.organisations(actor).filter(slug=str(self["organisation"].value() or ""))
        where = found.values_list("pk", flat=True).first()
        asked = workspace.for_form(
            actor, "item", kind=str(self["kind"].value() or ""), organisation=where, row=item
        )
        self.add_custom(**asked)

    def clean_attributes(self) -> dict[str, Any]:
        """Read the lines; a value that is as it was keeps its type.

        :raises ValidationError: a line has no equals sign.
        """
        present = self.free
        read: dict[str, Any] = {}
        for number, text in enumerate(self.cleaned_data["attributes"].splitlines(), start=1):
            if not text.strip():
                continue
            found = _ATTRIBUTE.fullmatch(text)
            if found is None:
                raise ValidationError(
                    _("Line %(number)d is not of the form name = value."), params={"number": number}
                )
            name, value = found.groups()
            read[name] = present[name] if name in present and _written(present[name]) == value else value
        return read

    def stale(self, item: ConfigurationItem) -> None:
        """Show what stands there now beside what was typed: saving once more is then a choice."""
        theirs = _initial(self.actor, item)
        for name, present in theirs.items():
            if name not in {"version", "attributes"} and str(present) != str(self.data.get(name, "")):
                self.add_error(name, _("Meanwhile it says: %(value)s") % {"value": present})
        if theirs["attributes"] != self.data.get("attributes", ""):
            self.add_error("attributes", _("Meanwhile it says: %(value)s") % {"value": theirs["attributes"]})
        data: Any = self.data
        self.data = data.copy()
        self.data["version"] = str(item.version)  # type: ignore[index]

    def values(self) -> dict[str, Any]:
        """Return what the command takes; attributes that were taken out are named as null."""
        own = self.custom_values()
        values = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        values["owner_team"] = values["owner_team"] or None
        values["vendor"] = next(iter(values["vendor"]), None)
        before = self.item.vendor if self.item is not None else None
        if before is not None and not values["vendor"] and not queries.sees(self.actor, before):
            del values["vendor"]  # stays, for the reader could not name it
        values["shared"] = {"true": True, "false": False}.get(values["shared"])
        if self.item is not None:
            gone = self.free.keys() - values["attributes"].keys()
            values["attributes"] = {**dict.fromkeys(gone), **values["attributes"]}
            if values["owner_team"] == (self.item.owner_team.slug if self.item.owner_team else None):
                del values["owner_team"]  # stays, even where the reader may not see the team
            if values["organisation"] == self.item.organisation.slug:
                del values["organisation"]
            if values["shared"] is None:
                del values["shared"]
        else:
            own = {name: value for name, value in own.items() if value is not None}
        values["attributes"] = {**values["attributes"], **own}
        return values


class RelationForm(forms.Form):
    """Joins the item at hand to another one; the words say which of them is the source."""

    aliases: ClassVar[dict[str, str]] = {"source": "other", "target": "other", "kind": "how"}

    how = forms.ChoiceField(label=gettext_lazy("How"))
    other = KeysField(url="/items/pick", multiple=False, label=gettext_lazy("Other item"))

    def __init__(self, data: Any = None, *, item: ConfigurationItem) -> None:
        super().__init__(data)
        self.item = item
        kinds = queries.relation_kinds(archived=False)
        forwards = [(f"out {row['slug']}", f"{item.name} {row['name']} …") for row in kinds]
        backwards = [(f"in {row['slug']}", f"{item.name} {row['reverse_name']} …") for row in kinds]
        self.fields["how"].choices = [*forwards, *backwards]  # type: ignore[attr-defined]

    def command(self) -> commands.CreateRelation:
        """Return the command that this asks for."""
        way, _space, kind = self.cleaned_data["how"].partition(" ")
        [other] = self.cleaned_data["other"]
        source, target = (self.item.slug, other) if way == "out" else (other, self.item.slug)
        return commands.CreateRelation(source=source, target=target, kind=kind)


def _places(actor: Actor) -> list[tuple[str, str]]:
    """Return the organisations where the actor may edit items."""
    access = accounts.access(actor)
    found = accounts.organisations(actor).values_list("pk", "slug", "name")
    return [(slug, name) for pk, slug, name in found if access.may("catalog.edit", pk)]


def _home(actor: Actor) -> str:
    """Return the organisation that a new item most likely belongs to."""
    return accounts.user(actor, actor.uid).organisation.slug


def _initial(actor: Actor, item: ConfigurationItem) -> dict[str, Any]:
    free = queries.free_attributes(actor, item)
    return {
        "version": item.version,
        "name": item.name,
        "kind": item.item_kind.slug,
        "organisation": item.organisation.slug,
        "criticality": item.criticality,
        "status": item.status,
        "shared": "true" if item.shared else "false",
        "owner_team": item.owner_team.slug if item.owner_team else "",
        "external_id": item.external_id,
        "alias": item.alias,
        "vendor": [item.vendor.slug] if item.vendor and queries.sees(actor, item.vendor) else [],
        "service_hours": item.service_hours,
        "description": item.description,
        "attributes": "\n".join(f"{name} = {_written(value)}" for name, value in free.items()),
    }


def _written(value: Any) -> str:
    return " ".join(str(value).split())
