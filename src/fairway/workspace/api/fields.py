"""Definitions of custom fields over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.kernel.listing import Column, Listing, ListQuery
from fairway.workspace import commands, queries
from fairway.workspace.commands import OptionBody
from fairway.workspace.models import FieldDefinition

SubjectName = Literal["item", "change", "environment", "window"]
TypeName = Literal[
    "text",
    "long_text",
    "number",
    "integer",
    "boolean",
    "date",
    "instant",
    "list",
    "multi_list",
    "user",
    "item",
    "link",
]


class KeyPath(msgspec.Struct):
    key: str


class FieldDefinitionView(msgspec.Struct, kw_only=True):
    """A field of records of a subject, in the branch of `organisation`; its key is `subject.name`.

    `kinds`: those of its subject that it is for; none: all. `viewers`, `editors`: the roles that see and set
    it; none: whoever sees or edits the record. `filterable`: lists take `custom.NAME=` and the like.
    """

    key: str
    uid: str
    subject: str
    name: str
    label: str
    help: str
    type: str
    organisation: RefView
    kinds: list[str]
    options: list[OptionBody]
    mandatory: bool
    default: Any
    minimum: float | None
    maximum: float | None
    viewers: list[str]
    editors: list[str]
    filterable: bool
    group: str
    position: int
    version: int
    created_at: datetime
    archived_at: datetime | None


class FieldDefinitionList(msgspec.Struct, kw_only=True):
    items: list[FieldDefinitionView]
    next: str | None
    count: int | UnsetType = UNSET


class FieldDefinitionPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON merge patch (RFC 7396); lists are replaced as a whole."""

    label: str | UnsetType = UNSET
    type: TypeName | UnsetType = UNSET
    help: str | UnsetType = UNSET
    kinds: list[str] | UnsetType = UNSET
    options: list[OptionBody] | UnsetType = UNSET
    mandatory: bool | UnsetType = UNSET
    default: Any = UNSET
    minimum: float | UnsetType | None = UNSET
    maximum: float | UnsetType | None = UNSET
    viewers: list[str] | UnsetType = UNSET
    editors: list[str] | UnsetType = UNSET
    filterable: bool | UnsetType = UNSET
    group: str | UnsetType = UNSET
    position: int | UnsetType = UNSET


class FieldOrder(msgspec.Struct, kw_only=True):
    """The names of the live fields of a subject, in their order."""

    fields: list[str]


class FieldQuery(ListQuery, kw_only=True):
    """Filters of the list of fields; `archived=true`: those put away."""

    subject: str = ""
    subject__in: str = ""
    type: str = ""
    organisation: str = ""
    archived: Literal["", "true", "false"] = ""


FIELDS = Listing(
    columns={
        "position": Column("position", "number", sorts=True),
        "key": Column("name", sorts=True),
        "subject": Column("subject", choices=tuple(queries.FIELD_SUBJECTS)),
        "type": Column("type"),
        "organisation": Column("organisation__slug"),
    },
    values=("pk",),
    sort="position",
)


def definition_view(row: FieldDefinition) -> FieldDefinitionView:
    same = (
        *("subject", "name", "label", "help", "type", "kinds", "mandatory", "default", "minimum", "maximum"),
        *("viewers", "editors", "filterable", "group", "position", "version", "created_at", "archived_at"),
    )
    return FieldDefinitionView(
        key=row.key,
        uid=str(row.uid),
        organisation=ref_view(row.organisation.ref()),
        options=[OptionBody(**option) for option in row.options],
        **{name: getattr(row, name) for name in same},
    )


def _definition(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.definition(controller.actor, key)
    location = f"/api/v1/field-definitions/{found.key}" if status == 201 else ""
    return controller.answer(definition_view(found), status=status, version=found.version, location=location)


class FieldDefinitionsController(ApiController):
    """Definitions of custom fields."""

    @operation("", FieldDefinitionList)
    def get(self, parsed_query: Query[FieldQuery]) -> HttpResponse:
        """List the fields that the caller may see somewhere, or configures."""
        found = queries.definitions(self.actor).filter(archived_at__isnull=parsed_query.archived != "true")
        page = FIELDS.page(found, msgspec.structs.replace(parsed_query, archived="", fields=""))
        rows = found.in_bulk([row["pk"] for row in page.rows])
        return self.page(page, [definition_view(rows[row["pk"]]) for row in page.rows])

    @operation("workspace.configure", FieldDefinitionView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateField], parsed_query: Query[DryRun]) -> HttpResponse:
        """Define a field; refused where records hold values by its name that do not fit."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _definition(self, outcome.subject.uid if outcome.subject else "", status=201)


class FieldDefinitionController(ApiController):
    """One definition of a custom field."""

    @operation("", FieldDefinitionView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a definition by key (`item.cost_centre`) or uid."""
        return _definition(self, parsed_path.key)

    @operation("workspace.configure", FieldDefinitionView, etag=True, dry_run=True)
    def patch(
        self,
        parsed_path: Path[KeyPath],
        parsed_body: Body[FieldDefinitionPatch],
        parsed_query: Query[DryRun],
    ) -> HttpResponse:
        """Change what is given; another type is refused while records hold values that it does not allow."""
        command = commands.EditField(
            field=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _definition(self, parsed_path.key)

    @operation("workspace.configure", FieldDefinitionView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Archive a field; records keep their values, and nobody sees them."""
        command = commands.ArchiveField(field=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _definition(self, parsed_path.key)


class RestoreFieldController(ApiController):
    """The step restore."""

    @operation("workspace.configure", FieldDefinitionView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Use an archived field again."""
        command = commands.RestoreField(field=parsed_path.key, version=self.expected(required=False))
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _definition(self, parsed_path.key)


class OrderFieldsController(ApiController):
    """The order of the fields of a subject."""

    @operation("workspace.configure", FieldOrder, dry_run=True)
    def post(self, parsed_body: Body[commands.OrderFields], parsed_query: Query[DryRun]) -> HttpResponse:
        """Put fields in an order; those that are not named follow."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        rows = queries.definitions(self.actor).filter(subject=parsed_body.subject, archived_at=None)
        return self.answer(
            FieldOrder(fields=list(rows.order_by("position", "pk").values_list("name", flat=True)))
        )


urls = [
    path("field-definitions", FieldDefinitionsController.as_view(), name="field-definitions"),
    path("field-definitions/order", OrderFieldsController.as_view(), name="field-order"),
    path("field-definitions/<str:key>", FieldDefinitionController.as_view(), name="field-definition"),
    path("field-definitions/<str:key>/restore", RestoreFieldController.as_view(), name="field-restore"),
]
