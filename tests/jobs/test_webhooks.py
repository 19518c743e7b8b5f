"""Webhooks: what is sent to whom, in which order, how often, and where nothing may be sent."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from fairway.accounts import webhooks
from fairway.accounts.commands import CreateTeam, EditTeam, GrantRole, RevokeRole, SetUserActive
from fairway.accounts.models import Grant, User
from fairway.accounts.webhooks import CreateWebhook, EditWebhook, ReplayWebhook, RotateSecret
from fairway.audit.commands import execute
from fairway.audit.queries import head, history
from fairway.environments.commands import CreateEnvironment
from fairway.jobs import sending
from fairway.jobs.commands import drain
from fairway.jobs.models import Delivery, Job, Webhook
from fairway.jobs.queries import webhooks_due
from fairway.jobs.sending import Unsendable, forbidden, objection, post, resolved
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid
from tests.jobs.receiver import Receiver, receiver
from tests.support.company import Company, actor

LATER = timedelta(days=2)


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let webhooks go to loopback, where the receiver is."""
    network = (ipaddress.ip_network("127.0.0.0/8"),)
    kept = dataclasses.replace(settings.CONFIGURATION, webhook_allow=network)
    monkeypatch.setattr(settings, "CONFIGURATION", kept)


@pytest.fixture
def there(allowed: None) -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def subscribe(
    there: Receiver, by: Actor, *, organisation: str = "retail", **more: Any
) -> tuple[Webhook, str]:
    outcome = execute(CreateWebhook(name="Hub", url=there.url, organisation=organisation, **more), actor=by)
    assert outcome.subject is not None
    return Webhook.objects.get(uid=outcome.subject.uid), outcome.answer


def team(slug: str, by: Actor, organisation: str = "retail") -> None:
    execute(CreateTeam(slug=slug, name=slug, organisation=organisation), actor=by)


def rename(slug: str, name: str, by: Actor) -> None:
    execute(EditTeam(team=slug, name=name), actor=by)


def work(*, later: bool = False) -> None:
    """Do what a worker would: look for news, run what is due."""
    if later:
        Delivery.objects.filter(status="pending").update(next_at=datetime.now(UTC))
    webhooks.feed(datetime.now(UTC))
    drain()


def bodies(there: Receiver) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in there.got]


def test_what_is_sent_is_signed_as_standard_webhooks_has_it_and_is_a_cloud_event(
    company: Company, there: Receiver
) -> None:
    hook, secret = subscribe(there, company.rita, commands=["accounts.team."])
    team("ops", company.rita)
    work()
    [request] = there.got
    event = Verifier(secret).verify(request.body, request.headers)
    assert request.path == "/hook"
    assert request.headers["content-type"].startswith("application/cloudevents+json")
    assert (event["specversion"], event["type"]) == ("1.0", "fairway.accounts.team.create")
    assert (event["subject"], event["id"]) == ("team/ops", str(head()[0]))
    assert event["data"] == json.loads(json.dumps(history(organisations=None, limit=1)[0]))
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(request.body + b" ", request.headers)
    sent = hook.deliveries.get()
    assert (sent.status, sent.attempts, sent.answer, sent.error) == ("sent", 1, 204, "")
    assert sent.milliseconds is not None


def test_a_secret_is_told_once_stored_sealed_and_can_be_made_anew(company: Company, there: Receiver) -> None:
    hook, secret = subscribe(there, company.rita)
    assert secret.startswith("whsec_")
    assert secret not in hook.secret
    told = str(history(organisations=None, limit=50))
    fresh = execute(RotateSecret(webhook=str(hook.uid)), actor=company.rita).answer
    assert secret not in told
    assert hook.secret not in told
    team("ops", company.rita)
    work()
    Verifier(fresh).verify(there.got[-1].body, there.got[-1].headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(there.got[-1].body, there.got[-1].headers)


def test_filters_and_the_branch_decide_what_is_sent(company: Company, there: Receiver) -> None:
    subscribe(there, company.boss, commands=["accounts.team.edit", "accounts.user."], organisation="retail")
    team("shop", company.boss, "shops")
    team("card", company.boss, "cards")
    rename("shop", "Shop floor", company.boss)
    rename("card", "Card floor", company.boss)
    work()
    assert [body["subject"] for body in bodies(there)] == ["team/shop"]
    assert webhooks_due(datetime.now(UTC)) == [], "all was looked at"


def test_nothing_is_sent_that_its_owner_may_not_see_any_more(company: Company, there: Receiver) -> None:
    hook, _ = subscribe(there, company.boss, organisation="group", commands=["accounts.team."])
    there.answer = lambda request: 500
    team("card", company.boss, "cards")
    work()
    assert len(there.got) == 1
    execute(GrantRole(role="administrator", organisation="retail", user="boss@example.org"), actor=SYSTEM)
    execute(GrantRole(role="administrator", organisation="group", user="carl@example.org"), actor=SYSTEM)
    whole = Grant.objects.get(user__email="boss@example.org", organisation__slug="group")
    execute(RevokeRole(grant=str(whole.uid)), actor=SYSTEM)
    there.answer = lambda request: 204
    work(later=True)
    assert "card" not in "".join(str(body["subject"]) for body in bodies(there)[1:])
    assert hook.deliveries.get(command="accounts.team.create").status == "withheld"
    execute(SetUserActive(user="boss@example.org", active=False), actor=SYSTEM)
    team("late", company.rita)
    work(later=True)
    hook.refresh_from_db()
    assert not hook.active
    assert "was deactivated" in hook.reason
    assert "late" not in str(there.got)


def test_nothing_is_sent_once_the_time_of_its_owner_is_over(company: Company, there: Receiver) -> None:
    """What waits for its next attempt is not sent either: the end is looked at when sending."""
    hook, _ = subscribe(there, company.rita, commands=["accounts.team."])
    there.answer = lambda request: 500
    team("before", company.rita)
    work()
    assert len(there.got) == 1
    there.answer = lambda request: 204
    ended = datetime.now(UTC) - timedelta(milliseconds=1)
    User.objects.filter(email="rita@example.org").update(valid_until=ended)  # an hour that passes, no command
    team("after", company.boss)
    work(later=True)
    hook.refresh_from_db()
    assert (len(there.got), hook.active) == (1, False)
    assert "is not valid any more" in hook.reason
    assert hook.deliveries.exclude(status="pending").count() == 0


def test_of_one_record_nothing_overtakes_and_others_go_on(company: Company, there: Receiver) -> None:
    hook, _ = subscribe(there, company.rita, commands=["accounts.team."])
    down = ["team/one"]
    there.answer = lambda request: 503 if json.loads(request.body)["subject"] in down else 200
    team("one", company.rita)
    rename("one", "First", company.rita)
    team("two", company.rita)
    work()
    assert [body["subject"] for body in bodies(there)] == ["team/one", "team/two"]
    waiting = hook.deliveries.filter(status="pending").order_by("sequence")
    assert [(one.attempts, one.error) for one in waiting] == [(1, "Answered 503."), (0, "")]
    work()
    assert len(there.got) == 2, "not before its time"
    down.clear()
    work(later=True)
    types = [body["type"] for body in bodies(there)[2:]]
    assert types == ["fairway.accounts.team.create", "fairway.accounts.team.edit"]
    first, again = there.got[0].headers["webhook-id"], there.got[2].headers["webhook-id"]
    assert first == again, "the same message, so that receivers know it"
    hook.refresh_from_db()
    assert hook.failing_since is None


def test_a_webhook_is_switched_off_after_days_of_failure_or_when_the_receiver_wants_no_more(
    company: Company, there: Receiver
) -> None:
    hook, _ = subscribe(there, company.rita)
    there.answer = lambda request: 500
    team("one", company.rita)
    work()
    Webhook.objects.update(failing_since=datetime.now(UTC) - timedelta(days=4))
    work(later=True)
    hook.refresh_from_db()
    assert not hook.active
    assert "Nothing could be delivered since" in hook.reason
    assert history(organisations=None, limit=1)[0]["command"] == "jobs.webhook.switch_off"
    with pytest.raises(Conflict, match="switched off"):
        execute(ReplayWebhook(webhook=str(hook.uid), after=0), actor=company.rita)
    execute(EditWebhook(webhook=str(hook.uid), active=True), actor=company.rita)
    there.answer = lambda request: 410
    work(later=True)
    hook.refresh_from_db()
    assert (hook.active, hook.reason) == (False, "The receiver answered 410: it wants no more.")


def test_an_event_is_given_up_after_its_last_attempt_and_can_be_had_again(
    company: Company, there: Receiver
) -> None:
    hook, _ = subscribe(there, company.rita, commands=["accounts.team."])
    after = head()[0]
    there.answer = lambda request: 500
    team("one", company.rita)
    work()
    hook.deliveries.update(attempts=11)
    work(later=True)
    assert hook.deliveries.get().status == "failed"
    there.answer = lambda request: 200
    execute(ReplayWebhook(webhook=str(hook.uid), after=after), actor=company.rita)
    work()
    sent = hook.deliveries.get()
    assert (sent.status, sent.attempts) == ("sent", 1)
    with pytest.raises(Invalid):
        execute(ReplayWebhook(webhook=str(hook.uid), after=10**6), actor=company.rita)


def test_a_test_is_sent_once_and_noted(company: Company, there: Receiver) -> None:
    hook, secret = subscribe(there, company.rita)
    there.answer = lambda request: 404
    execute(webhooks.TestWebhook(webhook=str(hook.uid)), actor=company.rita)
    drain()
    noted = hook.deliveries.get(sequence=None)
    assert (noted.status, noted.answer, noted.error) == ("failed", 404, "Answered 404.")
    assert Verifier(secret).verify(there.got[0].body, there.got[0].headers)["type"] == "fairway.test"


def test_one_row_in_the_list_of_jobs_however_much_is_sent(company: Company, there: Receiver) -> None:
    subscribe(there, company.rita, commands=["accounts.team."])
    for number in range(3):
        team(f"t{number}", company.rita)
        work()
    assert len(there.got) == 3
    assert Job.objects.filter(unique_key__startswith="webhook:").count() == 1


def test_who_may_not_send_is_refused_and_whoever_turns_a_webhook_elsewhere_answers_for_it(
    company: Company, there: Receiver
) -> None:
    with pytest.raises(Forbidden, match=r"jobs\.subscribe"):
        subscribe(there, company.vera)
    with pytest.raises(Forbidden, match="with this token"):
        subscribe(
            there, dataclasses.replace(company.rita, scopes=frozenset({"jobs.subscribe", "audit.view"}))
        )
    hook, _ = subscribe(there, company.boss)
    execute(EditWebhook(webhook=str(hook.uid), name="Renamed"), actor=company.rita)
    hook.refresh_from_db()
    assert hook.owner_id == company.boss.pk
    execute(EditWebhook(webhook=str(hook.uid), url="https://other.example/"), actor=actor("rita"))
    hook.refresh_from_db()
    assert hook.owner_id == company.rita.pk


# Where nothing may be sent ---------------------------------------------------------------------------------

PRIVATE = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",  # noqa: S104
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "::",
    "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "2002:7f00:1::", "2001:db8::1",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert forbidden(ipaddress.ip_address(address))
    shown = f"[{address}]" if ":" in address else address
    assert "public internet" in objection(f"https://{shown}/")


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111"])
def test_public_addresses_are_not(address: str) -> None:
    assert not forbidden(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "https://", "https:///path", "//example.org",
        "example.org",
        "https://user:word@example.org/", "https://user@example.org/", "https://example.org/#part",
        "https://example.org:0/", "https://example.org:99999/", "https://exa mple.org/",
        "https://example.org/\r\nX: y",
        "https://localhost/", "https://LOCALHOST./", "https://[::1/", "https://é.example/",
        "https://x.org/" + "a" * 500,
    ],
)  # fmt: skip
def test_addresses_that_are_none_are_refused(url: str) -> None:
    assert objection(url)


def fake_names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Answer look-ups one after the other, the last one for good; return what was looked up."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_of_which_any_address_is_private_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_names(monkeypatch, ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(Unsendable, match="public internet"):
        resolved("mixed.example", 443)


def test_a_name_that_is_looked_up_for_ever_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(30))
    begun = time.monotonic()
    with pytest.raises(Unsendable, match="was not found out within"):
        resolved("slow.example", 443, within=0.05)
    assert time.monotonic() - begun < 10
    ended.set()


def test_a_name_is_looked_up_once_and_that_address_is_used(
    monkeypatch: pytest.MonkeyPatch, there: Receiver
) -> None:
    """A second look-up would say another address: rebinding."""
    port = int(there.url.rpartition(":")[2].partition("/")[0])
    asked = fake_names(monkeypatch, ["127.0.0.1"], ["10.9.9.9"])
    answer = post(
        f"http://hook.example:{port}/x?y=1", b"{}", secret=sending.new_secret(), message="m", at=1.0
    )
    assert answer.status == 204
    assert asked == ["hook.example"]
    assert (there.got[0].path, there.got[0].headers["host"]) == ("/x?y=1", f"hook.example:{port}")


def test_a_redirect_is_told_and_not_followed(company: Company, there: Receiver) -> None:
    hook, _ = subscribe(there, company.rita, commands=["accounts.team."])
    with receiver() as inside:
        there.answer, there.location = lambda request: 307, inside.url
        team("one", company.rita)
        work()
        assert inside.got == []
    assert hook.deliveries.get().error == "Answered 307, a redirect, which is not followed."


@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x"),
    ],
    ids=["head", "body", "body up to the end of the connection"],
)
def test_an_answer_that_trickles_is_ended_in_time(
    allowed: None, monkeypatch: pytest.MonkeyPatch, begins: bytes, goes_on: bytes
) -> None:
    monkeypatch.setattr(sending, "TOTAL", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            taken, _ = server.accept()
            with taken:
                taken.sendall(begins)
                for _ in range(200):
                    try:
                        taken.sendall(goes_on)
                    except OSError:
                        return
                    time.sleep(0.02)

        thread = threading.Thread(target=trickle)
        thread.start()
        begun = time.monotonic()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(Unsendable, match="did not answer within"):
            post(url, b"{}", secret=sending.new_secret(), message="m", at=1.0)
        assert time.monotonic() - begun < 2
        thread.join()


def test_what_cdevents_has_a_type_for_is_sent_as_a_cdevent(company: Company, there: Receiver) -> None:
    _, secret = subscribe(there, company.rita, commands=["environments."])
    execute(
        CreateEnvironment(key="uat", name="Acceptance", tier="acceptance", organisation="retail"),
        actor=company.rita,
    )
    work()
    [request] = there.got
    event = Verifier(secret).verify(request.body, request.headers)
    told = json.loads(json.dumps(history(organisations=None, limit=1)[0]))
    assert event["type"] == told["type"] == "dev.cdevents.environment.created.0.2.0"
    assert (event["subject"], event["datacontenttype"]) == ("environment/uat", "application/cdevents+json")
    context, subject = event["data"]["context"], event["data"]["subject"]
    assert (context["id"], context["type"], context["source"]) == (
        event["id"],
        event["type"],
        event["source"],
    )
    assert (subject["id"], subject["content"]) == (
        "environment/uat", {"name": "Acceptance", "url": "/environments/uat"},
    )  # fmt: skip
    assert event["data"]["customData"] == told
