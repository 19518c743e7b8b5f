"""The base of list pages: columns as one likes, many records edited at once, cells edited in place.

A context says once what its list is made of; its pages hand requests on to what is here. Everything runs the
same commands as the record's own form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairway.accounts import queries as accounts
from fairway.accounts.web import way_back
from fairway.audit.commands import Command, Outcome, Plan, execute, execute_many, preview_many
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, NotFound, Problem, Stale
from fairway.ui import toasts
from fairway.workspace import queries

MOST_AT_ONCE, AT_A_TIME = 1_000, 100
REASONS_SHOWN, KEYS_SHOWN = 5, 6


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `cell` gives what stands in it from a row, as text or safe HTML; `usual`: shown unasked.

    `zoned`: brief times stand in it, so that its head names the reader's zone.
    """

    name: str
    label: Any
    cell: Callable[[Mapping[str, Any]], Any]
    sort: str = ""
    numeric: bool = False
    style: str = ""
    usual: bool = True
    zoned: bool = False

    @property
    def less(self) -> bool:
        """Whether it is given up where the table is narrow."""
        return "is-less" in self.style


@dataclass(frozen=True, slots=True)
class Field:
    """What can be edited in place and for many: by choice, or as a line of text where there are none.

    `plain` gives the present value of a row as the form has it; `many`: for many records too.
    """

    name: str
    label: Any
    plain: Callable[[Mapping[str, Any]], str]
    choices: Callable[[Actor], Sequence[tuple[str, Any]]] | None = None
    many: bool = True


@dataclass(frozen=True, slots=True)
class Grid:
    """A list: `read` gives rows by key, in the order of the keys; `match` the keys that a query finds.

    `edit` makes the command that sets a field of a record, `archive` the one that takes it out of use.
    `undoable`: whether edits of one of the records can be taken back. A row may have `fixed`: fields that are
    not edited in it, None: all.
    """

    page: str
    path: str
    columns: Sequence[Column]
    fields: Sequence[Field] = ()
    permission: str = ""
    read: Callable[[Actor, str], Mapping[str, Any]] = field(default=lambda actor, key: {})
    match: Callable[[Actor, Mapping[str, str], int], list[str]] = field(default=lambda actor, query, most: [])
    edit: Callable[[str, str, str, int | None], Command] | None = None
    archive: Callable[[str], Command] | None = None
    undoable: Callable[[Sequence[str]], bool] = field(default=lambda keys: True)

    def shown(self, actor: Actor, asked: str) -> list[Column]:
        """Return the columns asked for in the address, else those chosen, else the usual ones."""
        known = {column.name: column for column in self.columns}
        wanted = asked.split(",") if asked else queries.columns_of(actor, self.page)
        found = [known[name] for name in dict.fromkeys(wanted) if name in known]
        return found or [column for column in self.columns if column.usual]

    def cells(
        self, columns: Sequence[Column], row: Mapping[str, Any], *, editable: bool
    ) -> list[dict[str, Any]]:
        fixed = row.get("fixed", ())
        names = {one.name for one in self.fields} - set(fixed) if editable and fixed is not None else set()
        return [
            {
                "html": column.cell(row),
                "style": f"{column.style} is-num".strip() if column.numeric else column.style,
                "label": "" if "is-title" in column.style or column.name == "key" else column.label,
                "edit": column.name if column.name in names else "",
            }
            for column in columns
        ]

    def context(
        self, request: HttpRequest, actor: Actor, rows: Sequence[Mapping[str, Any]], **more: Any
    ) -> dict[str, Any]:
        """Return what `workspace/grid.html` shows; each row has `key`, `href`, `version` and `place`.

        `more`: `label`, `next`, `total`; `also`: what exports ask for beside the address.
        """
        also = more.pop("also", {})
        columns = self.shown(actor, request.GET.get("columns", ""))
        chosen = [column.name for column in columns]
        others = [column for column in self.columns if column.name not in chosen]
        may = accounts.access(actor).may
        editing = bool(self.edit) and may(self.permission, None)
        query = request.GET.copy()
        for name in ("cursor", "view", "columns"):
            query.pop(name, None)
        return {
            **more,
            "page": self.page,
            "path": self.path,
            "columns": columns,
            "choice": [*((c, True) for c in columns), *((c, False) for c in others)],
            "rows": [
                {
                    "key": row["key"],
                    "href": row["href"],
                    "version": row["version"],
                    "cells": self.cells(
                        columns, row, editable=editing and may(self.permission, row.get("place"))
                    ),
                }
                for row in rows
            ],
            "editing": editing,
            "fields": [(one, one.choices(actor) if one.choices else None) for one in self.fields if one.many]
            if editing
            else [],
            "archives": editing and self.archive is not None,
            "query": query.urlencode(),
            "exports": [
                (word, f"/api/v1{self.path}?{_exported(query, form, also)}")
                for form, word in (("csv", "CSV"), ("xlsx", "XLSX"), ("ndjson", "NDJSON"))
            ],
            "span": len(columns) + editing,
        }

    def field_of(self, name: str) -> Field:
        """:raises Invalid: there is no such field to be edited here."""
        for one in self.fields:
            if one.name == name:
                return one
        raise Invalid.field("field", _("There is no field “%(name)s” to edit here.") % {"name": name[:40]})

    # A cell, in place

    def cell(self, request: HttpRequest, actor: Actor, key: str) -> HttpResponseBase:
        """Answer the cell of a field: as it is (`plain=1`), as a form, or what came of the form."""
        asked = request.POST or request.GET
        one = self.field_of(asked.get("field", ""))
        row = self.read(actor, key)
        text, error, status = one.plain(row), "", 200
        accounts.require(actor, self.permission, at=row.get("place"))
        if one.name in row.get("fixed", ()):
            raise Conflict(
                _("%(key)s is no draft any more: edit this on its form, which tells what becomes of consent.")
                % {"key": row["key"]},
                code="workspace.grid.fixed",
            )
        if request.method == "POST":
            text = asked.get("value", "")
            try:
                _version = asked.get("version", "")
                version = (
                    int(_version)
                    if _version.isascii() and _version.isdigit() and len(_version) < 10
                    else None
                )
                done = execute(self._edit(key, one, text, version), actor=actor)
            except Stale:
                error, status = self._moved(actor, row), 412
            except (Invalid, Conflict) as problem:
                error, status = (
                    (problem.errors[0].message if problem.errors else problem.detail),
                    problem.status,
                )
            else:
                response = self._plain(request, actor, self.read(actor, key), one)
                if done.sequence is not None:
                    told = _("%(key)s was saved.") % {"key": key}
                    toasts.put(response, told, undo=way_back(request) if row.get("undoable", True) else "")
                return response
        elif asked.get("plain"):
            return self._plain(request, actor, row, one)
        choices = one.choices(actor) if one.choices else None
        context = {
            "field": one,
            "choices": choices,
            "value": text,
            "error": error,
            "stale": status == 412,
            "row": row,
            "path": f"{self.path}/{row['key']}/cell",
            "column": next(column for column in self.columns if column.name == one.name),
        }
        return render(request, "workspace/cell.html", context, status=status)

    def _edit(self, key: str, one: Field, text: str, version: int | None) -> Command:
        if self.edit is None:
            raise Invalid.field("field", _("Nothing is edited here."))
        return self.edit(key, one.name, text, version)

    def _plain(self, request: HttpRequest, actor: Actor, row: Mapping[str, Any], one: Field) -> HttpResponse:
        column = next(column for column in self.columns if column.name == one.name)
        [shown] = self.cells([column], row, editable=True)
        return render(request, "workspace/cell_plain.html", {"cell": shown, "row": row, "saved": True})

    def _moved(self, actor: Actor, row: Mapping[str, Any]) -> str:
        """Say who changed the record meanwhile."""
        last = queries.last_edit(row["uid"])
        if last is None:
            return _("Somebody changed this meanwhile.")
        uid, at = last
        named = {"who": accounts.names([uid]).get(uid, "Fairway"), "when": accounts.words(actor).instant(at)}
        return _("%(who)s changed this meanwhile (%(when)s).") % named

    # Many at once

    def bulk(self, request: HttpRequest, actor: Actor) -> HttpResponseBase:
        """Say what an edit of many would do, or do it (`apply`), and go back to the list."""
        accounts.require(actor, self.permission, at=None)
        keys = self._keys(request.POST, actor)
        name = request.POST.get("field", "")
        value = request.POST.get(f"value-{name}", "")
        commands = self._commands(keys, name, value)
        back = self.path + (f"?{request.POST['query']}" if request.POST.get("query") else "")
        if request.POST.get("apply"):
            return self._apply(request, actor, commands, back)
        plans = list(preview_many(commands, actor=actor))
        context = {
            **_summary(keys, plans),
            "what": self._what(actor, name, value),
            "back": back,
            "fields": [
                (n, v)
                for n in request.POST
                if n not in ("csrfmiddlewaretoken", "apply")
                for v in request.POST.getlist(n)
            ],
            "path": self.path,
            "bare": bool(request.headers.get("HX-Request")),
        }
        template = "workspace/bulk.html" if context["bare"] else "workspace/bulk_page.html"
        return render(request, template, context)

    def _keys(self, given: QueryDict, actor: Actor) -> list[str]:
        if given.get("all"):
            query = dict(parse_qsl(given.get("query", "")))
            keys = self.match(actor, query, MOST_AT_ONCE + 1)
        else:
            keys = list(dict.fromkeys(given.getlist("key")))
        if not keys:
            raise Invalid.field("key", _("Pick at least one record."))
        if len(keys) > MOST_AT_ONCE:
            raise Invalid.field(
                "key",
                _("At most %(most)s records are edited at once; narrow the filters.")
                % {"most": f"{MOST_AT_ONCE:,}"},
            )
        return keys

    def _commands(self, keys: Sequence[str], name: str, value: str) -> list[Command]:
        if name == "archive" and self.archive is not None:
            return [self.archive(key) for key in keys]
        one = self.field_of(name)
        if not one.many:
            raise Invalid.field("field", _("This is edited one by one."))
        return [self._edit(key, one, value, None) for key in keys]

    def _what(self, actor: Actor, name: str, value: str) -> str:
        if name == "archive":
            return _("Archive")
        one = self.field_of(name)
        shown = dict(one.choices(actor)).get(value, value) if one.choices else value
        return format_html("{}: {}", one.label, shown or _("none"))

    def _apply(
        self, request: HttpRequest, actor: Actor, commands: Sequence[Command], back: str
    ) -> HttpResponseBase:
        answers = list(execute_many(commands, actor=actor, batch=AT_A_TIME))
        done = [one for one in answers if isinstance(one, Outcome) and one.sequence is not None]
        refused = [one for one in answers if isinstance(one, Problem)]
        if len(refused) == len(answers):
            raise refused[0]
        if done:
            text = ngettext("%(count)d record was changed.", "%(count)d records were changed.", len(done))
            keys = [one.subject.key for one in done if one.subject is not None]
            undo = way_back(request) if self.undoable(keys) else ""
            toasts.done(request, text % {"count": len(done)}, undo=undo)
        if refused:
            text = ngettext(
                "%(count)d was refused: %(why)s", "%(count)d were refused, such as: %(why)s", len(refused)
            )
            toasts.failed(request, text % {"count": len(refused), "why": refused[0].detail})
        if not done and not refused:
            toasts.done(request, _("All of them are so already."))
        return redirect(back)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _summary(keys: Sequence[str], plans: Sequence[Plan | Problem]) -> dict[str, Any]:
    """Return which records would change, which are so already, and which are refused for which reason."""
    changing: list[str] = []
    same: list[str] = []
    reasons: dict[str, list[str]] = {}
    for key, plan in zip(keys, plans, strict=True):
        if isinstance(plan, Problem):
            why = (
                _("There is no such record.") if isinstance(plan, NotFound) else plan.detail.replace(key, "…")
            )
            reasons.setdefault(why, []).append(key)
        elif any(_differs(row, values) for row, values in plan.change) or plan.create or plan.remove:
            changing.append(key)
        else:
            same.append(key)
    return {
        "changing": _some(changing),
        "same": _some(same),
        "refused": sum(map(len, reasons.values())),
        "reasons": [(why, _some(some)) for why, some in list(reasons.items())[:REASONS_SHOWN]],
    }


def _differs(row: Any, values: Mapping[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


def _some(keys: Sequence[str]) -> dict[str, Any]:
    return {"count": len(keys), "keys": keys[:KEYS_SHOWN], "more": len(keys) - KEYS_SHOWN}


def _exported(query: QueryDict, form: str, also: Mapping[str, str]) -> str:
    kept = [(name, value) for name, value in query.items() if name not in ("limit", "format", "tab")]
    return urlencode([*{**dict(kept), **also}.items(), ("format", form)])
