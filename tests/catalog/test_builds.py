"""Builds: registered once, looked up by digest, judged, and seen by their branch alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.accounts.commands import CreateOrganisation
from fairway.audit.commands import Outcome, convert, execute
from fairway.catalog import queries
from fairway.catalog.commands import (
    ArchiveBuild,
    ArtefactFacts,
    CreateItem,
    EditBuild,
    EditItem,
    RegisterBuild,
)
from fairway.catalog.models import Artefact, Build
from fairway.catalog.rules import builds as rules
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from tests.support.committed import together

from .conftest import Company

Make = Callable[..., str]
ONE, TWO = "sha256:" + "a1" * 32, "sha256:" + "b2" * 32


def register(actor: Actor = SYSTEM, **more: Any) -> Outcome:
    given = {
        "system": "shop",
        "build_version": "2.3.0",
        "commit": "4f2a91c0",
        "branch": "main",
        "artefacts": [ArtefactFacts(purl="pkg:oci/shop@2.3.0", digest=ONE)],
        "work_items": ["SHOP-7", "SHOP-9"],
    }
    return execute(RegisterBuild(**{**given, **more}), actor=actor)


def found(actor: Actor = SYSTEM, **query: Any) -> list[str]:
    return [row["name"] for row in queries.build_page(actor, convert(query, queries.BuildQuery)).rows]


@pytest.fixture
def shop(company: Company, item: Make) -> Company:
    item("shop"), item("till", organisation="cards")
    return company


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"artefacts": [], "work_items": [], "commit": "", "branch": ""},
        {"url": "https://ci.example/runs/8", "built_at": datetime(2030, 1, 1, tzinfo=UTC)},
        {"work_items": ["SHOP-9", "SHOP-7"], "commit": "4F2A91C0"},
        {"artefacts": [f"pkg:oci/shop@2.3.0 = {ONE}"]},
    ],
    ids=["the same", "with less", "by another run", "in another order and case", "artefact as one text"],
)
def test_the_same_again_changes_nothing(shop: Company, again: dict[str, Any]) -> None:
    first = register(shop.retail)
    second = register(shop.retail, **again)
    assert first.created
    assert second.sequence is None
    assert second.subject == first.subject
    assert Build.objects.get().version == 1


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"commit": "9999999"}, "commit"),
        ({"branch": "hotfix"}, "branch"),
        ({"work_items": ["SHOP-7"]}, "work items"),
        ({"artefacts": [ArtefactFacts(purl="pkg:oci/shop@2.3.0", digest=TWO)]}, "artefacts"),
    ],
)
def test_other_content_under_a_known_version_is_refused_by_name(
    shop: Company, other: dict[str, Any], word: str
) -> None:
    register()
    with pytest.raises(Conflict, match=f"another {word}"):
        register(**other)
    assert Artefact.objects.get().digest == ONE


def test_a_digest_is_registered_once_and_the_other_build_named_only_to_who_sees_it(shop: Company) -> None:
    register()
    with pytest.raises(Conflict, match=r"artefact of BLD-\d+ \(shop@2\.3\.0\)"):
        register(shop.boss, build_version="2.3.1")
    with pytest.raises(Conflict, match="artefact of another build"):
        register(shop.cards, system="till")


def test_a_digest_or_package_url_leads_to_its_build(shop: Company) -> None:
    register()
    register(
        build_version="2.4.0",
        artefacts=[ArtefactFacts(purl="pkg:OCI/shop@2.4.0", digest=TWO.upper().replace("SHA256:", ""))],
    )
    assert found(digest=ONE) == found(purl="pkg:oci/shop@2.3.0") == ["shop@2.3.0"]
    assert found(digest=TWO.removeprefix("sha256:")) == ["shop@2.4.0"]
    assert set(found(purl="pkg:oci/shop")) == set(found(work_item="SHOP-7")) == {"shop@2.3.0", "shop@2.4.0"}
    assert found(shop.cards, digest=ONE) == []
    execute(ArchiveBuild(build="shop@2.3.0"), actor=SYSTEM)
    assert found() == ["shop@2.4.0"]
    assert found(digest=ONE) == ["shop@2.3.0"]
    with pytest.raises(Invalid):
        found(digest="sha256:beef")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"build_version": "2/3"}, "build_version"),
        ({"build_version": "-1"}, "build_version"),
        ({"commit": "main"}, "commit"),
        ({"commit_url": "javascript:alert(1)"}, "commit_url"),
        ({"url": "https://"}, "url"),
        ({"system": "nowhere"}, "system"),
        ({"artefacts": [ArtefactFacts(purl="shop.jar", digest=ONE)]}, "artefacts[0].purl"),
        ({"artefacts": [ArtefactFacts(purl="pkg:oci/shop", digest="md5:00")]}, "artefacts[0].digest"),
        ({"artefacts": [ArtefactFacts(purl="pkg:oci/shop", digest=ONE)] * 2}, "artefacts[1].digest"),
        ({"work_items": ["X"] * 501}, "work_items"),
    ],
)
def test_bad_input_names_the_field_and_leaves_nothing(
    shop: Company, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as problem:
        register(**given)
    assert [error.field for error in problem.value.errors] == [field]
    assert not Build.objects.exists()
    assert not Artefact.objects.exists()


def test_a_status_moves_only_its_ways_and_a_rejection_says_why(shop: Company) -> None:
    register()

    def edit(status: str, reason: str = "", actor: Actor = shop.retail) -> None:
        execute(EditBuild(build="shop@2.3.0", status=status, reason=reason), actor=actor)

    with pytest.raises(Invalid, match="why"):
        edit("rejected")
    edit("rejected", "the smoke test fails")
    edit("accepted")
    assert Build.objects.get().reason == ""
    with pytest.raises(Conflict, match="rejected or retired"):
        edit("registered")
    edit("retired")
    with pytest.raises(Conflict, match="stays so"):
        edit("accepted")
    with pytest.raises(Forbidden):
        edit("retired", actor=shop.reader)
    with pytest.raises(NotFound):
        edit("retired", actor=shop.cards)


def test_builds_go_along_when_their_system_moves(shop: Company) -> None:
    register()
    assert found(shop.retail)
    assert not found(shop.cards)
    execute(EditItem(item="shop", organisation="cards"), actor=SYSTEM)
    assert found(shop.cards)
    assert not found(shop.retail)


@given(st.text(max_size=40), st.sampled_from(["", "pkg:", "pkg:oci/", "pkg:maven/a/b@"]))
def test_what_counts_as_a_package_url_or_digest_is_read_again_as_itself(text: str, head: str) -> None:
    purl, digest = rules.purl(head + text), rules.digest(text)
    assert purl is None or rules.purl(purl) == purl
    assert digest is None or rules.digest(digest) == digest


@given(st.sampled_from(sorted(rules.LENGTHS)), st.data())
def test_a_digest_is_known_by_its_length(name: str, data: st.DataObject) -> None:
    length = rules.LENGTHS[name]
    value = data.draw(st.text("0123456789abcdefABCDEF", min_size=length, max_size=length))
    assert rules.digest(value) == rules.digest(f"{name.upper()}:{value}") == f"{name}:{value.lower()}"
    assert rules.digest(value[1:]) is None


@pytest.mark.race
@pytest.mark.usefixtures("committed")
def test_pipelines_that_register_at_once_make_one_build_or_are_told_of_the_other() -> None:
    """Of four that say the same one is first; of two with other content, or one digest, one is refused."""
    execute(CreateOrganisation(slug="group", name="Group"), actor=SYSTEM)
    for key in ("shop", "till"):
        execute(CreateItem(key=key, name=key, kind="system"), actor=SYSTEM)

    same = together(*[lambda: register().created] * 4)
    assert sorted(map(str, same)) == ["False"] * 3 + ["True"]
    other = together(
        lambda: register(build_version="3", commit="1111111", artefacts=[]).created,
        lambda: register(build_version="3", commit="2222222", artefacts=[]).created,
    )
    taken = together(
        lambda: register(build_version="4", artefacts=[f"pkg:oci/a@4={TWO}"]).created,
        lambda: register(system="till", build_version="4", artefacts=[f"pkg:oci/b@4={TWO}"]).created,
    )
    for answers in (other, taken):
        assert sorted(type(one).__name__ for one in answers) == ["Conflict", "bool"]
    assert Build.objects.count() == 3
    assert Artefact.objects.count() == 2
