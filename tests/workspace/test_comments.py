"""Comments: whoever sees a record reads them, words are kept, and nobody puts words into another's mouth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fairway.accounts.commands import EditUser, GrantRole
from fairway.accounts.models import User
from fairway.audit.commands import execute, preview
from fairway.catalog.commands import EditItem
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from fairway.ui.markdown import html, mentions
from fairway.workspace import queries
from fairway.workspace.commands import CreateComment, EditComment, WithdrawComment
from fairway.workspace.models import Comment
from tests.support.company import Company, actor
from tests.support.replay import replayed

Records = dict[str, str]


def say(by: Actor, text: str, *, kind: str = "item", subject: str = "till") -> str:
    execute(CreateComment(kind=kind, subject=subject, text=text), actor=by)
    return str(Comment.objects.latest("pk").uid)


def key_of(name: str) -> str:
    return User.objects.get(email=f"{name}@example.org").key


def test_every_kind_of_record_takes_comments_and_the_log_replays(company: Company, records: Records) -> None:
    with replayed():
        for kind, key in records.items():
            uid = say(company.rita, f"About {kind}, @{key_of('vera')}", kind=kind, subject=key)
            execute(EditComment(comment=uid, text=f"Better, @{key_of('rita')}"), actor=company.rita)
            execute(WithdrawComment(comment=uid), actor=company.boss)
    assert Comment.objects.count() == len(records)


def test_a_comment_is_read_altered_and_withdrawn(company: Company, records: Records, api: Any) -> None:
    rita, vera = api(company.rita), api(company.vera)
    body = {"kind": "item", "subject": "till", "text": "See @" + key_of("vera") + " **now**"}
    made = rita("post", "comments", body)
    assert made.status_code == 201, made.content
    told = made.json()
    assert told["subject"]["key"] == "till"
    assert "<strong>now</strong>" in told["html"]
    assert "@Vera</span>" in told["html"]
    assert [one["name"] for one in told["mentions"]] == ["Vera"]
    assert vera("get", f"comments/{told['uid']}").json() == told
    listed = vera("get", "comments?kind=item&subject=till").json()["items"]
    assert [one["uid"] for one in listed] == [told["uid"]]

    assert rita("patch", f"comments/{told['uid']}", {"text": "Later"}).status_code == 428
    changed = rita("patch", f"comments/{told['uid']}", {"text": "Later"}, If_Match=made["ETag"])
    assert (changed.json()["text"], changed.json()["mentions"]) == ("Later", [])
    assert changed.json()["edited_at"]
    assert rita("patch", f"comments/{told['uid']}", {"text": "x"}, If_Match=made["ETag"]).status_code == 412
    gone = rita("delete", f"comments/{told['uid']}", If_Match=changed["ETag"])
    assert (gone.json()["text"], gone.json()["html"]) == ("", "")
    assert gone.json()["withdrawn_at"]
    assert rita("patch", f"comments/{told['uid']}", {"text": "x"}, If_Match="*").status_code == 409


def test_a_repeat_under_the_same_key_says_it_once(company: Company, records: Records, api: Any) -> None:
    rita = api(company.rita)
    body = {"kind": "item", "subject": "till", "text": "Once"}
    first, second = (rita("post", "comments", body, Idempotency_Key="k1") for _ in range(2))
    assert first.json() == second.json()
    assert Comment.objects.count() == 1


def test_who_may(company: Company, records: Records) -> None:
    uid = say(company.rita, "Mine")
    with pytest.raises(Forbidden, match=r"workspace\.comment"):
        say(company.vera, "A viewer")
    with pytest.raises(NotFound):
        say(company.carl, "Of another branch")
    for command in (EditComment(comment=uid, text="x"), WithdrawComment(comment=uid)):
        with pytest.raises(NotFound):
            execute(command, actor=company.carl)
        with pytest.raises(Forbidden):
            execute(command, actor=company.vera)
    with pytest.raises(Forbidden, match="who wrote it"):
        execute(EditComment(comment=uid, text="x"), actor=company.boss)
    execute(GrantRole(role="requester", organisation="retail", user="vera@example.org"), actor=SYSTEM)
    with pytest.raises(Forbidden, match="administrator"):
        execute(WithdrawComment(comment=uid), actor=actor("vera"))
    execute(WithdrawComment(comment=uid), actor=company.boss)
    with pytest.raises(Conflict, match="withdrawn"):
        execute(WithdrawComment(comment=uid), actor=company.rita)


def test_comments_move_with_their_record(company: Company, records: Records, api: Any) -> None:
    uid = say(company.rita, "Moves")
    execute(EditItem(item="till", organisation="cards"), actor=company.boss)
    assert Comment.objects.get().organisation.slug == "cards"
    assert api(company.carl)("get", f"comments/{uid}").status_code == 200
    assert api(company.rita)("get", f"comments/{uid}").status_code == 404
    assert api(company.rita)("get", "comments").json()["items"] == []
    assert [row["uid"] for row in api(company.carl)("get", "comments").json()["items"]] == [uid]


@pytest.mark.parametrize(
    ("case", "text", "said"),
    [
        ("nothing", "  \n ", "needs words"),
        ("too long", "x" * 20_001, "20,000"),
        ("somebody who is not", "@USR-999999", "USR-999999"),
        ("a control character", "a\x00", "U\\+0000"),
    ],
)
def test_a_comment_is_refused(company: Company, records: Records, case: str, text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        preview(CreateComment(kind="item", subject="till", text=text), actor=company.rita)


def test_whom_one_does_not_see_cannot_be_named(company: Company, records: Records) -> None:
    with pytest.raises(Invalid, match="nobody active"):
        say(company.rita, f"@{key_of('carl')}")
    execute(EditUser(user="vera@example.org", name="Vera <b>"), actor=company.boss)
    uid = say(company.rita, f"@[Her old name]({key_of('vera')})")
    people = queries.mentioned([Comment.objects.get(uid=uid).uid])
    shown = html(Comment.objects.get(uid=uid).text, people=next(iter(people.values())))
    assert "@Vera &lt;b&gt;</span>" in shown
    assert "old name" not in shown


def test_an_address_typed_by_hand_is_a_mention_where_that_person_may_be_named(
    company: Company, records: Records
) -> None:
    uid = say(
        company.rita,
        "@vera@example.org and Vera@Example.org; `vera@example.org`, carl@example.org, x@nowhere.example.",
    )
    said = Comment.objects.get(uid=uid)
    vera = key_of("vera")
    assert said.text == (f"@{vera} and @{vera}; `vera@example.org`, carl@example.org, x@nowhere.example.")
    assert list(queries.mentioned([said.uid])[said.uid]) == [vera]


def test_two_who_edit_at_once(company: Company, records: Records) -> None:
    uid = say(company.rita, "One")
    execute(EditComment(comment=uid, text="Two", version=1), actor=company.rita)
    with pytest.raises(Stale):
        execute(EditComment(comment=uid, text="Three", version=1), actor=company.rita)


@pytest.mark.parametrize(
    ("case", "text", "named"),
    [
        ("bare", "ask @USR-7, or @USR-8.", ["USR-7", "USR-8"]),
        ("with a name", "ask @[Fiona (Ops) MacRae](USR-7)", ["USR-7"]),
        ("in code", "`@USR-7`\n\n    @USR-8\n\n```\n@USR-9\n```", []),
        ("in an address", "me@USR-7 or x@[a](USR-8)", []),
        ("a link to somebody is no mention", "[a](USR-7) [@USR-8](https://x.example)", []),
        ("twice", "@USR-7 @USR-7", ["USR-7"]),
        ("no such number", "@USR-0 @USR-07 @USR-", []),
        ("escaped", r"\@[a](USR-7x) @USR-7x", []),
    ],
)
def test_mentions(case: str, text: str, named: list[str]) -> None:
    assert mentions(text) == named, case


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&colon;alert(1))",
        "![x](https://evil.example/p.png)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<a href='javascript:alert(1)'>x</a>",
        "[x](https://e.example 'a\" onmouseover=\"alert(1)')",
        "```<b onclick=x>\n</b>```",
        "@[<img onerror=x>](USR-7)",
    ],
)
def test_what_is_typed_never_becomes_live(text: str) -> None:
    shown = html(text, people={"USR-7": "<i>"}).lower()
    for bad in ("<script", "<img", "<b ", "<i>", 'href="javascript', 'href="data', "<a href='"):
        assert bad not in shown
    assert " onmouseover=" not in shown.replace("&quot; onmouseover=&quot;", "")


@pytest.mark.parametrize("text", ["[" * 20_000, "> " * 10_000, "*a_" * 6_000, "![[" * 6_000, "`" * 20_000])
def test_no_words_keep_the_server_busy(text: str) -> None:
    assert len(html(text)) < 200_000


def test_a_thread_takes_as_many_statements_for_many_as_for_few(
    company: Company, records: Records, api: Any, django_assert_num_queries: Callable[..., Any]
) -> None:
    vera = api(company.vera)
    for many in (1, 5):
        for number in range(many):
            say(company.rita, f"More {number} @{key_of('vera')}")
        vera("get", "comments?kind=item&subject=till")  # finds anew what the caller may
        with django_assert_num_queries(5):
            vera("get", "comments?kind=item&subject=till")
