"""Markdown that people type: rendered to harmless HTML, and read for whom it names.

CommonMark with tables and strikethrough; HTML is shown as typed, images become links. Somebody is named as
`@[Fiona MacRae](USR-7)` or `@USR-7`, outside code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

PERSON = re.compile(r"USR-[1-9][0-9]{0,17}")
_NAMED = re.compile(r"(?<![\w@])@(USR-[1-9][0-9]{0,17})(?!\w)")
_TAGS = {
    *(
        "p",
        "br",
        "hr",
        "em",
        "strong",
        "s",
        "del",
        "code",
        "pre",
        "blockquote",
        "ul",
        "ol",
        "li",
        "a",
        "span",
    ),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "span": {"class", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
_READER = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
_READER.disable(["image", "html_block", "html_inline"])


def render(text: str, *, people: Mapping[str, str] | None = None) -> SafeString:
    """Return the text as HTML for a template; `people`: the names of those it mentions, by key."""
    return mark_safe(html(text, people=people))  # noqa: S308  (cleaned there)


def html(text: str, *, people: Mapping[str, str] | None = None) -> str:
    """Return the text as HTML; `people`: the names of those it mentions, by key. Others stay as typed."""
    tokens = _READER.parse(text)
    for token in tokens:
        if token.type == "inline":
            token.children = list(_mentioned(token.children or [], people or {}))
        elif token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 3, 6)}"  # the page's own headings stand above
    made = _READER.renderer.render(tokens, _READER.options, {})
    return nh3.clean(
        made,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="nofollow noopener noreferrer",
    )


def mentions(text: str) -> list[str]:
    """Return the keys of the people that a text names, each once, in order."""
    found: dict[str, None] = {}
    for token in _READER.parse(text):
        if token.type == "inline":
            found |= dict.fromkeys(_keys(token.children or []))
    return list(found)


def _keys(children: Sequence[Token]) -> Iterator[str]:
    linked = False
    for place, token in enumerate(children):
        if _names_somebody(children, place):
            yield str(token.attrs["href"])
        linked = token.type == "link_open" or (linked and token.type != "link_close")
        if token.type == "text" and not linked:
            yield from _NAMED.findall(token.content)


def _names_somebody(children: Sequence[Token], place: int) -> bool:
    """Say whether a link begins here that is a mention: its address a person's key, an “@” before it."""
    token = children[place]
    if token.type != "link_open" or place == 0 or not PERSON.fullmatch(str(token.attrs.get("href", ""))):
        return False
    before = children[place - 1]
    return before.type == "text" and re.search(r"(?<![\w@])@$", before.content) is not None


def _mentioned(children: Sequence[Token], people: Mapping[str, str]) -> Iterator[Token]:
    """Yield the tokens with each mention of these people as one mark with their name, of others as words."""
    inside = ""  # the kind of mention that is open
    linked = False
    for place, token in enumerate(children):
        if inside and token.type == "link_close":
            inside = ""
        elif inside == "known":
            continue  # the label that was typed: the name stands there instead
        elif _names_somebody(children, place):
            key = str(token.attrs["href"])
            inside = "known" if key in people else "unknown"
            if key in people:
                yield from _mark(people[key], key)
        elif token.type == "text" and not linked and not inside:
            ahead = children[place + 1] if place + 1 < len(children) else None
            known = (
                ahead is not None and _names_somebody(children, place + 1) and ahead.attrs["href"] in people
            )
            yield from _named(token.content[:-1] if known else token.content, people)
        else:
            linked = token.type == "link_open" or (linked and token.type != "link_close")
            yield token


def _named(text: str, people: Mapping[str, str]) -> Iterator[Token]:
    for number, part in enumerate(_NAMED.split(text)):
        if number % 2 == 0:
            yield Token("text", "", 0, content=part)
        elif part in people:
            yield from _mark(people[part], part)
        else:
            yield Token("text", "", 0, content=f"@{part}")


def _mark(name: str, key: str) -> Iterator[Token]:
    yield Token("span_open", "span", 1, attrs={"class": "fw-mention", "title": key})
    yield Token("text", "", 0, content=f"@{name}")
    yield Token("span_close", "span", -1)
