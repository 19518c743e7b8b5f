"""What the bank wants to know of its records beside what everybody does, and what it knows."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from fairway.demo.story import company, landscape

FIELDS: tuple[dict[str, Any], ...] = (
    {
        "subject": "item", "name": "cost_centre", "label": "Cost centre", "type": "text", "maximum": 8,
        "help": "Who pays, as finance numbers it.", "kinds": ["system", "database", "third-party"],
    },
    {
        "subject": "item", "name": "data_class", "label": "Class of data", "type": "list",
        "group": "Compliance", "help": "The most sensitive data that it holds.",
        "kinds": ["system", "database"],
        "options": [("public", "Public"), ("internal", "Internal"), ("confidential", "Confidential"),
                    ("secret", "Strictly confidential")],
    },
    {
        "subject": "item", "name": "regimes", "label": "Regimes", "type": "multi_list", "group": "Compliance",
        "help": "The rules that auditors ask about.", "kinds": ["system"],
        "options": [("pci-dss", "PCI DSS"), ("sox", "SOX"), ("psd2", "PSD2"), ("gdpr", "GDPR")],
    },
    {
        "subject": "item", "name": "recovery_hours", "label": "Recovery time", "type": "integer",
        "group": "Continuity", "help": "Hours within which it has to run again.", "minimum": 0,
        "maximum": 720, "kinds": ["system", "database"],
    },
    {
        "subject": "item", "name": "last_failover", "label": "Last fail-over test", "type": "date",
        "group": "Continuity", "kinds": ["system", "database"],
    },
    {
        "subject": "item", "name": "runbook", "label": "Runbook", "type": "link", "group": "Continuity",
        "help": "What to do at three in the morning.", "kinds": ["system"],
    },
    {
        "subject": "item", "name": "contract_until", "label": "Contract until", "type": "date",
        "group": "Contract", "kinds": ["third-party"],
    },
    {
        "subject": "item", "name": "yearly_cost", "label": "Yearly cost", "type": "number",
        "group": "Contract", "help": "In thousands of pounds.", "kinds": ["third-party"], "minimum": 0,
        "viewers": ["administrator", "change-manager"], "editors": ["administrator"],
    },
    {
        "subject": "change", "name": "vendor_ticket", "label": "Vendor’s ticket", "type": "text",
        "help": "Where a vendor asked for it or helps with it.",
    },
    {
        "subject": "change", "name": "customer_notice", "label": "Customers are told", "type": "boolean",
        "help": "By the status page, two days before.",
    },
    {
        "subject": "environment", "name": "data_as_of", "label": "Data as of", "type": "date",
        "help": "The day whose data it holds.", "group": "Data",
    },
    {
        "subject": "environment", "name": "masked", "label": "Data is masked", "type": "boolean",
        "group": "Data",
    },
)  # fmt: skip


def of_item(item: landscape.Item) -> dict[str, Any]:
    """Return what the bank knows of an item; the same each time."""
    number = crc32(item.key.encode())
    units = [unit.slug for unit in company.UNITS]
    found: dict[str, Any] = dict(item.attributes)
    if item.kind in {"system", "database", "third-party"}:
        found["cost_centre"] = f"{4000 + 10 * units.index(item.unit)}-{number % 10}"
    if item.kind in {"system", "database"}:
        sensitive = ("internal", "confidential", "confidential", "secret")
        found["data_class"] = sensitive[number % 4] if item.criticality <= 2 else "internal"
        found["recovery_hours"] = (2, 4, 24, 72)[item.criticality - 1]
        if item.criticality == 1:
            found["last_failover"] = f"2026-{1 + number % 9:02d}-{1 + number % 27:02d}"
    if item.kind == "system":
        found["runbook"] = f"https://runbooks.northgate.example/{item.key}"
        regimes = [("cards", "pci-dss"), ("finance", "sox"), ("payments", "psd2"), ("retail", "gdpr")]
        if kept := [regime for unit, regime in regimes if unit == item.unit]:
            found["regimes"] = kept
    if item.kind == "third-party":
        found["contract_until"] = f"20{27 + number % 4}-12-31"
        found["yearly_cost"] = 40 + number % 900
    return found


def of_place(place: landscape.Place) -> dict[str, Any]:
    if place.tier in {"production", "disaster_recovery", "development"}:
        return {}
    return {"data_as_of": "2026-10-31", "masked": place.tier != "staging"}


def hours_of(item: landscape.Item) -> str:
    """Return when an item is looked after."""
    if item.kind != "system":
        return ""
    return "24x7" if item.criticality == 1 else "mon-fri 07:00-19:00; sat 09:00-13:00 Europe/London"
