"""What the API library leaves open: an answer that is one of several shapes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from dmr.plugins.msgspec import MsgspecSerializer
from dmr.plugins.msgspec.schema import MsgspecSchemaGenerator
from dmr.serializer import SchemaDef


def rows_of(view: type[msgspec.Struct]) -> Any:
    """Return the shape of a list's row: the fields of the record's view, or those that `fields=` picked."""
    fields: list[tuple[str, Any, Any]] = [
        (field.name, field.type | msgspec.UnsetType, msgspec.UNSET) for field in msgspec.structs.fields(view)
    ]
    name = view.__name__.removesuffix("View") + "Row"
    shape = msgspec.defstruct(name, fields, kw_only=True, module=view.__module__)
    shape.__doc__ = "A row of a list: all its fields, or those that `fields=` picked."
    return shape


def list_of(view: type[msgspec.Struct]) -> Any:
    """Return the shape of a list's page: rows of this view, where to go on, the total where it was asked."""
    name = view.__name__.removesuffix("View") + "List"
    row: Any = rows_of(view)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("items", list[row]),
        ("next", str | None),
        ("count", int | msgspec.UnsetType, msgspec.UNSET),
    ]
    return msgspec.defstruct(name, fields, kw_only=True, module=view.__module__)


def _structs(model: Any) -> tuple[Any, ...]:
    """Return the members of a union of structs, which msgspec alone takes only when they are tagged."""
    if get_origin(model) not in {Union, UnionType}:
        return ()
    members = get_args(model)
    return members if sum(isinstance(m, type) and issubclass(m, msgspec.Struct) for m in members) > 1 else ()


class SchemaGenerator(MsgspecSchemaGenerator):
    @classmethod
    def get_schema(cls, model: Any, ref_template: str, *, used_for_response: bool = False) -> SchemaDef:
        members = _structs(model)
        if not members:
            return super().get_schema(model, ref_template, used_for_response=used_for_response)
        schemas, components = msgspec.json.schema_components(members, ref_template=ref_template + "{name}")
        return {"anyOf": list(schemas)}, components

    @classmethod
    def schema_name(cls, model: Any) -> str | None:
        """Return a name; asked several times for each shape, and found by making the whole schema."""
        return None if _structs(model) else _name(model)


@cache
def _name(model: Any) -> str | None:
    return MsgspecSchemaGenerator.schema_name(model)


class Serializer(MsgspecSerializer):
    schema_generator = SchemaGenerator

    @classmethod
    def from_python(
        cls,
        unstructured: Any,
        model: Any,
        *,
        strict: bool | None,
        extra_namespace: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read plain values as the model; of several shapes the first that fits.

        :raises msgspec.ValidationError: none fits.
        """
        members = _structs(model)
        for member in members[:-1]:
            try:
                return super().from_python(
                    unstructured, member, strict=strict, extra_namespace=extra_namespace
                )
            except msgspec.ValidationError:
                continue
        last = members[-1] if members else model
        return super().from_python(unstructured, last, strict=strict, extra_namespace=extra_namespace)
