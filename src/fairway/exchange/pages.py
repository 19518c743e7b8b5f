"""The pages that import: send a file, lay it out, see what would change, import, follow it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from fairway.accounts import parts
from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.audit.commands import execute
from fairway.exchange import commands, queries
from fairway.exchange import mapping as maps
from fairway.exchange.adapters import ADAPTERS
from fairway.exchange.commands import CancelImport, PutMapping
from fairway.exchange.entries import Options
from fairway.exchange.guessing import chosen_in, guessed, written
from fairway.exchange.kinds import KINDS
from fairway.exchange.models import ImportRun
from fairway.exchange.reading import ENCODINGS
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, TooLarge
from fairway.ui import toasts

SHOWN: Final = 50

KIND_WORDS = {
    "items": gettext_lazy("Configuration items"),
    "relations": gettext_lazy("Relations between items"),
    "redundancies": gettext_lazy("Redundancy: some of several are enough"),
    "builds": gettext_lazy("Builds, with their artefacts by digest"),
    "changes": gettext_lazy("Changes"),
    "windows": gettext_lazy("Freezes and maintenance windows"),
    "holidays": gettext_lazy("Holidays of a working calendar"),
    "environments": gettext_lazy("Environments"),
    "environment-groups": gettext_lazy("Environment groups: used together as one lane"),
    "environment-links": gettext_lazy("Environment links: one is taken with another"),
    "backstage": gettext_lazy("Backstage catalogue (catalog-info.yaml)"),
    "kubernetes": gettext_lazy("Kubernetes manifests"),
    "compose": gettext_lazy("Docker compose file"),
}
RESULT_WORDS = {
    "created": gettext_lazy("created"),
    "updated": gettext_lazy("updated"),
    "unchanged": gettext_lazy("unchanged"),
    "refused": gettext_lazy("refused"),
    "skipped": gettext_lazy("left out"),
    "repeated": gettext_lazy("repeated"),
    "drift": gettext_lazy("drift"),
}
FORECAST_WORDS = {**RESULT_WORDS, "created": gettext_lazy("new"), "updated": gettext_lazy("changed")}
RESULT_TONES = {"created": "ok", "updated": "info", "refused": "bad"}
STATE_MARKS = {
    "new": "draft",
    "checking": "implementing",
    "checked": "scheduled",
    "importing": "implementing",
    "done": "closed",
    "failed": "rejected",
    "cancelled": "cancelled",
}
PLACES = {"items": "/items", "changes": "/changes", "windows": "/windows", "holidays": "/working-calendars"}


class ImportForm(forms.Form):
    """What to import: a file, or rows that are pasted."""

    kind = forms.ChoiceField(label=gettext_lazy("Import as"))
    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        help_text=gettext_lazy(
            "CSV, XLSX, JSON, NDJSON, YAML or iCalendar; large ones are worked on behind the scenes."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.json,.ndjson,.jsonl,.yaml,.yml,.ics"}),
    )
    text = forms.CharField(
        label=gettext_lazy("Or paste rows"),
        required=False,
        strip=False,
        max_length=1_000_000,
        help_text=gettext_lazy("CSV whose first line names the columns; for landscapes the YAML itself."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "is-code"}),
    )
    saved = forms.ChoiceField(
        label=gettext_lazy("Mapping"),
        required=False,
        help_text=gettext_lazy(
            "Which column becomes which field; you can also choose that in the next step."
        ),
    )
    mapping = forms.CharField(
        label=gettext_lazy("Mapping as YAML"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "is-code"}),
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        required=False,
        choices=[
            ("", gettext_lazy("As file and mapping say, else UTF-8")),
            *((name, name) for name in ENCODINGS),
        ],
    )
    sheet = forms.CharField(
        label=gettext_lazy("Sheet"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Of a workbook; the first one when empty."),
    )
    header = forms.IntegerField(
        label=gettext_lazy("Header row"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text=gettext_lazy("Of a sheet; the first one that is not empty when not said."),
    )

    def __init__(self, *args: Any, kinds: list[str], saved: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (
            ("kind", [(kind, KIND_WORDS[kind]) for kind in kinds]),
            ("saved", [("", _("None yet")), *saved]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not given.get("file") and not given.get("text", "").strip() and "file" not in self.errors:
            self.add_error("file", _("Choose a file, or paste rows."))
        return given


@page
@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """Show the form and the imports so far, or take a file."""
    actor = caller(request)
    kinds = queries.permitted(actor)
    if not kinds:
        raise Forbidden(
            _("You may not import anything; it takes the permission catalog.import or changes.import.")
        )
    saved = [(str(one.uid), f"{one.name} ({KIND_WORDS[one.what]})") for one in queries.mappings(actor)]
    chosen = {"kind": request.GET.get("kind", "")}
    form = ImportForm(request.POST or None, request.FILES or None, kinds=kinds, saved=saved, initial=chosen)
    if request.method == "POST" and form.is_valid():
        made = _taken(form, actor)
        if made is not None:
            return redirect(f"/administration/imports/{made.uid}")
    query = queries.ImportQuery(cursor=request.GET.get("cursor", ""), limit=20)
    past = queries.import_page(actor, query)
    context = {
        "form": form,
        "runs": [_listed(row) for row in past.rows],
        "next": past.next,
        "tabs": parts.tabs(actor, "imports"),
    }
    return render(
        request, "exchange/imports.html", context, status=422 if form.is_bound and form.errors else 200
    )


@page
@require_http_methods(["GET", "POST"])
def import_run(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one import: its layout, what would change or was done, how far it is; or take the next step."""
    actor = caller(request)
    accounts.require(actor, "catalog.view", at=None)
    run = queries.import_run(actor, uid)
    wrong = ""
    if request.method == "POST":
        try:
            _step(request, actor, run)
            return redirect(f"/administration/imports/{run.uid}")
        except Invalid as problem:
            wrong = problem.detail
            run = queries.import_run(actor, uid)
    return render(
        request, "exchange/run.html", _run_context(request, actor, run, wrong), status=422 if wrong else 200
    )


def _taken(form: ImportForm, actor: Actor) -> ImportRun | None:
    """Keep what was sent, and check it where its columns are clear; None: the form says what is wrong."""
    given = form.cleaned_data
    file = given["file"]
    mapping = given["mapping"] if given["mapping"].strip() else None
    at = datetime.now(UTC)
    kind = given["kind"]
    try:
        if mapping is None and given["saved"]:
            mapping = queries.mapping(actor, given["saved"]).text
        if mapping is not None and kind in KINDS:
            maps.parse(mapping, kind=kind, fields=KINDS[kind].fields)
        pasted = "pasted.csv" if kind in KINDS else "pasted.yaml"
        options = Options(
            kind=kind,
            mapping=mapping,
            encoding=given["encoding"] or None,
            sheet=given["sheet"] or None,
            header=given["header"],
            file=file.name if file else pasted,
        )
        source = file.file if file else io.BytesIO(given["text"].encode())
        kept = commands.keep(source, options, actor=actor, at=at)
        clear = mapping is not None or kind in ADAPTERS or _plain(kept)
        return commands.begin(kept, actor=actor, at=at, dry_run=True) if clear else kept
    except (Invalid, TooLarge) as problem:
        in_mapping = problem.code == maps.MALFORMED and given["mapping"].strip()
        form.add_error("mapping" if in_mapping else "file" if file else "text", problem.detail)
        return None


def _plain(run: ImportRun) -> bool:
    """Say whether the columns carry the names of the fields."""
    kind = KINDS[run.what]
    try:
        maps.plain(run.layout["columns"], kind=kind.name, fields=kind.fields)
    except Invalid:
        return False
    return True


def _step(request: HttpRequest, actor: Actor, run: ImportRun) -> None:
    """Do what a button of the page asks for.

    :raises Invalid: the mapping cannot be used.
    """
    does, at = request.POST.get("do", ""), datetime.now(UTC)
    if does == "cancel":
        execute(CancelImport(run=str(run.uid)), actor=actor)
    elif does == "import":
        commands.begin(run, actor=actor, at=at, dry_run=False)
    elif does in {"columns", "yaml", "check"}:
        mapping = None
        if does == "yaml":
            mapping = request.POST.get("mapping", "")
        elif does == "columns" and run.what in KINDS:
            mapping = _chosen(request, run)
        name = request.POST.get("name", "").strip()
        if name and mapping and run.what in KINDS:
            execute(
                PutMapping(name=name, kind=run.what, text=mapping, organisation=run.organisation.slug),
                actor=actor,
            )
            toasts.done(request, _("The mapping “%(name)s” was saved.") % {"name": name})
        commands.begin(run, actor=actor, at=at, dry_run=True, mapping=mapping)
    else:
        raise Conflict(_("There is no such step; load the page again."), code="exchange.import.step")


def _chosen(request: HttpRequest, run: ImportRun) -> str:
    """Return the mapping that the selects of the page make."""
    columns = run.layout.get("columns", [])
    chosen: dict[str, str] = {}
    for number, column in enumerate(columns):
        name = request.POST.get(f"column-{number}", "")
        if not name:
            continue
        if name in chosen.values():
            raise Invalid.field(
                "map", _("Two columns become the field %(name)s; choose one.") % {"name": name}
            )
        chosen[column] = name
    fixed = {
        name: request.POST.get(f"fixed-{name}", "").strip()
        for name in KINDS[run.what].fields
        if request.POST.get(f"fixed-{name}", "").strip() and name not in chosen.values()
    }
    return written(run.what, chosen, fixed, like=run.options.get("mapping"))


def _run_context(request: HttpRequest, actor: Actor, run: ImportRun, wrong: str) -> dict[str, Any]:
    state, error = queries.standing(run)
    result = request.GET.get("result", "")
    result = result if result in RESULT_WORDS else ""
    after = request.GET.get("cursor", "")
    inside = queries.looks_into(actor, run)
    begin = int(after) if after.isdigit() and len(after) < 18 else 0
    found = queries.lines(run, result=result, after=begin, limit=SHOWN + 1) if inside else []
    words = RESULT_WORDS if run.begun else FORECAST_WORDS
    may = accounts.access(actor).may(queries.permission_of(run.what), run.organisation_id)
    living = state in queries.LIVING
    stopped = run.begun and state in {"failed", "cancelled", "importing"} and not (living and run.job)
    counted = sum(count for name, count in run.counts.items() if name in RESULT_WORDS)
    return {
        "run": run,
        "title": run.file or _("Import"),
        "kind": KIND_WORDS[run.what],
        "state": (STATE_MARKS[state], str(ImportRun.State(state).label)),
        "living": living and run.job is not None,
        "error": wrong or error,
        "notes": run.notes[:100] if inside else [],
        "size": _size(run.size),
        "counts": [
            {"label": words[name], "value": run.counts.get(name, 0), "tone": RESULT_TONES.get(name, "")}
            for name in RESULT_WORDS
            if run.counts.get(name) or name in {"created", "updated", "refused"}
        ]
        if counted
        else [],
        "tabs": [
            {"label": _("All"), "href": "?", "current": not result, "count": counted},
            *(
                {
                    "label": words[name],
                    "href": f"?result={name}",
                    "current": result == name,
                    "count": run.counts[name],
                }
                for name in RESULT_WORDS
                if run.counts.get(name)
            ),
        ],
        "rows": [_line(line, words, run) for line in found[:SHOWN]],
        "next": str(found[SHOWN - 1]["id"]) if len(found) > SHOWN else None,
        "may_check": may and not (living and run.job) and state != "done" and not run.begun,
        "may_import": may and state == "checked" and counted > run.counts.get("refused", 0),
        "may_go_on": may and stopped,
        "may_cancel": may and (living or stopped),
        "may_list": bool(queries.permitted(actor)),
        "begun": run.begun,
        "outcome": _outcome(run),
        "builder": _builder(run) if inside and run.what in KINDS and run.layout.get("columns") else None,
        "mapping": run.options.get("mapping") or "",
    }


def _builder(run: ImportRun) -> dict[str, Any]:
    """Return the columns with what they become, for the selects."""
    kind = KINDS[run.what]
    columns: list[str] = run.layout["columns"]
    chosen = chosen_in(run.options.get("mapping")) or guessed(columns, kind.fields)
    names = [name for name in kind.fields if not name.endswith(".*")]
    free = any(name.endswith(".*") for name in kind.fields)
    rows = []
    for number, column in enumerate(columns):
        own = chosen.get(column, "")
        options = [*names, *([own] if own and own not in names else [])]
        attribute = f"attributes.{column.strip().lower().replace(' ', '_')[:60]}"
        if free and attribute not in options and column not in names:
            options.append(attribute)
        values = [row[number] for row in run.layout["rows"] if number < len(row) and row[number].strip()]
        rows.append(
            {
                "name": f"column-{number}",
                "column": column,
                "samples": list(dict.fromkeys(values))[:3],
                "options": [{"name": one, "current": one == own} for one in options],
            }
        )
    return {
        "rows": rows,
        "fixed": [
            {"name": name, "help": field.help}
            for name, field in kind.fields.items()
            if field.required and name not in chosen.values()
        ],
    }


def _outcome(run: ImportRun) -> str:
    refused = run.counts.get("refused", 0)
    if not refused:
        return _("Every row can be stored.")
    return ngettext(
        "%(n)s row is refused and stays out; the others are stored.",
        "%(n)s rows are refused and stay out; the others are stored.",
        refused,
    ) % {"n": f"{refused:,}"}


def _line(line: dict[str, Any], words: dict[str, Any], run: ImportRun) -> dict[str, Any]:
    stored = run.begun and line["result"] in {"created", "updated", "unchanged"}
    place = PLACES.get(run.what, "/items" if line["key"] and "source" not in line["values"] else "")
    return {
        "place": line["place"] or line["row"],
        "word": words[line["result"]],
        "tone": RESULT_TONES.get(line["result"], ""),
        "key": line["key"],
        "href": f"{place}/{line['key']}"
        if place and (stored or line["result"] in {"updated", "unchanged"})
        else "",
        "changes": line["changes"],
        "faults": [
            {"where": column or field, "message": message}
            for column, field, message, _place in line["faults"]
        ],
        "values": ""
        if line["changes"]
        else ", ".join(f"{name}: {_told(value)}" for name, value in line["values"].items()),
    }


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    counts, words = row["counts"], RESULT_WORDS if row["begun"] else FORECAST_WORDS
    told = [f"{counts[name]:,} {word}" for name, word in words.items() if counts.get(name)]
    return {
        "href": f"/administration/imports/{row['uid']}",
        "file": row["file"],
        "kind": KIND_WORDS[row["what"]],
        "state": (STATE_MARKS[row["state"]], str(ImportRun.State(row["state"]).label)),
        "living": row["state"] in queries.LIVING,
        "position": row["position"],
        "total": row["total"],
        "counts": ", ".join(told),
        "who": row["user__name"] or "Fairway",
        "at": row["created_at"],
    }


def _told(value: Any) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _size(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB" if count >= 100_000 else f"{count / 1_000:,.1f} kB"


urlpatterns = [
    path("administration/imports", imports, name="imports"),
    path("administration/imports/<str:uid>", import_run, name="import"),
]
