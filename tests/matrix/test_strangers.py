"""Who is nobody to the product, or no longer somebody, gets nowhere."""

from __future__ import annotations

import pytest

from .calls import KNOWN, Call, on_both, problem, told
from .table import OPERATIONS
from .world import World, unwritten


# The frame looks a token up before anything else, by the same statement for every operation.
@pytest.mark.parametrize("name", on_both([name for name in KNOWN if not OPERATIONS[name].open]))
def test_without_a_valid_token_every_operation_answers_401(world: World, name: str) -> None:
    call = Call(name, world.north)
    tokens = {"that is missing": None, **world.north.tokens}
    with unwritten(world, name):
        for which, token in tokens.items():
            for query in ({}, {"dry_run": "true"}) if "dry_run" in call.operation.query else ({},):
                answer = call(token, query=query)
                assert answer.status_code == 401, f"a token {which}: {told(answer)}"
                assert problem(answer)["code"] == "unauthenticated"
                assert answer["WWW-Authenticate"] == "Bearer"
                assert not world.north.traces(answer.content), f"a token {which}"
