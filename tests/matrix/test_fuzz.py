"""The API is what its document says, whatever is sent: generated from the document, on every operation.

As somebody who may everything and as somebody who may nothing; on nonsense alone, on records that there are,
and on valid requests with one part of them spoilt.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fairway.accounts import limits

from .calls import DOCUMENT, FOUND, KNOWN
from .table import OPERATIONS, plain
from .world import World, undone

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STREAMS = {"GET events/stream"}
"""They do not end by themselves."""
FEW, MANY = 3, 300


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Keep the connection open, and its transaction, that requests would end with themselves."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def every_operation() -> dict[str, Any]:
    config = SchemathesisConfig()
    document = schemathesis.openapi.from_dict(dict(DOCUMENT), config=config)
    document.app = get_wsgi_application()
    found = {}
    for result in document.get_all_operations():
        one: Any = result.ok()  # type: ignore[union-attr]  # or the test fails
        found[f"{one.method.upper()} {one.path.removeprefix('/api/v1/')}"] = one
    return found


EVERY = every_operation()
FUZZED = [name for name in KNOWN if name not in STREAMS]


def sent(name: str, world: World) -> st.SearchStrategy[Any]:
    """Return requests to an operation: as its document has them and as it does not, on records there are."""
    operation, entry = EVERY[name], OPERATIONS[name]
    branch = world.north
    here = {part: plain(one) for part, one in entry.path(branch).items()}
    valid = plain(entry.body(branch))

    @st.composite
    def request(draw: Any) -> Any:
        mode = draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
        case: Any = draw(operation.as_strategy(mode))
        if here and draw(st.booleans()):
            case.path_parameters = dict(here)
        if isinstance(case.body, dict) and valid and draw(st.booleans()):
            taken = draw(st.sampled_from(sorted(case.body, key=str))) if case.body else None
            case.body = {**valid, **({taken: case.body[taken]} if taken is not None else {})}
        return case

    return request()


def fuzz(name: str, world: World, examples: int) -> None:
    tokens = (world.root.token, world.north.people["nobody"].token)

    @settings(
        max_examples=examples, derandomize=examples == FEW, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(case=sent(name, world))
    def check(case: Any) -> None:
        for token in tokens:
            case.headers = {
                **(case.headers or {}), "Authorization": f"Bearer {token}", "If-Match": "*",
            }  # fmt: skip
            limits.forget()
            with undone():
                answer = case.call()
            case.validate_response(answer, checks=CHECKS)

    check()


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", FUZZED)
def test_the_api_keeps_its_word(world: World, name: str) -> None:
    fuzz(name, world, FEW)


@pytest.mark.deep
@pytest.mark.parametrize("name", FUZZED)
def test_the_api_keeps_its_word_at_length(world: World, name: str) -> None:
    fuzz(name, world, int(os.environ.get("FUZZ_EXAMPLES", MANY)))


def test_every_operation_of_the_document_is_fuzzed() -> None:
    assert EVERY.keys() == FOUND.keys()
