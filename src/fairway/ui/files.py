"""Answers that are taken along: a list as a file."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext as _

from fairway.kernel.errors import Invalid
from fairway.kernel.exporting import separated


def table(rows: Sequence[msgspec.Struct], *, name: str, form: str) -> HttpResponse:
    """Answer rows of one type as a file of this name; `form`: csv or json.

    :raises Invalid: there is no such form.
    """
    columns = rows[0].__struct_fields__ if rows else ()
    if form == "json":
        response = HttpResponse(msgspec.json.encode({"items": rows}), content_type="application/json")
    elif form == "csv":
        told = b"".join(separated([rows], columns, mark=True))
        response = HttpResponse(told, content_type="text/csv; charset=utf-8")
    else:
        raise Invalid.field("format", _("The list comes as csv or json."))
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response
