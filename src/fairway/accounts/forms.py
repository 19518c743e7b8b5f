"""Forms of the pages of accounts; whether what is typed may be done is for the commands to say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from fairway.accounts.models import Organisation, Role
from fairway.accounts.rules import PERMISSIONS
from fairway.kernel.errors import Problem
from fairway.ui.forms import KeysField, WindowsField, ZoneField

DAYS = ((7, _("a week")), (30, _("a month")), (90, _("three months")), (366, _("a year")))


class CommandForm(forms.Form):
    """A form whose command may object: what it says about a field stands at the field."""

    def object(self, problem: Problem) -> None:
        """Show a problem; its field errors at their fields, else its sentence above the form."""
        if not problem.errors:
            self.add_error(None, problem.detail)
        for error in problem.errors:
            self.add_error(error.field if error.field in self.fields else None, error.message)


class SignInForm(CommandForm):
    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ChoosePasswordForm(CommandForm):
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=1000,
        help_text=_("At least 12 characters; a few words are good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class PasswordForm(ChoosePasswordForm):
    present = forms.CharField(
        label=_("Present password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("present", "password")


class ProfileForm(CommandForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    zone = ZoneField(label=_("Time zone"), help_text=_("All times are shown in it."))
    version = forms.IntegerField(widget=forms.HiddenInput)


class TokenForm(CommandForm):
    name = forms.CharField(label=_("What it is for"), max_length=80)
    days = forms.TypedChoiceField(label=_("Expires after"), choices=DAYS, coerce=int, initial=90)
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[(name, told) for name, told in PERMISSIONS.items()],
        required=False,
        help_text=_("Nothing ticked: all that you may do yourself."),
        widget=forms.CheckboxSelectMultiple,
    )


class ServiceTokenForm(TokenForm):
    """The same for a service account, whose roles bound what its tokens may."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].help_text = _("Nothing ticked: all that the account’s roles allow.")


class ServiceForm(CommandForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    slug = forms.SlugField(
        label=_("Key"), max_length=100, help_text=_("Lower case, such as deploy-robot; it stays.")
    )
    organisation = forms.ChoiceField(label=_("Organisation"))

    def __init__(self, *args: Any, organisations: Iterable[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].choices = _choices(organisations)  # type: ignore[attr-defined]


class InviteForm(CommandForm):
    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120)
    organisation = forms.ChoiceField(label=_("Organisation"))
    zone = ZoneField(label=_("Time zone"), initial="UTC")
    is_service = forms.BooleanField(
        label=_("A service account"),
        required=False,
        help_text=_("For a program: it acts by token and cannot sign in."),
    )

    def __init__(self, *args: Any, organisations: Iterable[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].choices = _choices(organisations)  # type: ignore[attr-defined]


class GrantForm(CommandForm):
    role = forms.ChoiceField(label=_("Role"))
    organisation = forms.ChoiceField(label=_("On"), help_text=_("And everything below it."))

    def __init__(
        self, *args: Any, organisations: Iterable[Organisation], roles: Iterable[Role], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].choices = _choices(organisations)  # type: ignore[attr-defined]
        self.fields["role"].choices = [(role.slug, role.name) for role in roles]  # type: ignore[attr-defined]


class RoleForm(CommandForm):
    """A role as it would be; its key only where it is new."""

    name = forms.CharField(label=_("Name"), max_length=80)
    role = forms.SlugField(
        label=_("Key"), max_length=60, help_text=_("Lower case, such as name-keeper; it stays.")
    )
    description = forms.CharField(label=_("Description"), max_length=300, required=False)
    permissions = forms.MultipleChoiceField(
        label=_("What it permits"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("At most what you hold yourself on the whole company."),
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For whoever confirms it."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, new: bool, choices: Iterable[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permissions"].choices = choices  # type: ignore[attr-defined]
        del self.fields["version" if new else "role"]


class TeamForm(CommandForm):
    name = forms.CharField(label=_("Name"), max_length=200)
    slug = forms.SlugField(
        label=_("Key"), max_length=100, help_text=_("Lower case, such as payments; it stays.")
    )
    organisation = forms.ChoiceField(label=_("Organisation"))
    members = KeysField(label=_("Members"), url="/administration/people/pick", required=False)

    def __init__(self, *args: Any, organisations: Iterable[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].choices = _choices(organisations)  # type: ignore[attr-defined]


class TeamNameForm(CommandForm):
    name = forms.CharField(label=_("Name"), max_length=200)
    version = forms.IntegerField(widget=forms.HiddenInput)


class MembersForm(CommandForm):
    members = KeysField(label=_("Members"), url="/administration/people/pick", required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, names: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["members"].widget.names = names


class OrganisationForm(CommandForm):
    name = forms.CharField(label=_("Name"), max_length=200)
    slug = forms.SlugField(
        label=_("Key"), max_length=100, help_text=_("Lower case, such as retail; it stays.")
    )
    parent = forms.ChoiceField(label=_("Below"))

    def __init__(self, *args: Any, organisations: Iterable[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].choices = _choices(organisations)  # type: ignore[attr-defined]


class EditOrganisationForm(CommandForm):
    name = forms.CharField(label=_("Name"), max_length=200)
    parent = forms.ChoiceField(label=_("Below"))
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, organisations: Iterable[Organisation], root: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].choices = _choices(organisations)  # type: ignore[attr-defined]
        if root:
            del self.fields["parent"]


class DelegationForm(CommandForm):
    """Who acts in whose place, and when; `giver` is asked of those alone who may say it for others."""

    taker = KeysField(label=_("Who acts"), url="/administration/people/pick", multiple=False)
    period = WindowsField(label=_("When"), single=True)
    giver = KeysField(
        label=_("In whose place"),
        url="/administration/people/pick",
        multiple=False,
        required=False,
        help_text=_("Nobody named: in yours."),
    )

    def __init__(self, *args: Any, zone: str, for_others: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["period"].zone = zone  # type: ignore[attr-defined]
        if not for_others:
            del self.fields["giver"]

    def values(self) -> dict[str, Any]:
        """Return what the command takes."""
        given = self.cleaned_data
        start, end = given["period"][0]
        return {
            "taker": given["taker"][0],
            "start": start.isoformat(),
            "end": end.isoformat(),
            "giver": next(iter(given.get("giver") or ()), None),
        }

    def object(self, problem: Problem) -> None:
        """Show what is said of the start or the end at the period."""
        for error in problem.errors:
            if error.field in ("start", "end"):
                self.add_error("period", error.message)
        rest = [error for error in problem.errors if error.field not in ("start", "end")]
        for error in rest:
            self.add_error(error.field if error.field in self.fields else None, error.message)
        if not problem.errors:
            self.add_error(None, problem.detail)


class LimitForm(CommandForm):
    """How many calls a person or program, whoever has a role, or everybody may make."""

    user = KeysField(
        label=_("Person or service account"),
        url="/administration/people/pick",
        multiple=False,
        required=False,
        help_text=_("Neither this nor a role: everybody."),
    )
    role = forms.ChoiceField(label=_("Or whoever has the role"), required=False)
    per_minute = forms.IntegerField(label=_("Calls a minute"), min_value=1)
    burst = forms.IntegerField(
        label=_("At once"), min_value=1, help_text=_("Calls that may come together before the pace counts.")
    )

    def __init__(self, *args: Any, roles: Iterable[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = [("", _("none")), *((role.slug, role.name) for role in roles)]
        self.fields["role"].choices = found  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Return what the command takes."""
        given = self.cleaned_data
        return {**given, "user": next(iter(given["user"]), None), "role": given["role"] or None}


LINK_DAYS = (
    (1, _("a day")),
    (7, _("a week")),
    (14, _("two weeks")),
    (30, _("a month")),
    (90, _("three months")),
)


class ShareForm(CommandForm):
    """What a read-only link shows, to whom it names people, for how long."""

    name = forms.CharField(label=_("Title of its page"), max_length=200)
    what = forms.CharField(
        label=_("What it shows"),
        max_length=130,
        help_text=_("Such as changes/CHG-1042, changes or calendar."),
    )
    query = forms.CharField(
        label=_("Filters"), max_length=1000, required=False, help_text=_("As in an address: state=scheduled.")
    )
    shown = forms.MultipleChoiceField(label=_("Fields"), widget=forms.CheckboxSelectMultiple)
    people = forms.BooleanField(label=_("Name people"), required=False)
    days = forms.TypedChoiceField(label=_("Expires after"), choices=LINK_DAYS, coerce=int, initial=14)

    def __init__(self, *args: Any, names: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        told = [(name, name.replace("_", " ")) for name in names]
        self.fields["shown"].choices = told  # type: ignore[attr-defined]


def _choices(organisations: Iterable[Organisation]) -> list[tuple[str, str]]:
    return [(organisation.slug, organisation.name) for organisation in organisations]
