"""The values that records hold: whether a definition fits them, and what lists are filtered by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fairway.accounts import queries as accounts
from fairway.audit.commands import projection
from fairway.kernel.errors import Conflict
from fairway.workspace import queries
from fairway.workspace.commands.indexing import refresh
from fairway.workspace.models import FieldDefinition, FieldValue
from fairway.workspace.rules.fields import Definition, Fault, is_empty, read

SHOWN = 3
_Stored = tuple[int, int, str | None, float | None, datetime | None]
_COLUMNS = ("definition_id", "record", "text", "number", "instant")


def check_held(candidate: Definition) -> None:
    """Check that each value that records hold by this name can be read as the field wants it.

    :raises Conflict: some cannot; names a few of the records, and how many there are.
    """
    broken = [pk for pk, value in _held(candidate, branch=True) if _read(candidate, value) is None]
    if broken:
        table = queries.FIELD_SUBJECTS[candidate.subject].table()
        first = [str(row) for row in table._default_manager.filter(pk__in=broken[:SHOWN]).order_by("pk")]
        more = f" and {len(broken) - SHOWN:,} more" if len(broken) > SHOWN else ""
        raise Conflict(
            f"Records hold values of “{candidate.name}” that this does not allow: {', '.join(first)}{more}."
            " Change those first.",
            code="workspace.field.in-use",
        )


def _held(candidate: Definition, *, branch: bool = False) -> Iterator[tuple[int, Any]]:
    """Yield the values that records hold by a name; `branch`: only where the field holds."""
    what = queries.FIELD_SUBJECTS[candidate.subject]
    found = what.table()._default_manager.filter(**{f"{what.column}__has_key": candidate.name})
    if branch:
        found = found.filter(organisation_id__in=accounts.descendants(candidate.organisation))
        if candidate.kinds:
            found = found.filter(**{f"{what.kind}__in": sorted(candidate.kinds)})
    for pk, values in found.order_by("pk").values_list("pk", what.column).iterator(chunk_size=2_000):
        if not is_empty(values.get(candidate.name)):
            yield pk, values[candidate.name]


def _read(definition: Definition, value: Any) -> Any:
    """Return a value as it is stored, whatever the limits are now; None where it is none."""
    try:
        loose = replace(definition, minimum=None, maximum=None)
        return read(loose, value, present=[option.key for option in definition.options])
    except Fault:
        return None


@projection(*(one.model for one in queries.FIELD_SUBJECTS.values()))
def project_values(written: Sequence[Any]) -> None:
    """Bring the values that lists are filtered by up to date; writes only what differs."""
    for what in queries.FIELD_SUBJECTS.values():
        rows = {row.pk: row for row in written if row._meta.label == what.model}
        known = [one for one in queries.defined(what.name).values() if _kept(one)] if rows else []
        if not known:
            continue
        wanted = {
            stored
            for pk, row in rows.items()
            for definition in known
            for stored in _stored(definition, pk, getattr(row, what.column).get(definition.name))
        }
        _write(wanted, {"record__in": list(rows), "definition__in": [one.pk for one in known]})


@projection("workspace.FieldDefinition")
def project_definitions(written: Sequence[FieldDefinition]) -> None:
    """Fill the side table of a field that lists are filtered by from now on, or empty it."""
    for row in {one.pk: one for one in written}.values():
        definition = row.definition()
        held = _held(definition) if _kept(definition) else iter(())
        wanted = {stored for pk, value in held for stored in _stored(definition, pk, value)}
        _write(wanted, {"definition": definition.pk})
        _reindex(definition)


def _reindex(definition: Definition) -> None:
    """Let search find, or find no more, what records hold of a field."""
    names = queries.withheld(definition.subject)
    withheld = definition.name in names
    if withheld is not queries.withholds(definition):
        coming = names - {definition.name} if withheld else names | {definition.name}
        with queries.withholding(definition.subject, coming):
            refresh(definition.subject, [pk for pk, _ in _held(definition)])


def _kept(definition: Definition) -> bool:
    return definition.filterable and not definition.archived


def _stored(definition: Definition, record: int, value: Any) -> Iterator[_Stored]:
    """Yield the rows of the side table for a value: one, or one for each of several options."""
    found = None if is_empty(value) else _read(definition, value)
    for one in found if isinstance(found, list) else [] if found is None else [found]:
        column, stored = queries.column_of(definition.type, one)
        yield (
            definition.pk,
            record,
            stored if column == "text" else None,
            stored if column == "number" else None,
            stored if column == "instant" else None,
        )


def _write(wanted: set[_Stored], which: Mapping[str, Any]) -> None:
    there: set[_Stored] = set()
    gone = []
    for pk, *rest in FieldValue.objects.filter(**which).values_list("pk", *_COLUMNS):
        one: Any = tuple(rest)
        if one in wanted and one not in there:
            there.add(one)
        else:
            gone.append(pk)
    for start in range(0, len(gone), 500):
        FieldValue.objects.filter(pk__in=gone[start : start + 500]).delete()
    rows = [FieldValue(**dict(zip(_COLUMNS, one, strict=True))) for one in wanted - there]
    FieldValue.objects.bulk_create(rows, batch_size=1_000)
