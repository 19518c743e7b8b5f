"""Fields of forms that are made from data: what a definition asks for, in the order and groups it says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.ui.forms import LOCAL, KeysField
from fairway.ui.times import zone_of


class Choice(Protocol):
    """What can be picked."""

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def retired(self) -> bool: ...


class Definition(Protocol):
    """A field as it is defined; `type` is one of the names in `_MAKERS`."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def mandatory(self) -> bool: ...
    @property
    def options(self) -> Sequence[Choice]: ...


class InstantField(forms.CharField):
    """A date and time at wall time in a zone; gives an instant in RFC 3339."""

    def __init__(self, *, zone: str, **kwargs: Any) -> None:
        super().__init__(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), **kwargs)
        self.zone = zone

    def prepare_value(self, value: Any) -> Any:
        """Show a stored instant at wall time."""
        if isinstance(value, str) and value.endswith("Z"):
            return datetime.fromisoformat(value).astimezone(zone_of(self.zone)).strftime(LOCAL)
        return value

    def clean(self, value: Any) -> str:
        """Read a wall time.

        :raises ValidationError: it is none.
        """
        text = super().clean(value)
        if not text:
            return ""
        try:
            wall = datetime.fromisoformat(text)
            at = wall if wall.tzinfo is not None else wall.replace(tzinfo=zone_of(self.zone))
            return at.astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            raise ValidationError(
                _("%(value)s is no date and time; write it like 2026-11-24T21:00."), params={"value": text}
            ) from None


_YES_NO = (("", "–"), ("true", gettext_lazy("Yes")), ("false", gettext_lazy("No")))


def field_of(one: Definition, *, zone: str, value: Any = None) -> forms.Field:
    """Return the field of a form for a definition; whether a value fits is for the command to say."""
    common: dict[str, Any] = {"label": one.label, "help_text": one.help, "required": one.mandatory}
    kept = value if isinstance(value, list) else [value]
    options = [(o.key, o.label) for o in one.options if not o.retired or o.key in kept]
    match str(one.type):
        case "long_text":
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), **common)
        case "number" | "integer":
            kind = {"inputmode": "numeric" if one.type == "integer" else "decimal"}
            return forms.CharField(widget=forms.TextInput(attrs=kind), max_length=40, **common)
        case "boolean":
            return forms.ChoiceField(choices=_YES_NO, **common)
        case "date":
            return forms.CharField(widget=forms.DateInput(attrs={"type": "date"}), max_length=10, **common)
        case "instant":
            return InstantField(zone=zone, **common)
        case "list":
            return forms.ChoiceField(choices=[("", "–"), *options], **common)
        case "multi_list":
            return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple, **common)
        case "user":
            return KeysField(url="/changes/people", multiple=False, **common)
        case "item":
            return KeysField(url="/items/pick", multiple=False, **common)
        case "link":
            return forms.CharField(widget=forms.URLInput, max_length=2_000, **common)
        case _:
            return forms.CharField(max_length=500, **common)


class CustomMixin:
    """For forms of records: `add_custom` appends fields, `custom_values` gives what was filled in.

    `decides`: names of the fields that decide which there are; when one of these changes, the page asks for
    the appended ones anew (ui/form.html), and `redrawn` says so.
    """

    fields: dict[str, forms.Field]
    initial: MutableMapping[str, Any]
    cleaned_data: dict[str, Any]
    column = "custom"
    decides: ClassVar[tuple[str, ...]] = ()
    _custom: tuple[Definition, ...] = ()

    def add_custom(
        self,
        definitions: Iterable[Definition],
        values: Mapping[str, Any],
        *,
        zone: str,
        fixed: Collection[str] = (),
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Append a field for each definition; `fixed`: names of those that are shown and not set.

        `names`: how picked people and items are called, by key.
        """
        self._custom = tuple(definitions)
        for one in self._custom:
            value = values.get(one.name)
            made = field_of(one, zone=zone, value=value)
            if one.name in fixed:
                made.disabled, made.required = True, False
            if isinstance(made, KeysField):
                made.widget.names = dict(names or {})
                value = [value] if value else []
            elif isinstance(value, bool):
                value = "true" if value else "false"
            self.fields[f"{self.column}.{one.name}"] = made
            if value is not None:
                self.initial[f"{self.column}.{one.name}"] = value

    def custom_values(self) -> dict[str, Any]:
        """Return the values by name; None where a field is left empty. Take them out of the cleaned data."""
        found: dict[str, Any] = {}
        for one in self._custom:
            name = f"{self.column}.{one.name}"
            value = self.cleaned_data.pop(name, None)
            if self.fields[name].disabled:
                continue
            if isinstance(self.fields[name], KeysField):
                value = value[0] if value else None
            found[one.name] = None if value in ("", [], None) else value
        return found

    def redrawn(self) -> bool:
        """Say whether only the appended fields are asked for; then all is shown as typed, and not judged.

        A field that was not there before holds what it begins with.
        """
        form: Any = self
        if not form.is_bound or not form.data.get("redraw"):
            return False
        data, there = form.data.copy(), set(form.data.getlist("redraw_had"))
        for one in self._custom:
            name = f"{self.column}.{one.name}"
            value = self.initial.get(name)
            if name not in there and value is not None:
                shown = form.fields[name].prepare_value(value)
                data.setlist(name, shown if isinstance(shown, list) else [shown])
        form.data, form._errors = data, ErrorDict()
        return True

    @property
    def deciding(self) -> str:
        """When the page asks for the appended fields anew, as htmx triggers."""
        form: Any = self
        return ", ".join(f"change from:'#{form[name].id_for_label}'" for name in self.decides)

    @property
    def custom_names(self) -> list[str]:
        return [f"{self.column}.{one.name}" for one in self._custom]

    @property
    def sections(self) -> list[dict[str, Any]]:
        """The bound fields: those of the form itself, then those that were appended, by group."""
        form: Any = self
        own = {f"{self.column}.{one.name}" for one in self._custom}
        found: list[dict[str, Any]] = [
            {"label": "", "fields": [form[name] for name in self.fields if name not in own]}
        ]
        return [*found, *self.custom_sections] if own else found

    @property
    def custom_sections(self) -> list[dict[str, Any]]:
        """The appended fields by group, those without one first."""
        form: Any = self
        groups: dict[str, list[Any]] = {}
        for one in sorted(self._custom, key=lambda one: bool(one.group)):
            groups.setdefault(one.group, []).append(form[f"{self.column}.{one.name}"])
        return [{"label": group or _("More fields"), "fields": bound} for group, bound in groups.items()]
