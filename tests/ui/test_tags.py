"""The page kit: what the tags write, and that nothing from outside gets through as markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template import Context, Template
from django.template.loader import get_template
from django.test import Client, RequestFactory, override_settings
from django.utils import translation

from fairway.ui import context, csp, icons, manifest, words
from fairway.ui.forms import KeysField, WindowsField
from fairway.ui.styleguide import ExampleForm

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
POISON = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
PAGES = ("", "/record", "/form", "/list", "/timeline", "/signin")


def drawn(source: str, **values: Any) -> str:
    return Template("{% load i18n ui %}" + source).render(
        Context({"now": NOW, "zone": "Europe/London", **values})
    )


@pytest.fixture
def guide() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF="fairway.ui.urls"):
        yield Client()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{% state "scheduled" %}', "Scheduled</span>"),
        ('{% state "hold" "Waiting" %}', "Waiting</span>"),
        ('{% state "in_repair" %}', "In repair</span>"),
        ('{% severity "block" %}', '<span class="fw-tag is-bad">blocks</span>'),
        ('{% severity "unknown" %}', '<span class="fw-tag is-unknown">unknown</span>'),
        ('{% keylink "CHG-7" "/changes/CHG-7" %}', '<a class="fw-key" href="/changes/CHG-7">CHG-7</a>'),
        ('{% keylink "CHG-7" copy=True %}', 'data-copy="CHG-7" aria-label="Copy CHG-7"'),
        ("{% when start end %}", "Tue 24 Nov 21:00-23:30 GMT</time>"),
        ("{% when start end %}", 'title="2026-11-24 21:00 - 23:30 UTC"'),
        ("{% when start end %}", '<span class="fw-rel">in 30 h</span>'),
        ("{% when none %}", "not planned"),
        ("{% ago start %}", ">in 30 h</time>"),
        ("{% zone_chip %}", "London · GMT"),
        ('{% card title="Plan" note=3 %}<p>words</p>{% endcard %}', '<span class="fw-note">3</span>'),
        ('{% fact label="Risk" tone="warn" %}Moderate{% endfact %}', '<dd class="is-warn">Moderate</dd>'),
        ("{% path steps %}", '<span class="visually-hidden"> depends on </span>'),
        ('{% stat "Waiting" 3 href="/x" %}', '<a class="fw-stat" href="/x">'),
    ],
)
def test_tag(source: str, expected: str) -> None:
    start, end = datetime(2026, 11, 24, 21, tzinfo=UTC), datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert expected in drawn(source, start=start, end=end, none=None, steps=["a", {"key": "b", "href": "/b"}])


def test_when_without_the_relative() -> None:
    assert "fw-rel" not in drawn("{% when at relative=False %}", at=NOW)


@pytest.mark.parametrize(
    "source",
    [
        "{% state poison %}",
        "{% state 'draft' poison %}",
        "{% keylink poison poison poison copy=True %}",
        "{% chip poison %}",
        "{% path steps %}",
        "{% card title=poison note=poison href=poison action=poison %}{{ poison }}{% endcard %}",
        "{% fact label=poison note=poison tone=poison %}{{ poison }}{% endfact %}",
        "{% def label=poison %}{{ poison }}{% enddef %}",
        "{% stat poison poison note=poison href=poison %}",
        "{% code label=poison %}{{ poison }}{% endcode %}",
        "{% empty title=poison %}{{ poison }}{% endempty %}",
        "{% dialog name=poison title=poison %}{{ poison }}{% enddialog %}",
        "{% table label=poison %}{{ poison }}{% endtable %}",
        "{% column poison sort=poison %}",
        "{% more poison colspan=3 %}",
        "{% timeline src=poison title=poison lane_label=poison %}{{ poison }}{% endtimeline %}",
        "<a href='?{% query q=poison %}'>",
        '{% include "ui/verdict.html" %}',
        '{% include "ui/activity.html" %}',
        '{% include "ui/filters.html" with count=poison %}',
        '{% include "ui/tabs.html" with tabs=links %}',
        '{% include "ui/steps.html" %}',
        '{% include "ui/step_dialogs.html" %}',
    ],
)
def test_poison_stays_text(source: str) -> None:
    link = {
        "label": POISON,
        "href": POISON,
        "value": POISON,
        "remove": POISON,
        "options": [{"label": POISON, "href": POISON}],
    }
    row = {
        "severity": "warn",
        "message": POISON,
        "path": [POISON, POISON],
        "ways": [link, {"label": POISON, "url": POISON}],
    }
    step = {"name": "x", "label": POISON, "url": POISON, "fields": {POISON: POISON}}
    asking = {
        **step,
        "ask": {"title": POISON, "text": POISON, "name": "why", "label": POISON, "help": POISON},
    }
    event = {
        "who": POISON,
        "text": POISON,
        "at": NOW,
        "note": POISON,
        "changes": [{"field": POISON, "old": POISON, "new": POISON}],
    }
    written = drawn(
        source,
        poison=POISON,
        steps=[step, asking, asking] if "ui/step" in source else [POISON, {"key": POISON, "href": POISON}],
        verdict={
            "verdict": "warn",
            "headline": POISON,
            "note": POISON,
            "aside": POISON,
            "actions": [link],
            "rows": [row],
            "id": POISON,
        },
        activity=[event],
        filters={"q": POISON, "chips": [link], "add": [link], "keep": {POISON: POISON}, "clear": POISON},
        links=[link],
    )
    assert "alert(1)" in written or "alert%281%29" in written
    assert "<script" not in written
    assert "<img" not in written
    assert "\"'>" not in written


def test_column_sorts_and_turns() -> None:
    request = RequestFactory().get("/changes?state=draft&sort=start&cursor=abc")
    assert 'href="?state=draft&amp;sort=-start"' in drawn(
        '{% column "Start" sort="start" %}', request=request, sort="start"
    )
    assert 'aria-sort="descending"' in drawn(
        '{% column "Start" sort="start" %}', request=request, sort="-start"
    )
    assert "aria-sort" not in drawn('{% column "Start" sort="start" %}', request=request, sort="title")


def test_more_keeps_the_filters_and_ends() -> None:
    request = RequestFactory().get("/changes?state=draft&state=closed&cursor=abc")
    written = drawn("{% more cursor colspan=4 %}", request=request, cursor="n&x")
    assert 'hx-get="?state=draft&amp;state=closed&amp;cursor=n%26x"' in written
    assert drawn("{% more cursor colspan=4 %}", request=request, cursor=None) == ""


def test_the_rail_marks_where_one_is() -> None:
    def current(path: str) -> list[str]:
        return [entry["name"] for entry in context.rail(path) if entry["current"]]

    assert [
        current(path) for path in ("/", "/changes", "/changes/CHG-7", "/changesets", "/items/x", "/nowhere")
    ] == [
        ["work"],
        ["changes"],
        ["changes"],
        [],
        ["catalogue"],
        [],
    ]
    assert "administration" not in [entry["name"] for entry in context.rail("/", hidden={"administration"})]
    assert context.rail("/", counts={"work": 3})[0]["count"] == 3


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Mara Owens", "MO"),
        ("mara.owens@bank.example", "ME"),
        ("Mara", "M"),
        ("Ana de la Cruz", "AC"),
        ("", ""),
    ],
)
def test_initials(name: str, short: str) -> None:
    assert context.initials(name) == short


@pytest.mark.parametrize(
    ("cookie", "theme"),
    [("dark", "dark"), ("light", "light"), ("system", "system"), ('"><b>', "system"), (None, "system")],
)
def test_theme_is_one_of_three(cookie: str | None, theme: str) -> None:
    request = RequestFactory().get("/")
    if cookie:
        request.COOKIES["theme"] = cookie
    assert context.page(request)["theme"] == theme


def test_the_page_has_its_theme_before_any_script(guide: Client) -> None:
    guide.cookies["theme"] = "dark"
    assert b' data-theme="dark">' in guide.get("/styleguide").content
    guide.cookies["theme"] = "system"
    assert b'data-theme="' not in guide.get("/styleguide").content


def test_strict_policy_on_every_answer(guide: Client) -> None:
    for page in (*PAGES, "/pick", "/nothing"):
        policy = guide.get(f"/styleguide{page}").headers[csp.HEADER]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy


def test_a_policy_set_on_purpose_stays() -> None:
    middleware = csp.ContentSecurityPolicy(lambda request: HttpResponse(headers={csp.HEADER: "sandbox"}))
    assert middleware(HttpRequest()).headers[csp.HEADER] == "sandbox"


@pytest.mark.parametrize("page", PAGES)
def test_pages_hold_nothing_inline(guide: Client, page: str) -> None:
    written = guide.get(f"/styleguide{page}").content.decode().lower()
    assert " style=" not in written
    assert "<style" not in written
    assert " onclick=" not in written
    assert "hx-on" not in written
    assert "javascript:" not in written
    assert all(part.startswith(' type="module" src="') for part in written.split("<script")[1:])


def test_templates_use_nothing_that_htmx_evaluates() -> None:
    folder = Path(context.__file__).parent / "templates"
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.html")]
    assert len(texts) > 20
    # JSON is only read, not evaluated
    evaluated = re.compile(r"""hx-on|js:|javascript:|hx-vals=(?!'\{")""")
    assert not [found[0] for text in texts for found in evaluated.finditer(text)]


@pytest.mark.parametrize("status", ["400", "403", "403_csrf", "404", "500"])
def test_error_pages_need_no_request(status: str) -> None:
    written = get_template(f"{status}.html").render()
    assert status[:3] in written
    assert "Fairway" in written


def test_no_red_before_the_first_attempt() -> None:
    form = ExampleForm()
    assert "is-invalid" not in drawn(
        "{% form_errors form %}{% for one in form %}{% field one %}{% endfor %}", form=form
    )


def test_errors_are_tied_to_their_fields() -> None:
    form = ExampleForm({"title": "", "model": "normal"})
    written = drawn("{% form_errors form %}{% field form.title %}{% field form.reason %}", form=form)
    assert '<a href="#id_title">Title</a>: This field is required.' in written
    assert 'aria-describedby="id_title-help id_title-errors"' in written
    assert 'aria-invalid="true"' in written
    assert written.count("is-invalid") == 1
    assert written.count('class="fw-optional"') == 1


@pytest.mark.parametrize(
    ("case", "zone", "rows", "found"),
    [
        (
            "in winter",
            "Europe/London",
            [("2026-11-24T21:00", "2026-11-24T23:30")],
            [("2026-11-24 21:00", "2026-11-24 23:30")],
        ),
        (
            "in summer",
            "Europe/London",
            [("2026-07-01T21:00", "2026-07-01T23:30")],
            [("2026-07-01 20:00", "2026-07-01 22:30")],
        ),
        (
            "first of two",
            "Europe/London",
            [("2026-10-25T01:30", "2026-10-25T03:00")],
            [("2026-10-25 00:30", "2026-10-25 03:00")],
        ),
        (
            "empty rows do not count",
            "UTC",
            [("", ""), ("2026-11-24T21:00", "2026-11-24T22:00")],
            [("2026-11-24 21:00", "2026-11-24 22:00")],
        ),
        (
            "with an offset",
            "Asia/Tokyo",
            [("2026-11-24T21:00+00:00", "2026-11-24T22:00+00:00")],
            [("2026-11-24 21:00", "2026-11-24 22:00")],
        ),
    ],
)
def test_windows(case: str, zone: str, rows: list[tuple[str, str]], found: list[tuple[str, str]]) -> None:
    assert [
        (f"{start:%Y-%m-%d %H:%M}", f"{end:%Y-%m-%d %H:%M}") for start, end in _windows(zone, rows)
    ] == found


@pytest.mark.parametrize(
    ("zone", "rows", "code"),
    [
        ("Europe/London", [("2026-03-29T01:30", "2026-03-29T04:00")], "skipped"),
        ("America/New_York", [("2026-03-08T01:00", "2026-03-08T02:30")], "skipped"),
        ("UTC", [("2026-11-24T21:00", "")], "half"),
        ("UTC", [("2026-11-24T21:00", "2026-11-24T21:00")], "order"),
        ("Europe/London", [("2026-10-25T01:30", "2026-10-25T01:15")], "order"),
        ("UTC", [("tomorrow", "2026-11-24T21:00")], "unreadable"),
        ("America/New_York", [("2026-11-24T21:00", "9999-12-31T23:59")], "unreadable"),
        ("UTC", [("0001-01-01T00:00+14:00", "2026-11-24T21:00")], "unreadable"),
        ("UTC", [], "required"),
        ("UTC", [("2026-11-24T21:00", "2026-11-24T22:00")] * 51, "too_many"),
    ],
)
def test_windows_refused(zone: str, rows: list[tuple[str, str]], code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        _windows(zone, rows)
    assert refusal.value.code == code


def _windows(zone: str, rows: list[tuple[str, str]]) -> list[tuple[datetime, datetime]]:
    field = WindowsField(zone=zone)
    data = QueryDict(mutable=True)
    data.setlist("w-start", [start for start, _end in rows])
    data.setlist("w-end", [end for _start, end in rows])
    return field.clean(field.widget.value_from_datadict(data, {}, "w"))


def test_windows_are_shown_at_wall_time() -> None:
    field = WindowsField(zone="America/New_York")
    written = field.widget.render("w", [(NOW, NOW.replace(hour=18))], {"id": "id_w"})
    assert 'name="w-start" id="id_w_start_0" value="2026-11-23T09:30"' in written
    assert 'name="w-end" id="id_w_end_0" value="2026-11-23T13:30"' in written
    assert not field.has_changed([(NOW, NOW.replace(hour=18))], [("2026-11-23T09:30", "2026-11-23T13:30")])


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("k=a&k=b", ["a", "b"]),
        ("k=a, b;c", ["a", "b;c"]),
        ("k=a%3Bb%0Ac", ["a", "b", "c"]),
        ("k=a,a,&k=a", ["a"]),
        ("k=", []),
        ("", []),
    ],
)
def test_keys(query: str, keys: list[str]) -> None:
    field = KeysField(url="/pick", required=False)
    found = field.clean(field.widget.value_from_datadict(QueryDict(query.replace("b;c", "b%3Bc")), {}, "k"))
    assert found == [part for key in keys for part in key.split(";")]


def test_keys_refused() -> None:
    for field, value in (
        (KeysField(url="/x"), []),
        (KeysField(url="/x", multiple=False), ["a", "b"]),
        (KeysField(url="/x"), ["a" * 201]),
    ):
        with pytest.raises(ValidationError):
            field.clean(value)


def test_the_build_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "manifest.json"
    monkeypatch.setattr(manifest, "PATH", file)
    assert manifest.assets("main") == manifest.Assets()
    file.write_text(
        '{"src/main.ts": {"file": "m.js", "name": "main", "isEntry": true, "imports": ["_s.js"],'
        ' "css": ["m.css"],'
        ' "assets": ["inter-latin-wght-normal-1.woff2", "inter-latin-ext-wght-normal-1.woff2"]},'
        ' "_s.js": {"file": "s.js", "imports": ["_s.js"]}}',
        encoding="utf-8",
    )
    found = manifest.assets("main")
    assert found.scripts == ("ui/dist/m.js",)
    assert found.preloads == ("ui/dist/s.js",)
    assert found.styles == ("ui/dist/m.css",)
    assert found.fonts == ("ui/dist/inter-latin-wght-normal-1.woff2",)
    with pytest.raises(LookupError, match="nothing"):
        manifest.assets("nothing")


def test_every_state_and_severity_has_its_word_in_the_scripts_too() -> None:
    with translation.override("en"):
        found = words.timeline()
    assert set(icons.STATES) <= set(found)
    assert set(icons.SEVERITIES) <= set(found)
    assert all(found.values())
