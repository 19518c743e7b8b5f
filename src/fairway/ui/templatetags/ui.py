"""The page kit. Every tag takes plain values; docs/ui.md shows each with an example."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from fairway.ui import icons, manifest, times, words

register = template.Library()


def _now(context: Context) -> datetime:
    now = context.get("now")  # pages that must agree with one instant hand it in
    return now if isinstance(now, datetime) else timezone.now()


def _zone(context: Context) -> str:
    return str(context.get("zone") or timezone.get_current_timezone_name())


def _safe(markup: str) -> SafeString:
    return mark_safe(markup)  # noqa: S308 - only ever called with markup written in this package


# Shell


@register.simple_tag
def assets(entry: str = "main") -> SafeString:
    """Link the styles and scripts of one entry point of the build, fonts and shared chunks preloaded."""
    found = manifest.assets(entry)
    return SafeString(
        format_html_join(
            "",
            '<link rel="preload" href="{}" as="font" type="font/woff2" crossorigin>',
            ((static(n),) for n in found.fonts),
        )
        + format_html_join("", '<link rel="stylesheet" href="{}">', ((static(n),) for n in found.styles))
        + format_html_join("", '<link rel="modulepreload" href="{}">', ((static(n),) for n in found.preloads))
        + format_html_join(
            "", '<script type="module" src="{}"></script>', ((static(n),) for n in found.scripts)
        )
    )


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw an icon; decorative unless it is given a label."""
    hidden = format_html('role="img" aria-label="{}"', label) if label else _safe('aria-hidden="true"')
    return format_html(
        '<svg class="fw-icon" viewBox="0 0 24 24" {}>{}</svg>', hidden, _safe(icons.ICONS[name])
    )


@register.filter
def toast_undo(message: Any) -> str:
    """Return the address that undoes what a message tells of, or nothing (see fairway.ui.toasts.done)."""
    tags = str(message.extra_tags or "")
    return tags.removeprefix("undo ") if tags.startswith("undo /") else ""


# Words and marks


@register.simple_tag
def state(name: str, word: str = "") -> SafeString:
    """Draw a state's mark and its word; a state the face does not know gets a dot and its own name."""
    shape, tone, usual = icons.STATES.get(name, (*icons.OTHER, name.replace("_", " ").capitalize()))
    return format_html(
        '<span class="fw-state is-{}"><svg class="fw-mark" viewBox="0 0 10 10" '
        'aria-hidden="true">{}</svg>{}</span>',
        tone,
        _safe(shape),
        word or usual,
    )


@register.simple_tag
def severity(name: str) -> SafeString:
    """Draw the tag of a finding's severity: block, warn, inform, unknown."""
    tone, word = icons.SEVERITIES[name]
    return format_html('<span class="fw-tag is-{}">{}</span>', tone, word)


@register.simple_tag
def verdict_mark(name: str) -> SafeString:
    """Draw the mark of a verdict: allow, warn, deny, unknown."""
    shape, tone, _word = icons.VERDICTS[name]
    return format_html(
        '<svg class="fw-verdict-mark is-{}" viewBox="0 0 18 18" aria-hidden="true">{}</svg>',
        tone,
        _safe(shape),
    )


@register.filter
def verdict_tone(name: str) -> str:
    """Return the tone of a verdict: ok, warn, bad, unknown."""
    return icons.VERDICTS[name][1]


@register.filter
def verdict_word(name: str) -> str:
    """Return the usual headline of a verdict, for strips that bring none."""
    return str(icons.VERDICTS[name][2])


@register.simple_tag
def keylink(key: str, href: str = "", title: str = "", copy: bool = False) -> SafeString:
    """Write a key as a link in monospace; with copy=True a button beside it copies the key."""
    name = format_html(' title="{}"', title) if title else ""
    link = (
        format_html('<a class="fw-key" href="{}"{}>{}</a>', href, name, key)
        if href
        else format_html('<span class="fw-key"{}>{}</span>', name, key)
    )
    if not copy:
        return link
    return format_html(
        '<span class="fw-copyable">{}<button type="button" class="fw-copy" data-copy="{}" '
        'aria-label="{}">{}</button></span>',
        link,
        key,
        _("Copy %(key)s") % {"key": key},
        icon("copy"),
    )


@register.simple_tag
def chip(text: str, tone: str = "") -> SafeString:
    """Draw a chip; tone is nothing, info, ok, warn, bad or waive."""
    return format_html('<span class="fw-chip{}">{}</span>', f" is-{tone}" if tone else "", text)


@register.simple_tag
def path(steps: Iterable[Any], word: str = "") -> SafeString:
    """Draw a path of dependencies as chips; a step is a key or {"key", "href", "name"}."""
    told = word or _("depends on")
    parts = []
    for step in steps:
        one: Mapping[str, Any] = step if isinstance(step, Mapping) else {"key": step}
        parts.append((keylink(str(one["key"]), str(one.get("href") or ""), str(one.get("name") or "")),))
    arrow = format_html(
        '<span class="fw-path-arrow"><svg viewBox="0 0 14 8" aria-hidden="true">'
        '<path d="M0 4h12M9 1l3 3-3 3"/></svg>'
        '<span class="visually-hidden"> {} </span></span>',
        told,
    )
    return format_html(
        '<span class="fw-path">{}</span>',
        format_html_join(arrow, '<span class="fw-path-step">{}</span>', parts),
    )


# Times


@register.simple_tag(takes_context=True)
def when(
    context: Context,
    start: datetime | None,
    end: datetime | None = None,
    relative: bool = True,
    brief: bool = False,
) -> SafeString:
    """Write an instant or half-open period in the reader's zone, the relative beside it, UTC as title.

    brief=True is for columns headed by `zone_city`: without zone, years and relative, all of it in the title.
    """
    if start is None:
        return format_html('<span class="fw-none">{}</span>', _("not planned"))
    zone, now = _zone(context), _now(context)
    text = times.period(start, end, zone=zone, now=now) if end else times.instant(start, zone=zone, now=now)
    if brief:
        return format_html(
            '<span class="fw-when"><time datetime="{}" title="{}">{}</time></span>',
            start.isoformat(),
            f"{text}, {times.relative(start, end, now=now)} · {times.in_utc(start, end)}",
            times.brief(start, end, zone=zone, now=now),
        )
    beside = (
        format_html(' <span class="fw-rel">{}</span>', times.relative(start, end, now=now))
        if relative
        else ""
    )
    return format_html(
        '<span class="fw-when"><time datetime="{}" title="{}">{}</time>{}</span>',
        start.isoformat(),
        times.in_utc(start, end),
        text,
        beside,
    )


@register.simple_tag(takes_context=True)
def ago(context: Context, at: datetime) -> SafeString:
    """Write how long ago or how far ahead, the instant in the title."""
    zone, now = _zone(context), _now(context)
    title = f"{times.instant(at, zone=zone, now=now)} · {times.in_utc(at)}"
    return format_html(
        '<time class="fw-rel" datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        title,
        times.relative(at, now=now),
    )


@register.simple_tag(takes_context=True)
def zone_chip(context: Context) -> str:
    """Write the reader's zone as it stands in the top bar: `London · GMT`."""
    zone = _zone(context)
    mark = times.zone_mark(_now(context).astimezone(times.zone_of(zone)))
    city = zone.rpartition("/")[2].replace("_", " ")
    return mark if city == mark else f"{city} · {mark}"


@register.simple_tag(takes_context=True)
def zone_city(context: Context) -> str:
    """Write the city of the reader's zone, for the head of a column of brief times: `London`."""
    return _zone(context).rpartition("/")[2].replace("_", " ")


@register.filter
def duration(span: timedelta) -> str:
    """Write a duration: 2 h 30 min."""
    return times.length(span)


# Parts of pages


Tag = TypeVar("Tag", bound=Callable[..., str])


def _block(name: str) -> Callable[[Tag], Tag]:
    mark: Callable[[Tag], Tag] = register.simple_block_tag(takes_context=False, name=name)
    return mark


@_block("card")
def card(
    content: str, title: str = "", note: str = "", href: str = "", action: str = "", flush: bool = False
) -> SafeString:
    """Put content in a card; href and action make a link in its head; flush lets tables touch the edge."""
    link = format_html('<a class="fw-card-action" href="{}">{}</a>', href, action) if href else ""
    said = format_html('<span class="fw-note">{}</span>', note) if note != "" else ""
    head = (
        format_html('<div class="card-header"><h2 class="card-title">{}</h2>{}{}</div>', title, said, link)
        if title
        else ""
    )
    return format_html(
        '<section class="card"{}>{}<div class="card-body{}">{}</div></section>',
        format_html(' aria-label="{}"', title) if title else "",
        head,
        " is-flush" if flush else "",
        _safe(content),
    )


@_block("facts")
def facts(content: str) -> SafeString:
    """Hold the line of facts under a record's title."""
    return format_html('<dl class="fw-facts">{}</dl>', _safe(content))


@_block("fact")
def fact(content: str, label: str, note: str = "", tone: str = "") -> SafeString:
    """Say one fact: label above, value, a note below it."""
    below = format_html("<small>{}</small>", note) if note else ""
    return format_html(
        "<div><dt>{}</dt><dd{}>{}{}</dd></div>",
        label,
        format_html(' class="is-{}"', tone) if tone else "",
        _safe(content),
        below,
    )


@_block("defs")
def defs(content: str) -> SafeString:
    """Hold a definition list, terms at the left; fill it with `def`."""
    return format_html('<dl class="fw-defs">{}</dl>', _safe(content))


@_block("def")
def definition(content: str, label: str) -> SafeString:
    """Say one term of a definition list."""
    return format_html("<div><dt>{}</dt><dd>{}</dd></div>", label, _safe(content))


@_block("stats")
def stats(content: str) -> SafeString:
    """Hold stat tiles in a row."""
    return format_html('<div class="fw-stats">{}</div>', _safe(content))


@register.simple_tag
def stat(label: str, value: Any, note: str = "", href: str = "", tone: str = "") -> SafeString:
    """Draw one stat tile; with href the whole tile is a link."""
    inside = format_html(
        '<span class="fw-stat-label">{}</span><b>{}</b><small>{}</small>', label, value, note
    )
    kind = f" is-{tone}" if tone else ""
    if href:
        return format_html('<a class="fw-stat{}" href="{}">{}</a>', kind, href, inside)
    return format_html('<div class="fw-stat{}">{}</div>', kind, inside)


@_block("code")
def code(content: str, label: str = "") -> SafeString:
    """Show text that is meant for a machine, with a button that copies it. The content is escaped text."""
    text = content.strip("\n")
    return format_html(
        '<figure class="fw-code">{}<pre tabindex="0"><code>{}</code></pre>'
        '<button type="button" class="fw-copy" data-copy-from="code" aria-label="{}">{}</button></figure>',
        format_html("<figcaption>{}</figcaption>", label) if label else "",
        _safe(text),
        _("Copy"),
        icon("copy"),
    )


@_block("empty")
def empty(content: str, title: str, icon_name: str = "inbox") -> SafeString:
    """Say what a page is for when it has nothing yet; the content holds the sentence and the first step."""
    return format_html(
        '<div class="fw-empty">{}<p class="fw-empty-title">{}</p><div>{}</div></div>',
        icon(icon_name),
        title,
        _safe(content),
    )


@_block("dialog")
def dialog(content: str, name: str, title: str) -> SafeString:
    """Hold a native dialog; any button with data-dialog="NAME" opens it, buttons with data-close shut it."""
    return format_html(
        '<dialog class="fw-dialog" id="{}" aria-labelledby="{}-title">'
        '<div class="fw-dialog-head"><h2 id="{}-title">{}</h2>'
        '<button type="button" class="btn btn-ghost btn-icon" '
        'data-close aria-label="{}">{}</button></div>{}</dialog>',
        name,
        name,
        name,
        title,
        _("Close"),
        icon("close"),
        _safe(content),
    )


# Tables


@_block("table")
def table(content: str, label: str, pick: bool = False) -> SafeString:
    """Hold a table of records with j, k, Enter and, with pick=True, x; the content is thead and tbody."""
    return format_html(
        '<div class="fw-table-wrap"><table class="table fw-table" aria-label="{}" '
        "data-rows{}>{}</table></div>",
        label,
        _safe(" data-pick") if pick else "",
        _safe(content),
    )


@register.simple_tag(takes_context=True)
def column(
    context: Context,
    label: str,
    sort: str = "",
    numeric: bool = False,
    hidden: bool = False,
    less: bool = False,
) -> SafeString:
    """Head a column; with sort it is a link that sorts by that field, and again the other way round.

    less=True gives the column up where the table is narrow; its cells need the class `is-less` too.

    Reads `request` and `sort`, the present order ("-planned_start"), from the context.
    """
    kind = (" is-num" if numeric else "") + (" is-less" if less else "")
    inside: str = format_html('<span class="visually-hidden">{}</span>', label) if hidden else label
    if not sort:
        return format_html('<th scope="col" class="fw-col{}">{}</th>', kind, inside)
    present = str(context.get("sort") or "")
    turned = f"-{sort}" if present == sort else sort
    order = {sort: "ascending", f"-{sort}": "descending"}.get(present)
    arrow = {"ascending": "↑", "descending": "↓"}.get(order or "", "")
    return format_html(
        '<th scope="col" class="fw-col{}"{}><a href="?{}">{}<span class="fw-arrow" '
        'aria-hidden="true">{}</span></a></th>',
        kind,
        format_html(' aria-sort="{}"', order) if order else "",
        _query(context, {"sort": turned, "cursor": None}),
        inside,
        arrow,
    )


@register.simple_tag(takes_context=True)
def more(context: Context, cursor: str | None, colspan: int) -> SafeString:
    """End a table's rows: where there are more, with a row that fetches them when it is scrolled to."""
    if not cursor:
        return _safe("")
    query = _query(context, {"cursor": cursor})
    return format_html(
        '<tr class="fw-more" hx-get="?{}" hx-trigger="revealed" hx-target="this" hx-swap="outerHTML"'
        ' hx-select="table[data-rows] > tbody > tr"><td colspan="{}"><a href="?{}">{}</a></td></tr>',
        query,
        colspan,
        query,
        _("Show more"),
    )


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> SafeString:
    """Return the present query string with some parameters set, or taken out when None."""
    return _safe(_query(context, changes).replace("&", "&amp;"))


def _query(context: Context, changes: Mapping[str, Any]) -> str:
    request = context.get("request")
    present = (
        [(k, v) for k, values in request.GET.lists() for v in values if k not in changes] if request else []
    )
    return urlencode(present + [(k, v) for k, v in changes.items() if v is not None])


# Forms


@register.inclusion_tag("ui/field.html")
def field(bound: BoundField, label: str = "", wide: bool = False) -> dict[str, Any]:
    """Show one form field: label, control, help, errors once there was an attempt; marked when optional."""
    shown = bound.form.is_bound and bool(bound.errors)
    widget = bound.field.widget
    kind = getattr(widget, "input_type", "")
    group = bool(getattr(widget, "fieldset", False) or widget.use_fieldset)
    tick = kind == "checkbox" and not group
    style = "form-select" if kind == "select" else "" if tick or group or kind == "hidden" else "form-control"
    attrs: dict[str, Any] = {
        "class": " ".join(
            c for c in (style, str(widget.attrs.get("class", "")), "is-invalid" if shown else "") if c
        )
    }
    described = [f"{bound.auto_id}-help"] if bound.help_text else []
    if shown:
        attrs["aria-invalid"] = "true"
        described.append(f"{bound.auto_id}-errors")
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return {
        "field": bound,
        "label": label or bound.label,
        "control": bound.as_widget(attrs=attrs),
        "errors": bound.errors if shown else [],
        "optional": not bound.field.required and not tick and not getattr(bound.field, "unmarked", False),
        "group": group,
        "tick": tick,
        "hidden": bound.is_hidden,
        "wide": wide,
    }


@register.inclusion_tag("ui/form_errors.html")
def form_errors(form: Any) -> dict[str, Any]:
    """Sum up what is wrong with a form that was sent, each line a link to its field."""
    lines: list[dict[str, str]] = []
    if form.is_bound and not form.is_valid():
        lines += [{"text": text, "href": ""} for text in form.non_field_errors()]
        for bound in form:
            lines += [_line(str(bound.label), text, f"#{bound.auto_id}") for text in bound.errors]
    return {"lines": lines}


def _line(label: str, text: str, href: str) -> dict[str, str]:
    """Return a line of the summary; a text that names its field itself is the link."""
    named = label.casefold() in text.casefold()
    return {"label": text if named else label, "text": "" if named else text, "href": href}


_TICKED = re.compile(r"`([^`]+)`")


@register.filter
def ticks(text: Any) -> SafeString:
    """Write what stands between backticks as code."""
    parts = _TICKED.split(str(text))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", one) if at % 2 else one,) for at, one in enumerate(parts))
    )


# Values that templates cannot reach by themselves


@register.filter
def get(values: Mapping[str, Any] | Sequence[Any], name: Any) -> Any:
    """Return one value of a mapping by a name held in a variable, or None."""
    return values.get(name) if isinstance(values, Mapping) else None


# Timeline


@register.simple_block_tag(takes_context=True, name="timeline")
def timeline(
    context: Context,
    content: str,
    src: str,
    title: str = "",
    zone: str = "",
    span: str = "month",
    at: datetime | str = "",
    lane_label: str = "",
    compact: bool = False,
    conflicts: str = "",
    move: str = "",
) -> SafeString:
    """Show the timeline of what an address answers; the content (links, filters) stands in its head.

    conflicts: the page that lists them, for the link that their number becomes. move: the address that moves
    windows; empty: nothing is moved here.
    """
    heading = _safe("h2" if compact else "h1")
    instant = at.isoformat() if isinstance(at, datetime) else at
    return format_html(
        '<fw-timeline src="{}" zone="{}" span="{}" lang="{}" at="{}" label="{}" lanes="{}" '
        'now="{}" conflicts="{}" move="{}" words="{}"{}>'
        '<div class="fwt-head"><{} class="fwt-title{}">{}</{}>{}</div>'
        '<div class="fwt-frame" data-frame><p class="fw-loading" role="status">{}</p></div></fw-timeline>',
        src,
        zone or _zone(context),
        span,
        get_language() or "en",
        instant,
        title or _("Timeline"),
        lane_label or _("Item"),
        context["now"].isoformat() if isinstance(context.get("now"), datetime) else "",
        conflicts,
        move,
        json.dumps(words.timeline()),
        _safe(" compact") if compact else "",
        heading,
        "" if title else " visually-hidden",
        title or _("Timeline"),
        heading,
        _safe(content),
        _("Loading the plan …"),
    )


@register.simple_block_tag(takes_context=True)
def graph(
    context: Context,
    content: str,
    src: str,
    title: str = "",
    as_csv: str = "",
    as_json: str = "",
    plain: str = "",
    upstream: bool = False,
    crumbs: Sequence[Mapping[str, str]] = (),
) -> SafeString:
    """Show the graph of what an address answers, beside its list; the content (links) stands in its head.

    as_csv, as_json: the list as a file. plain: the page that tells the same without script.
    """
    told = format_html_join("", '<a href="{}">{}</a>', ((crumb["href"], crumb["label"]) for crumb in crumbs))
    return format_html(
        '<fw-graph src="{}" csv="{}" json="{}" words="{}"{}>'
        '<div class="fwg-head"><div><div class="fw-crumbs">{}</div><h1 class="fwg-title">{}</h1></div>{}'
        '<div class="fwg-tools" data-tools></div></div>'
        '<div class="fwg-frame" data-frame><p class="fw-loading" role="status">{}</p>'
        '<noscript><a href="{}">{}</a></noscript></div></fw-graph>',
        src,
        as_csv,
        as_json,
        json.dumps(words.graph()),
        _safe(" upstream") if upstream else "",
        told,
        title,
        _safe(content),
        _("Loading the graph …"),
        plain,
        _("Impact as a list"),
    )
