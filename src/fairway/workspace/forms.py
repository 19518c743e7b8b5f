"""The form of a field definition; whether it makes sense is for the commands to say."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.accounts import queries as accounts
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Problem
from fairway.workspace import queries
from fairway.workspace.commands import OptionBody
from fairway.workspace.models import FieldDefinition


class FieldForm(forms.Form):
    """A new field of records of a subject, or one that is changed; `version` is the one that was read."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    label = forms.CharField(
        label=gettext_lazy("Label"), max_length=80, help_text=gettext_lazy("What forms and pages call it.")
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy(
            "Lower case, such as cost_centre: its name in the API, imports and filters. It stays as it is."
        ),
    )
    type = forms.ChoiceField(
        label=gettext_lazy("Type"), choices=FieldDefinition._meta.get_field("type").flatchoices
    )
    options = forms.CharField(
        label=gettext_lazy("Options"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Of a list, one on each line in their order: key = label. “-” in front retires one:"
            " it stays where it stands, and is picked no more."
        ),
    )
    help = forms.CharField(
        label=gettext_lazy("Help"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("One sentence below the field."),
    )
    group = forms.CharField(
        label=gettext_lazy("Group"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("The heading that it stands below, together with others of the same."),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Only for"), required=False, widget=forms.CheckboxSelectMultiple
    )
    mandatory = forms.BooleanField(
        label=gettext_lazy("It must be filled in"),
        required=False,
        help_text=gettext_lazy("Asked for when a record is made; it cannot be emptied."),
    )
    default = forms.CharField(
        label=gettext_lazy("Default"),
        required=False,
        help_text=gettext_lazy("What a new record has unless told otherwise; keys of options with “;”."),
    )
    minimum = forms.FloatField(
        label=gettext_lazy("Minimum"),
        required=False,
        help_text=gettext_lazy("Of a number, or characters of a text."),
    )
    maximum = forms.FloatField(label=gettext_lazy("Maximum"), required=False)
    viewers = forms.MultipleChoiceField(
        label=gettext_lazy("Seen by"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked: by whoever sees the record. It appears nowhere for others."),
    )
    editors = forms.MultipleChoiceField(
        label=gettext_lazy("Set by"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked: by whoever may edit the record, and sees the field."),
    )
    filterable = forms.BooleanField(
        label=gettext_lazy("Lists can be filtered by it"), required=False, initial=True
    )
    organisation = forms.ChoiceField(
        label=gettext_lazy("Organisation"), help_text=gettext_lazy("It holds for records here and below.")
    )

    def __init__(
        self,
        data: Any = None,
        *,
        actor: Actor,
        subject: queries.FieldSubject,
        row: FieldDefinition | None = None,
    ) -> None:
        super().__init__(data, initial=_initial(row) if row is not None else {})
        roles = list(accounts.roles().values_list("slug", "name"))
        self.fields["kinds"].choices = queries.field_kinds(subject)  # type: ignore[attr-defined]
        for name in ("viewers", "editors"):
            self.fields[name].choices = roles  # type: ignore[attr-defined]
        if row is not None:
            del self.fields["name"], self.fields["organisation"]
        else:
            places = accounts.organisations_where(actor, "workspace.configure")
            self.fields["organisation"].choices = list(places.values_list("slug", "name"))  # type: ignore[attr-defined]

    def clean_options(self) -> list[OptionBody]:
        """Read the lines.

        :raises ValidationError: one is empty before its equals sign.
        """
        found = []
        for text in self.cleaned_data["options"].splitlines():
            if not text.strip():
                continue
            retired = text.strip().startswith("-")
            key, _equals, label = text.strip().removeprefix("-").partition("=")
            if not key.strip():
                raise ValidationError(_("An option needs a key in front of “=”."))
            found.append(OptionBody(key=key.strip(), label=label.strip(), retired=retired))
        return found

    def values(self) -> dict[str, Any]:
        """Return what the command takes."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "version"}
        values["default"] = values["default"] or None
        return values

    def object(self, problem: Problem) -> None:
        """Show what a command says, at the field where it belongs."""
        for error in problem.errors:
            name = error.field.partition("[")[0]
            self.add_error(name if name in self.fields else None, error.message)
        if not problem.errors:
            self.add_error(None, problem.detail)


def _initial(row: FieldDefinition) -> dict[str, Any]:
    same = (
        *("version", "label", "type", "help", "group", "kinds", "mandatory", "minimum", "maximum"),
        *("viewers", "editors", "filterable"),
    )
    default = row.default
    return {
        **{name: getattr(row, name) for name in same},
        "default": ";".join(default)
        if isinstance(default, list)
        else ""
        if default is None
        else str(default),
        "options": "\n".join(
            f"{'-' if one['retired'] else ''}{one['key']} = {one['label']}" for one in row.options
        ),
    }
