"""The forms of environments; whether values make sense is for the commands to say."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.accounts import queries as accounts
from fairway.environments.models import Environment, EnvironmentGroup
from fairway.kernel.actor import Actor
from fairway.ui.custom import CustomMixin
from fairway.ui.forms import KeysField, ZoneField
from fairway.workspace import queries as workspace


class EnvironmentForm(CustomMixin, forms.Form):
    """A new environment, or one that is changed; `version` is the one that was read."""

    decides = ("tier", "organisation")

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=100,
        help_text=gettext_lazy("Short and lasting, such as sit2; it stands in addresses and pipelines."),
    )
    tier = forms.ChoiceField(
        label=gettext_lazy("Tier"),
        choices=Environment.Tier.choices,
        help_text=gettext_lazy("How near it is to production."),
    )
    control = forms.ChoiceField(
        label=gettext_lazy("Control level"),
        required=False,
        help_text=gettext_lazy(
            "Open records what happens; coordinated must be booked; controlled needs an authorised change."
        ),
    )
    status = forms.ChoiceField(
        label=gettext_lazy("Status"), choices=Environment.Status.choices, initial="available"
    )
    organisation = forms.ChoiceField(
        label=gettext_lazy("Organisation"), help_text=gettext_lazy("Who sees it and may change it.")
    )
    zone = ZoneField(
        label=gettext_lazy("Time zone"),
        initial="UTC",
        help_text=gettext_lazy("An IANA name such as Europe/London."),
    )
    shared = forms.BooleanField(label=gettext_lazy("Several teams use it at once"), required=False)
    position = forms.IntegerField(label=gettext_lazy("Order within its tier"), required=False, initial=0)
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, data: Any = None, *, actor: Actor, environment: Environment | None = None) -> None:
        if environment is not None:
            initial = _initial(environment)
        else:
            initial = {"organisation": accounts.user(actor, actor.uid).organisation.slug, "zone": actor.zone}
        super().__init__(data, initial=initial)
        self.environment = environment
        if environment is not None:
            del self.fields["key"]
        places = _homes(actor, environment)
        usual = [("", _("As is usual for its tier"))] if environment is None else []
        self.fields["organisation"].choices = places  # type: ignore[attr-defined]
        self.fields["control"].choices = [*usual, *Environment.Control.choices]  # type: ignore[attr-defined]

        found = accounts.organisations(actor).filter(slug=str(self["organisation"].value() or ""))
        where = found.values_list("pk", flat=True).first()
        tier = str(self["tier"].value() or Environment.Tier.values[0])
        asked = workspace.for_form(actor, "environment", kind=tier, organisation=where, row=environment)
        self.add_custom(**asked)

    def stale(self, environment: Environment) -> None:
        """Show what stands there now beside what was typed: saving once more is then a choice."""
        for name, present in _initial(environment).items():
            typed = self.data.get(name, "")
            if name == "shared":
                typed = str(bool(typed))
            if name != "version" and str(present) != str(typed):
                self.add_error(name, _("Meanwhile it says: %(value)s") % {"value": present})
        data: Any = self.data
        self.data = data.copy()
        self.data["version"] = str(environment.version)  # type: ignore[index]

    def values(self) -> dict[str, Any]:
        """Return what the command takes."""
        own = self.custom_values()
        values = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        if own:
            values["custom"] = own
        values["position"] = values["position"] or 0
        if not values["control"]:
            del values["control"]
        if self.environment is not None and values["organisation"] == self.environment.organisation.slug:
            del values["organisation"]
        return values


class StandingForm(forms.Form):
    """Says which item stands in the environment at hand."""

    aliases: ClassVar[dict[str, str]] = {}
    item = KeysField(url="/items/pick", multiple=False, label=gettext_lazy("Item"))


class LinkForm(forms.Form):
    """Says which environment is taken with the one at hand."""

    aliases: ClassVar[dict[str, str]] = {}
    child = KeysField(url="/environments/pick", multiple=False, label=gettext_lazy("Environment"))


class GroupForm(forms.Form):
    """A new group of environments, or one that is changed; `version` is the one that was read."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=100,
        help_text=gettext_lazy("Short and lasting, such as lane-1; a change may name it for all it holds."),
    )
    members = KeysField(url="/environments/pick", multiple=True, label=gettext_lazy("Environments"))
    organisation = forms.ChoiceField(
        label=gettext_lazy("Organisation"), help_text=gettext_lazy("Who sees it and may change it.")
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(
        self,
        data: Any = None,
        *,
        actor: Actor,
        group: EnvironmentGroup | None = None,
        members: dict[str, str] | None = None,
    ) -> None:
        self.group = group
        if group is None:
            initial: dict[str, Any] = {"organisation": accounts.user(actor, actor.uid).organisation.slug}
        else:
            initial = {
                "version": group.version,
                "name": group.name,
                "description": group.description,
                "organisation": group.organisation.slug,
                "members": list(members or {}),
            }
        super().__init__(data, initial=initial)
        if group is not None:
            del self.fields["key"]
        self.fields["members"].names = members or {}  # type: ignore[attr-defined]
        self.fields["organisation"].choices = _homes(actor, group)  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Return what the command takes."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        if self.group is not None and values["organisation"] == self.group.organisation.slug:
            del values["organisation"]
        return values


def _homes(actor: Actor, record: Environment | EnvironmentGroup | None) -> list[tuple[str, str]]:
    """Return the organisations that a record may go to, its own among them."""
    access = accounts.access(actor)
    rows = accounts.organisations(actor).values_list("pk", "slug", "name")
    places = [(slug, name) for pk, slug, name in rows if access.may("environments.edit", pk)]
    if record is not None and record.organisation.slug not in dict(places):
        places.append((record.organisation.slug, record.organisation.name))
    return places


def _initial(environment: Environment) -> dict[str, Any]:
    names = ("version", "name", "tier", "control", "status", "zone", "shared", "position", "description")
    return {
        **{name: getattr(environment, name) for name in names},
        "organisation": environment.organisation.slug,
    }
