"""The changes that show something: conflicts of each kind, work in progress, what waits for whoever looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from fairway.demo.story import company, work
from fairway.demo.story.calendar import Span
from fairway.demo.story.planned import Clash, Planned
from fairway.demo.story.teller import ITEMS, Teller


def special(teller: Teller) -> tuple[list[Planned], list[Clash]]:
    """Return the work that is there to show something, and the conflicts it shows."""
    works = {kind.slug: kind for kind in work.WORKS}
    release, switch, index = works["release"], works["switch"], works["index"]
    patch, failover, middleware = works["database-patch"], works["failover"], works["middleware"]
    prod = ("prod",)
    same, related = "claims.same_item", "claims.related_item"
    planned: list[Planned] = []
    clashes: list[Clash] = []

    def plan(
        kind: work.Work,
        title: str,
        items: str,
        places: tuple[str, ...],
        span: Span,
        fate: str,
        lead: float = 0,
        **more: Any,
    ) -> str:
        listed = tuple(items.split())
        change = Planned(
            ITEMS[listed[0]].unit,
            kind,
            listed,
            places,
            span,
            title=title,
            fate=fate,
            lead=lead,
            **more,
        )
        named = replace(change, name=f"{kind.slug} of {listed[0]} {len(planned)}")
        planned.append(teller.book(named))
        return named.name

    def clash(rule: str, *parties: str) -> None:
        clashes.append(Clash(rule, parties))

    on = teller.slot_on
    # One item, one night
    clash(
        same,
        plan(
            release,
            "Deploy Payments API {version}: requests to pay",
            "payments-api payments-api.webhooks",
            prod,
            on(3, 3, 22, 3),
            "scheduled",
        ),
        plan(
            switch,
            "Turn on signed webhooks in Payments API",
            "payments-api",
            prod,
            on(3, 3, 23, 0.5),
            "scheduled",
        ),
    )
    clash(
        same,
        plan(
            patch,
            "Install the quarterly patches on Mortgage servicing database",
            "mortgage-servicing-db",
            prod,
            on(5, 4, 19, 4),
            "scheduled",
            25,
        ),
        plan(
            index,
            "Add an index for overdue items to Mortgage servicing database",
            "mortgage-servicing-db",
            prod,
            on(5, 4, 20, 2),
            "authorising",
            12,
            downtime=None,
        ),
    )
    clash(
        same,
        plan(
            release,
            "Deploy Core ledger {version}: balances by currency",
            "core-ledger core-ledger.ledger-online",
            prod,
            on(6, 3, 2, 3),
            "scheduled",
            28,
        ),
        plan(
            release,
            "Deploy Core ledger {version}: posting by value date",
            "core-ledger core-ledger.batch-scheduler",
            prod,
            on(6, 3, 3, 2),
            "authorising",
            14,
        ),
    )
    clash(
        same,
        plan(
            release,
            "Deploy FX trading {version}: limits before the order",
            "fx-trading fx-trading.pricing-engine",
            prod,
            on(5, 8, 9, 4, company.SINGAPORE),
            "scheduled",
        ),
        plan(
            index,
            "Add an index for the morning report to FX trading database",
            "fx-trading-db fx-trading",
            prod,
            on(5, 8, 11, 2, company.SINGAPORE),
            "authorising",
        ),
    )
    clash(
        same,
        plan(
            release,
            "Deploy Mobile banking API {version}: sign in with a passkey",
            "mobile-app-api",
            prod,
            on(3, 7, 2, 2),
            "scheduled",
        ),
        plan(
            switch,
            "Turn on card freeze in Mobile banking API",
            "mobile-app-api",
            prod,
            on(3, 7, 3, 0.5),
            "draft",
        ),
    )
    # Through the graph: a database or a platform below
    clash(
        related,
        plan(
            patch,
            "Install the quarterly patches on Identity provider database",
            "identity-db",
            prod,
            on(1, 3, 1, 2),
            "scheduled",
            24,
        ),
        plan(
            release,
            "Deploy Web banking {version}: search in transactions",
            "web-banking web-banking.web-front",
            prod,
            on(1, 3, 2, 2),
            "scheduled",
        ),
    )
    clash(
        related,
        plan(
            index,
            "Add an index for customer look-ups to Credit decision engine database",
            "credit-decision-db",
            prod,
            on(2, 5, 21, 2),
            "scheduled",
        ),
        plan(
            release,
            "Deploy Credit decision engine {version}: income from open banking",
            "credit-decision",
            prod,
            on(2, 5, 22, 2),
            "scheduled",
        ),
    )
    clash(
        related,
        plan(
            middleware,
            "Upgrade Message bus to {version}",
            "message-bus",
            prod,
            on(5, 9, 18, 5),
            "scheduled",
            30,
        ),
        plan(
            release,
            "Deploy Trade capture {version}: new holiday calendars",
            "trade-capture",
            prod,
            on(5, 9, 20, 2),
            "authorising",
        ),
    )
    # Against the calendar
    clash(
        "calendars.freeze",
        plan(
            release,
            "Deploy Core ledger {version}: interest by day",
            "core-ledger",
            prod,
            on(6, 18, 2, 3),
            "scheduled",
            40,
        ),
    )
    clash(
        "calendars.freeze",
        plan(
            release,
            "Deploy Customer onboarding {version}: joint accounts",
            "onboarding",
            ("uat",),
            on(2, 11, 10, 3),
            "scheduled",
            38,
        ),
    )
    close = teller.planner_next("Quarter close")
    clash(
        "calendars.freeze",
        plan(
            release,
            "Deploy General ledger {version}: ledger close a day earlier",
            "general-ledger general-ledger.close-engine",
            prod,
            close,
            "authorising",
        ),
    )
    clash(
        "calendars.freeze",
        plan(
            switch,
            "Turn on stress test scenarios in General ledger",
            "general-ledger",
            prod,
            (close[0] + timedelta(days=1), close[0] + timedelta(days=1, minutes=30)),
            "draft",
            freeze_reason="The supervisor wants the scenarios in this quarter’s figures.",
        ),
    )
    clash(
        "calendars.outside_maintenance",
        plan(
            release,
            "Deploy Payments hub {version}: structured addresses",
            "payments-hub payments-hub.routing",
            prod,
            on(3, 5, 21, 2),
            "authorising",
        ),
    )
    # In progress, and what the person to sign in as has before them
    hour = teller.now.replace(minute=0, second=0, microsecond=0)
    current = (hour - timedelta(hours=2), hour + timedelta(hours=5))
    robin: dict[str, Any] = {
        "requester": company.DEMO.email,
        "owner": company.DEMO.email,
        "implementers": (company.DEMO.email,),
    }
    live_place = "prod" if teller.free(("content-studio",), prod, current) else "sit1"
    plan(
        release,
        "Deploy Content studio {version}: a calmer start page",
        "content-studio",
        (live_place,),
        current,
        "implementing",
    )
    plan(
        works["refresh"], "Refresh the test data of Treasury", "treasury", ("perf",), current, "implementing"
    )
    plan(
        release,
        "Deploy Build and delivery {version}: shorter cold starts",
        "build-farm",
        ("dev",),
        current,
        "implementing",
        **robin,
    )
    ahead = next(
        span for after in range(2, 30) if teller.free(("observability",), prod, span := on(1, after, 22, 2))
    )
    plan(
        release,
        "Deploy Observability {version}: tracing across calls",
        "observability",
        prod,
        ahead,
        "scheduled",
        **robin,
    )
    plan(
        middleware,
        "Upgrade Service mesh to {version}",
        "service-mesh",
        prod,
        on(2, 32, 21, 4),
        "draft",
        **robin,
    )
    plan(
        release,
        "Deploy Document store {version}: retention by class of data",
        "document-store",
        ("sit2",),
        on(0, -8, 10, 2),
        "reviewing",
        **robin,
    )
    plan(
        failover,
        "Switch Broker portal to the second data centre and back",
        "broker-portal broker-portal-db",
        ("staging",),
        on(2, 12, 10, 4),
        "held",
    )
    return planned, clashes
