"""The page that imports a table: choose, check, import."""

from __future__ import annotations

import base64
import io
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from fairway.accounts import queries as accounts
from fairway.accounts.web import actor_of, page
from fairway.exchange.commands import import_table
from fairway.exchange.kinds import KINDS
from fairway.exchange.reading import ENCODINGS
from fairway.exchange.report import Report
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Forbidden, Invalid, TooLarge

SIZE_LIMIT, ROW_LIMIT = 10_000_000, 5_000
SHOWN_PROBLEMS = 200
FIELDS = {"map": "mapping", "organisation": None}

KIND_WORDS = {
    "items": gettext_lazy("Configuration items"),
    "relations": gettext_lazy("Relations between items"),
    "redundancies": gettext_lazy("Redundancy: some of several are enough"),
    "changes": gettext_lazy("Changes"),
    "windows": gettext_lazy("Freezes and maintenance windows"),
}
RESULT_WORDS = {
    "created": gettext_lazy("created"),
    "updated": gettext_lazy("updated"),
    "unchanged": gettext_lazy("unchanged"),
    "refused": gettext_lazy("refused"),
    "skipped": gettext_lazy("left out"),
    "repeated": gettext_lazy("repeated"),
}
PLACES = {"items": "/items", "changes": "/changes", "windows": "/windows"}
RESULT_TONES = {"created": "ok", "updated": "info", "refused": "bad"}


class ImportForm(forms.Form):
    """What to import; `content` carries the checked file from the preview to the import."""

    kind = forms.ChoiceField(label=gettext_lazy("Import as"))
    file = forms.FileField(
        label=gettext_lazy("File"),
        error_messages={"required": gettext_lazy("Choose a file.")},
        help_text=gettext_lazy("CSV whose first line names the columns; up to 10 MB and 5,000 rows."),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
    )
    mapping = forms.CharField(
        label=gettext_lazy("Mapping"),
        required=False,
        strip=False,
        help_text=gettext_lazy(
            "Which column becomes which field, as YAML. Without it the columns carry the names of the fields."
        ),
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "class": "is-code"}),
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        required=False,
        choices=[
            ("", gettext_lazy("As the mapping says, else UTF-8")),
            *((name, name) for name in ENCODINGS),
        ],
    )
    content = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(required=False, widget=forms.HiddenInput, max_length=200)

    def __init__(self, *args: Any, kinds: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [(kind, KIND_WORDS[kind]) for kind in kinds]
        self.fields["file"].required = not self.data.get("content")

    def clean(self) -> dict[str, Any]:
        """Take the file sent now, or else the one that was checked before."""
        given = super().clean() or self.cleaned_data
        sent = given.get("file")
        if sent is not None and sent.size > SIZE_LIMIT:
            self.add_error(
                "file", _("The file has more than 10 MB; split it, or run fairway import on the server.")
            )
        elif sent is not None:
            given["table"], given["name"] = sent.read(), sent.name
        elif given.get("content"):
            try:
                given["table"] = base64.b64decode(given["content"], validate=True)
            except ValueError:  # binascii.Error, or a letter that base64 does not have
                self.add_error("file", _("Choose the file again."))
        return given


@page
@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """Show the form, check a file, or import the one that was checked."""
    actor = actor_of(request)
    assert actor is not None  # noqa: S101 - `page` sends strangers to the sign-in page
    kinds = permitted(actor)
    if not kinds:
        raise Forbidden(
            _("You may not import anything; it takes the permission catalog.import or changes.import.")
        )
    form = ImportForm(request.POST or None, request.FILES or None, kinds=kinds)
    report = None
    importing = request.method == "POST" and "import" in request.POST
    if request.method == "POST" and form.is_valid():
        report = _run(form, actor, dry_run=not importing)
    context = {
        "form": form,
        "report": report,
        "counts": _counts(report) if report else [],
        "rows": _rows(report) if report else [],
        "problems": report.problems[:SHOWN_PROBLEMS] if report else [],
        "more_problems": _unshown(report) if report else 0,
        "content": base64.b64encode(form.cleaned_data["table"]).decode() if report and not importing else "",
    }
    return render(
        request, "exchange/imports.html", context, status=422 if form.is_bound and form.errors else 200
    )


def permitted(actor: Actor) -> list[str]:
    """Return the kinds that the actor may import somewhere."""
    access = accounts.access(actor)
    return [name for name, kind in KINDS.items() if access.may(kind.permission, None)]


def _run(form: ImportForm, actor: Actor, *, dry_run: bool) -> Report | None:
    """Check or import the file; what is wrong with file or mapping is said at their fields."""
    given = form.cleaned_data
    try:
        return import_table(
            io.BytesIO(given["table"]),
            kind=given["kind"],
            actor=actor,
            mapping=given["mapping"] if given["mapping"].strip() else None,
            encoding=given["encoding"] or None,
            dry_run=dry_run,
            file=given["name"],
            most=ROW_LIMIT,
        )
    except (Invalid, TooLarge) as problem:
        in_mapping = problem.code == "exchange.mapping" and given["mapping"].strip()
        form.add_error("mapping" if in_mapping else "file", problem.detail)
        return None


def _counts(report: Report) -> list[dict[str, Any]]:
    found = [(name, getattr(report, name)) for name in RESULT_WORDS]
    return [
        {"label": RESULT_WORDS[name], "value": count, "tone": "bad" if name == "refused" else ""}
        for name, count in found
        if count or name in {"created", "refused"}
    ]


def _rows(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "number": row.row,
            "word": RESULT_WORDS[row.result],
            "tone": RESULT_TONES.get(row.result, ""),
            "key": row.key,
            "href": "" if report.dry_run or report.kind not in PLACES else f"{PLACES[report.kind]}/{row.key}",
            "values": ", ".join(f"{name}: {_told(value)}" for name, value in row.values.items()),
        }
        for row in report.sample
    ]


def _told(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _unshown(report: Report) -> int:
    return report.problems_left_out + max(len(report.problems) - SHOWN_PROBLEMS, 0)


urlpatterns = [path("administration/imports", imports, name="imports")]
