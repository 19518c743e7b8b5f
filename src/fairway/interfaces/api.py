"""The pipeline's question over the API."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Query

from fairway.accounts.web import ApiController, FindingView, RefView, decision_view, operation
from fairway.audit import queries as audit
from fairway.interfaces.commands import AskDecision
from fairway.interfaces.decisions import decision
from fairway.kernel.actor import Actor
from fairway.kernel.period import parse_instant
from fairway.policy import Decision


class DecideQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """May `action` be done to `system` in `environment`, under `change`, `at` an instant (or now)?"""

    action: str
    system: str
    environment: str
    change: str = ""
    version: str = ""
    at: str = ""


class DecisionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`next_open`: when it will not be denied; `next_close`: until when it stays open; `point_of_no_return`:
    the last instant at which going back still ends in time, where the change says how long it takes. In UTC.
    """

    verdict: str
    at: datetime | None
    subject: RefView
    target: RefView
    findings: list[FindingView]
    next_open: datetime | None
    next_close: datetime | None
    point_of_no_return: datetime | None


def _answer(asked: DecideQuery | AskDecision, found: Decision, actor: Actor) -> DecisionAnswer:
    told = decision_view(found, actor)
    return DecisionAnswer(
        verdict=told.verdict,
        at=told.at,
        subject=RefView(kind="item", key=asked.system),
        target=RefView(kind="environment", key=asked.environment),
        findings=told.findings,
        next_open=told.next_open,
        next_close=told.next_close,
        point_of_no_return=told.point_of_no_return,
    )


class DecideController(ApiController):
    """May this be done, there, then; if not, why not?"""

    @operation("decisions.ask", DecisionAnswer)
    def get(self, parsed_query: Query[DecideQuery]) -> HttpResponse:
        """Answer, and keep nothing."""
        at = parse_instant(parsed_query.at) if parsed_query.at else self.at
        with audit.steady(self.actor.revisions):  # read a moment ago, with the token
            found = decision(parsed_query, actor=self.actor, at=at)
        return self.answer(_answer(parsed_query, found, self.actor))

    @operation("decisions.ask", DecisionAnswer)
    def post(self, parsed_body: Body[AskDecision]) -> HttpResponse:
        """Answer, and keep question and answer: what a pipeline does."""
        outcome = self.run(parsed_body)
        found = outcome.answer
        if found is None:  # a repeat under the same Idempotency-Key after the first answer was lost
            at = parse_instant(parsed_body.at) if parsed_body.at else self.at
            found = decision(parsed_body, actor=self.actor, at=at)
        return self.answer(_answer(parsed_body, found, self.actor))


urls = [path("decide", DecideController.as_view(), name="decide")]
