"""Fields of forms that HTML has none for: keys picked from many, and periods in the reader's zone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.ui.times import zone_of

LOCAL = "%Y-%m-%dT%H:%M"

Window = tuple[datetime, datetime]


class Picker(forms.Widget):
    """Keys picked from many by typing: the island `fw-picker` around a text input that works alone.

    :param url: answers `?q=` with {"items": [{"key", "name", "note"}]}.
    :param names: names of keys that may be picked at first, for their chips.
    """

    template_name = "ui/widgets/picker.html"

    def __init__(
        self,
        *,
        url: str,
        multiple: bool = True,
        names: Mapping[str, str] | None = None,
        attrs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(attrs)
        self.url, self.multiple, self.names = url, multiple, dict(names or {})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Hand the island its address and the names it may show at first."""
        context = super().get_context(name, value, attrs)
        names = {key: self.names[key] for key in value or () if key in self.names}
        context["widget"].update(url=self.url, multiple=self.multiple, names=json.dumps(names))
        return context

    def format_value(self, value: Any) -> str:
        """Write the keys as the plain input holds them, comma between."""
        return ", ".join(value) if isinstance(value, (list, tuple)) else str(value or "")

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """Read keys from one value with commas or from several values, each key once."""
        given = data.getlist(name) if isinstance(data, MultiValueDict) else [data.get(name) or ""]
        keys = [key.strip() for text in given for key in re.split(r"[,;\n]", str(text))]
        return list(dict.fromkeys(key for key in keys if key))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Never: no key is an answer too."""
        return False


class KeysField(forms.Field):
    """A list of keys in the order they were picked; whether they exist is for the command to say."""

    def __init__(
        self,
        *,
        url: str,
        multiple: bool = True,
        most: int = 500,
        names: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.most = most if multiple else 1
        super().__init__(widget=Picker(url=url, multiple=multiple, names=names), **kwargs)

    def to_python(self, value: Any) -> list[str]:
        """Take what the widget read."""
        return list(value or ())

    def validate(self, value: Sequence[str]) -> None:
        """Refuse none where one is needed, and more than are allowed.

        :raises ValidationError: no key though required, too many keys, or one over 200 characters.
        """
        super().validate(value)
        if len(value) > self.most:
            raise ValidationError(
                _("At most %(most)d can be given here.") % {"most": self.most}, code="too_many"
            )
        if any(len(key) > 200 for key in value):
            raise ValidationError(_("A key is longer than 200 characters."), code="too_long")


class ZoneField(KeysField):
    """The name of a time zone, picked by typing; whether there is one is for the command to say."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(url="/me/zones", multiple=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show the name as the one that is picked."""
        return [value] if isinstance(value, str) and value else value

    def clean(self, value: Any) -> str:
        """Return the one name.

        :raises ValidationError: there is none, or more than one.
        """
        return "".join(super().clean(value))


class WindowsWidget(forms.Widget):
    """Rows of start and end in the reader's zone; the island `fw-windows` adds and removes rows."""

    template_name = "ui/widgets/windows.html"
    use_fieldset = True
    zone = "UTC"
    single = False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Give the rows as the inputs take them; an empty one when there is none yet."""
        context = super().get_context(name, value, attrs)
        rows = [(_local(start, self.zone), _local(end, self.zone)) for start, end in value or ()] or [
            ("", "")
        ]
        context["widget"].update(rows=rows, zone=self.zone, single=self.single)
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[tuple[str, str]]:
        """Read the rows that hold anything."""
        many = isinstance(data, MultiValueDict)
        starts = data.getlist(f"{name}-start") if many else [data.get(f"{name}-start") or ""]
        ends = data.getlist(f"{name}-end") if many else [data.get(f"{name}-end") or ""]
        length = max(len(starts), len(ends))
        pairs = zip(starts + [""] * (length - len(starts)), ends + [""] * (length - len(ends)), strict=True)
        return [(start.strip(), end.strip()) for start, end in pairs if start.strip() or end.strip()]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Say whether the rows were sent at all."""
        return f"{name}-start" not in data

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        """Point the label and the error summary at the first start."""
        return f"{id_}_start_0" if id_ else ""


class WindowsField(forms.Field):
    """Half-open periods, typed at wall time in a zone, given as pairs of aware datetimes in UTC.

    A wall time that the clocks skip is refused; of one that they show twice the first is meant.
    Set `zone` (IANA) on the form's field before use: `form.fields["windows"].zone = zone`.
    """

    default_error_messages = {
        "half": gettext_lazy("Give both the start and the end."),
        "unreadable": gettext_lazy("%(value)s is no date and time; write it like 2026-11-24T21:00."),
        "order": gettext_lazy("The end must be later than the start."),
        "skipped": gettext_lazy("%(value)s does not exist in %(zone)s: the clocks go forward over it."),
    }

    def __init__(self, *, zone: str = "UTC", single: bool = False, most: int = 50, **kwargs: Any) -> None:
        super().__init__(widget=WindowsWidget(), **kwargs)
        self.most = most
        self.zone = zone
        self.widget.single = single

    @property
    def zone(self) -> str:
        """The IANA zone in which the rows are shown and read."""
        return self.widget.zone  # type: ignore[no-any-return]

    @zone.setter
    def zone(self, name: str) -> None:
        self.widget.zone = name

    def clean(self, value: Sequence[tuple[str, str]]) -> list[Window]:
        """Return the periods as pairs of UTC datetimes, in the order typed.

        :raises ValidationError: none though required, too many, half a row, unreadable, skipped,
            or out of order.
        """
        if not value:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return []
        if len(value) > self.most:
            raise ValidationError(
                _("At most %(most)d can be given here.") % {"most": self.most}, code="too_many"
            )
        return [self._period(start, end) for start, end in value]

    def _period(self, start: str, end: str) -> Window:
        if not (start and end):
            raise ValidationError(self.error_messages["half"], code="half")
        first, last = self._instant(start), self._instant(end)
        if last <= first:
            raise ValidationError(self.error_messages["order"], code="order")
        return first, last

    def _instant(self, text: str) -> datetime:
        try:
            wall = datetime.fromisoformat(text)
            if wall.tzinfo is not None:
                return wall.astimezone(UTC)
            at = wall.replace(tzinfo=zone_of(self.zone)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError(
                self.error_messages["unreadable"], code="unreadable", params={"value": text}
            ) from error
        if at.astimezone(zone_of(self.zone)).replace(tzinfo=None) != wall:
            raise ValidationError(
                self.error_messages["skipped"],
                code="skipped",
                params={"value": f"{wall:%Y-%m-%d %H:%M}", "zone": self.zone},
            )
        return at

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Say whether other periods were typed than stood there."""
        shown = [(_local(start, self.zone), _local(end, self.zone)) for start, end in initial or ()]
        return shown != [tuple(row) for row in data or ()]


def _local(value: datetime | str, zone: str) -> str:
    return value.astimezone(zone_of(zone)).strftime(LOCAL) if isinstance(value, datetime) else value
