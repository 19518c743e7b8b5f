"""One story through every door: an idea, a conflict said before the first save, a vote, a pipeline."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.live import Client, Live

pytestmark = pytest.mark.race  # a real server, hence not among the quick tests

NOW = datetime.now(UTC).replace(microsecond=0)


def window(start: datetime, hours: int) -> dict[str, str]:
    return {"start": start.isoformat(), "end": (start + timedelta(hours=hours)).isoformat()}


def person(live: Live, admin: Client, name: str, role: str) -> Client:
    email = f"{name}@fairway.example"
    admin.create("users", {"email": email, "name": name.title(), "organisation": "company"})
    admin.create("grants", {"role": role, "organisation": "company", "user": email})
    token = live.fairway("token", "create", email).stdout.strip()
    return live.client_of(token)


def act(client: Client, key: str, verb: str, **body: object) -> None:
    answer = client.ask("POST", f"changes/{key}/{verb}", body)
    assert answer.status == 200, answer.text


def may_deploy(live: Live, *arguments: str) -> tuple[int, str]:
    done = live.fairway(
        "may", "deploy", "payments-api", *arguments,
        check=False, FAIRWAY_SERVER=live.address, FAIRWAY_TOKEN=live.token,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_change_from_idea_to_deployment(live: Live) -> None:
    admin = live.client()
    admin.create("items", {"key": "ledger-db", "name": "Ledger database", "kind": "database"})
    admin.create("items", {"key": "payments-api", "name": "Payments API", "kind": "system"})
    admin.create("relations", {"source": "payments-api", "target": "ledger-db", "kind": "depends-on"})
    for key, tier, control in (("prod", "production", "controlled"), ("dev", "development", "open")):
        admin.create("environments", {"key": key, "name": key, "tier": tier, "control": control})
        for item in ("payments-api", "ledger-db"):
            admin.create("instances", {"item": item, "environment": key})
    rita = person(live, admin, "rita", "requester")
    ivan = person(live, admin, "ivan", "implementer")
    anna = person(live, admin, "anna", "approver")

    # The other change works on the database that ours depends on; a draft already says so.
    night = window(NOW - timedelta(hours=1), 4)
    other = {
        "title": "Patch the ledger",
        "items": ["ledger-db"],
        "environments": ["prod"],
        "windows": [night],
    }
    patch = admin.create("changes", other)["key"]
    idea = {
        "title": "Payments API 2.3", "items": ["payments-api"], "environments": ["prod"], "windows": [night],
        "implementers": ["ivan@fairway.example"],
    }  # fmt: skip
    tried = rita.ask("POST", "changes?dry_run=true", idea).json()["decision"]
    assert [(f["rule"], f["severity"]) for f in tried["findings"]] == [("claims.related_item", "warn")]
    assert patch in tried["findings"][0]["message"]
    assert tried["findings"][0]["path"] == ["payments-api", "ledger-db"]
    assert [row["key"] for row in rita.get("changes")["items"]] == [patch], "a dry run stores nothing"

    ours = rita.create("changes", idea)["key"]
    code, words = may_deploy(live, "dev")
    assert code == 0, words
    code, words = may_deploy(live, "prod", "--change", ours)
    assert (code, "denied" in words) == (3, True), words

    act(rita, ours, "submit")
    digest = anna.get(f"changes/{ours}")["digest"]
    vote = {"choice": "approve", "digest": digest}
    assert rita.ask("POST", f"changes/{ours}/vote", vote).status == 403
    refused = admin.ask("POST", f"changes/{patch}/vote", vote)
    assert refused.status in {403, 409}, "nobody votes on what they asked for, administrators included"
    act(anna, ours, "vote", **vote)
    assert rita.get(f"changes/{ours}")["state"] == "scheduled"

    code, words = may_deploy(live, "prod", "--change", ours)
    assert code == 0, words
    assert patch in words, "the warning stands beside the yes"

    # A freeze says no, to the pipeline and to the step alike, in the same words.
    freeze = {
        "name": "Year-end freeze", "kind": "hard_freeze", "zone": "UTC",
        "starts_at": (NOW - timedelta(hours=2)).isoformat(),
        "ends_at": (NOW + timedelta(days=20)).isoformat(),
    }  # fmt: skip
    made = admin.create("windows", freeze)
    code, words = may_deploy(live, "prod", "--change", ours, "--json")
    assert code == 3, words
    told = {f["rule"]: f for f in json.loads(words)["findings"]}["calendars.freeze"]
    start = ivan.ask("POST", f"changes/{ours}/start", {})
    assert start.status == 409, start.text
    assert told["message"] in [f["message"] for f in start.json()["findings"]]
    asked = admin.get(f"decide?action=deploy&system=payments-api&environment=prod&change={ours}")
    assert told["message"] in [f["message"] for f in asked["findings"]]

    gone = admin.ask("DELETE", f"windows/{made['key']}", **{"If-Match": "*"})
    assert gone.status in {200, 204}, gone.text
    act(ivan, ours, "start")
    assert may_deploy(live, "prod", "--change", ours)[0] == 0
    act(ivan, ours, "complete", outcome="successful")
    assert may_deploy(live, "prod", "--change", ours)[0] == 3

    assert "whole" in live.fairway("audit", "verify").stdout
    checkpoint = live.folder / "checkpoint.json"
    live.fairway("audit", "checkpoint", "--out", str(checkpoint))
    assert live.fairway("audit", "verify", "--checkpoint", str(checkpoint), check=False).returncode == 0


WRONG = (
    (("nix",), 1, "There is no environment “nix”."),
    (("prod", "--at", "tomorrow"), 2, "“tomorrow” is not an instant"),
    (("prod", "--change", "CHG-99"), 1, "There is no change “CHG-99”."),
)


def test_may_deploy_tells_what_is_wrong(live: Live) -> None:
    admin = live.client()
    admin.create("items", {"key": "payments-api", "name": "Payments API", "kind": "system"})
    prod = {"key": "prod", "name": "prod", "tier": "production", "control": "controlled"}
    admin.create("environments", prod)
    for arguments, code, words in WRONG:
        got, said = may_deploy(live, *arguments)
        assert (got, words in said) == (code, True), said
