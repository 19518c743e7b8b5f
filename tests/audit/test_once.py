"""Idempotency keys: what is done once, what may be tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fairway.accounts.models import Team
from fairway.audit.commands import Attempt, Told, claim, execute
from fairway.audit.models import IdempotentRequest
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, Problem
from tests.audit.probes import Make
from tests.support.company import Company

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def begin(
    actor: Actor, *, key: str = "k", route: str = "/teams", request: bytes = b"one", later: float = 0
) -> Attempt:
    begun = claim(key, actor=actor, route=route, request=request, at=NOON + timedelta(seconds=later))
    assert isinstance(begun, Attempt)
    return begun


def test_the_first_answer_is_told_again(company: Company) -> None:
    begin(company.boss).tell(Told(201, {"ETag": '"1"'}, b"body"))
    told = claim("k", actor=company.boss, route="/teams", request=b"one", at=NOON + timedelta(hours=23))
    assert told == Told(201, {"ETag": '"1"'}, b"body")


def test_a_key_belongs_to_actor_and_route(company: Company) -> None:
    begin(company.boss).tell(Told(201, {}, b"body"))
    begin(company.rita)
    begin(company.boss, route="/users")


def test_another_request_under_the_key_is_refused(company: Company) -> None:
    begin(company.boss).tell(Told(201, {}, b"body"))
    with pytest.raises(Invalid, match="another request"):
        begin(company.boss, request=b"two")


def test_a_long_key_is_refused(company: Company) -> None:
    with pytest.raises(Invalid, match="200 characters"):
        begin(company.boss, key="k" * 201)


def test_a_key_is_forgotten_after_a_day(company: Company) -> None:
    begin(company.boss).tell(Told(201, {}, b"body"))
    begin(company.boss, request=b"two", later=24 * 3600 + 1)
    assert IdempotentRequest.objects.count() == 1


def test_a_repeat_waits_while_the_first_runs(company: Company) -> None:
    begin(company.boss)
    with pytest.raises(Conflict, match="still running") as caught:
        begin(company.boss, later=59)
    assert caught.value.code == "in-progress"


def test_what_was_given_up_may_be_tried_again_at_once(company: Company) -> None:
    begin(company.boss).give_up()
    begin(company.boss, request=b"two")


def test_a_silent_attempt_is_taken_over_and_can_no_longer_write(company: Company) -> None:
    dead = begin(company.boss)
    heir = begin(company.boss, later=61)
    with pytest.raises(Conflict, match="took over"):
        execute(Make(slug="ops"), actor=company.boss, attempt=dead)
    dead.give_up()
    dead.tell(Told(500, {}, b"late"))
    assert execute(Make(slug="ops"), actor=company.boss, attempt=heir).created
    heir.tell(Told(201, {}, b"body"))
    told = claim("k", actor=company.boss, route="/teams", request=b"one", at=NOON + timedelta(seconds=90))
    assert told == Told(201, {}, b"body")


def test_after_a_crash_between_write_and_answer_nothing_is_done_again(company: Company) -> None:
    first = execute(Make(slug="ops"), actor=company.boss, attempt=begin(company.boss))
    again = execute(Make(slug="ops"), actor=company.boss, attempt=begin(company.boss, later=1))
    assert Team.objects.filter(slug="ops").count() == 1
    assert again.repeated
    assert (again.sequence, again.subject, again.created) == (first.sequence, first.subject, True)


def test_what_failed_left_no_outcome(company: Company) -> None:
    attempt = begin(company.boss)
    with pytest.raises(Problem):
        execute(Make(slug="ops", refuse=True), actor=company.boss, attempt=attempt)
    attempt.give_up()
    assert not IdempotentRequest.objects.exists()
