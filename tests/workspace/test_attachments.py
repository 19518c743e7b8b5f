"""Attached files: who may, what they are called and taken for, and that they never run in a browser."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from fairway.audit.commands import execute
from fairway.catalog.commands import EditItem
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from fairway.kernel.models import Blob
from fairway.workspace import commands
from fairway.workspace.commands import RemoveFile, attach
from fairway.workspace.models import Attachment
from fairway.workspace.rules.files import clean_name, media_type
from tests.support.company import Company
from tests.support.replay import replayed

Records = dict[str, str]
HX = {"HX-Request": "true"}


def put(by: Actor, content: bytes = b"words", name: str = "plan.txt") -> Attachment:
    attach(by, kind="item", subject="till", name=name, source=io.BytesIO(content))
    return Attachment.objects.latest("pk")


def test_attached_saved_and_removed(company: Company, records: Records, browser: Any, api: Any) -> None:
    rita, vera = browser(company.rita), browser(company.vera)
    chosen = [SimpleUploadedFile("../a/Plan é.txt", b"a plan"), SimpleUploadedFile("b.bin", b"\x00\x01")]
    form = {"kind": "item", "subject": "till", "file": chosen}
    panel = rita.post("/attachments", form, headers=HX)
    assert (panel.status_code, "Plan é.txt" in panel.content.decode()) == (200, True)
    first = Attachment.objects.get(name="Plan é.txt")
    saved = vera.get(f"/attachments/{first.uid}")
    assert saved.content == b"a plan"
    assert saved["Content-Disposition"].startswith("attachment; filename")
    assert saved["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in saved["Content-Security-Policy"]
    listed = api(company.vera)("get", "attachments?kind=item&subject=till").json()["items"]
    assert {one["name"]: one["media_type"] for one in listed} == {
        "Plan é.txt": "text/plain",
        "b.bin": "application/octet-stream",
    }
    assert browser(company.carl).get(f"/attachments/{first.uid}").status_code == 404
    assert vera.post(f"/attachments/{first.uid}/remove").status_code == 403
    gone = rita.post(f"/attachments/{first.uid}/remove", {"version": "1"}, headers=HX)
    assert "Plan é.txt</a>" not in gone.content.decode()
    assert vera.get(f"/attachments/{first.uid}").status_code == 404
    assert rita.post(f"/attachments/{first.uid}/remove").status_code == 409


def test_over_the_api(company: Company, records: Records, api: Any) -> None:
    rita = api(company.rita)
    body = {
        "kind": "item",
        "subject": "till",
        "name": "x.png",
        "content": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
    }
    made = rita("post", "attachments", body)
    assert (made.status_code, made.json()["media_type"]) == (201, "image/png")
    kept = rita("get", f"attachments/{made.json()['uid']}/content").json()
    assert kept["content"] == body["content"]
    assert rita("post", "attachments", {**body, "content": "no base64!"}).status_code == 422
    assert rita("post", "attachments", {**body, "content": ""}).status_code == 422
    assert rita("delete", f"attachments/{made.json()['uid']}", If_Match='"1"').json()["removed_at"]


def test_over_the_api_as_the_file_of_a_form(company: Company, records: Records, api: Any) -> None:
    def send(by: Actor, query: str = "", content: bytes = b"a plan", **fields: Any) -> Any:
        form = {"kind": "item", "subject": "till", "file": SimpleUploadedFile("plan.txt", content), **fields}
        return api(by).client.post(
            f"/api/v1/attachments{query}", form, headers={"Idempotency-Key": query or "a"}
        )

    tried = send(company.rita, "?dry_run=true")
    assert (tried.status_code, tried.json()["dry_run"], Blob.objects.count()) == (200, True, 0)
    made = send(company.rita)
    assert (made.status_code, made["ETag"], made.json()["name"]) == (201, '"1"', "plan.txt")
    again = send(company.rita)
    assert (again.json(), again["Idempotent-Replay"]) == (made.json(), "true")
    assert send(company.rita, content=b"other").status_code == 422  # another body under the same key
    assert Attachment.objects.count() == 1

    def refused(by: Actor, **fields: Any) -> Any:
        form = {"kind": "item", "subject": "till", "file": SimpleUploadedFile("a.txt", b"a"), **fields}
        return api(by).client.post(
            "/api/v1/attachments", {name: one for name, one in form.items() if one is not None}
        )

    assert refused(company.rita, name="named.txt").json()["name"] == "named.txt"
    for fields in ({"file": None}, {"kind": None}, {"subject": ""}, {"other": "x"}, {"name": "a\x00b"}):
        assert refused(company.rita, **fields).status_code == 422, fields
    assert refused(company.rita, file=SimpleUploadedFile("a.txt", b"")).status_code == 422
    assert refused(company.rita, subject="nowhere").status_code == 404
    assert refused(company.carl).status_code == 404
    assert refused(company.vera).status_code == 403


def test_the_log_replays_and_files_follow_their_record(company: Company, records: Records) -> None:
    with replayed():
        made = put(company.rita)
        execute(EditItem(item="till", organisation="cards"), actor=company.boss)
    assert Attachment.objects.get().organisation.slug == "cards"
    with pytest.raises(NotFound):
        execute(RemoveFile(attachment=str(made.uid)), actor=company.rita)
    execute(RemoveFile(attachment=str(made.uid)), actor=company.boss)
    assert Attachment.objects.get().blob is None


def test_who_may_not_attach_leaves_no_bytes(
    company: Company, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    for by, refusal in ((company.vera, Forbidden), (company.carl, NotFound)):
        with pytest.raises(refusal):
            put(by)
    with pytest.raises(Invalid, match="empty"):
        put(company.rita, b"")
    with pytest.raises(TooLarge):
        put(company.rita, b"x" * (10 * 2**20 + 1))
    assert Blob.objects.count() == 0
    monkeypatch.setattr(commands.attachments, "MOST", 1)
    put(company.rita)
    with pytest.raises(Conflict, match="the most"):
        put(company.rita, b"other")


def test_pictures_may_be_looked_at_but_nothing_that_runs(
    company: Company, records: Records, browser: Any
) -> None:
    vera = browser(company.vera)
    for content, name, inline in (
        (b"\x89PNG\r\n\x1a\n", "a.html", True),
        (b"<html><script>alert(1)</script>", "a.png", False),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg", False),
        (b"%PDF-1.7", "a.pdf", True),
    ):
        answer = vera.get(f"/attachments/{put(company.rita, content, name).uid}?show")
        assert answer["Content-Disposition"].startswith("inline" if inline else "attachment"), name
        assert "html" not in answer["Content-Type"]
        assert "svg" not in answer["Content-Type"]
        assert answer["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\plan.txt", "plan.txt"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        (".htaccess", "htaccess"),
        ("x" * 300 + ".txt", "x" * 146 + ".txt"),
        ("\x00", ""),
        ("/", ""),
    ],
)
def test_names(given: str, name: str) -> None:
    assert clean_name(given) == name


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"GIF89a..", "image/gif"),
        (b"RIFF....WEBP", "image/webp"),
        ("ü".encode()[:1], "text/plain"),
        (b"\xff\xfe", "application/octet-stream"),
        (b"PK\x03\x04", "application/zip"),
    ],
)
def test_kinds(head: bytes, kind: str) -> None:
    assert media_type(head) == kind
