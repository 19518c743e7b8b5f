"""Icons of the shell (24 x 24, stroked) and marks of states and verdicts (10 x 10, filled)."""

from __future__ import annotations

from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

ICONS = MappingProxyType(
    {
        "alert": '<path d="M12 4 2.8 20h18.4Z"/><path d="M12 10v4.5"/><path d="M12 17.4v.1"/>',
        "arrow-left": '<path d="M14.5 6 8.5 12l6 6"/>',
        "arrow-right": '<path d="m9.5 6 6 6-6 6"/>',
        "bell": '<path d="M6.5 16.5V11a5.5 5.5 0 0 1 11 0v5.5l1.5 1.5H5Z"/><path d="M10 20.5h4"/>',
        "boxes": '<path d="M12 3 5.5 6.5v6L12 16l6.5-3.5v-6Z"/><path d="M5.5 6.5 12 10l6.5-3.5"/>'
        '<path d="M12 10v6"/>'
        '<path d="M8 18.6 12 21l4-2.4"/>',
        "building": '<path d="M5 20V5.5L13 4v16"/><path d="M13 9h6v11"/><path d="M3 20h18"/>'
        '<path d="M8.5 9h1M8.5 12.5h1M8.5 16h1"/>',
        "calendar": '<rect x="4" y="5.5" width="16" height="14.5" rx="2"/><path d="M4 10h16"/>'
        '<path d="M8.5 3.5v4"/>'
        '<path d="M15.5 3.5v4"/><path d="M8 14h4"/>',
        "change": '<circle cx="6" cy="6" r="2.2"/><circle cx="18" cy="18" r="2.2"/><path d="M6 8.2V20"/>'
        '<path d="M18 15.8V9.5a3.5 3.5 0 0 0-3.5-3.5H11"/><path d="m13.5 3.5-2.5 2.5 2.5 2.5"/>',
        "check": '<path d="m5 12.5 4.5 4.5L19 7.5"/>',
        "chevron": '<path d="m7 10 5 5 5-5"/>',
        "clock": '<circle cx="12" cy="12" r="8"/><path d="M12 7.5V12l3 2"/>',
        "close": '<path d="M6.5 6.5l11 11"/><path d="M17.5 6.5l-11 11"/>',
        "copy": '<rect x="8.5" y="8.5" width="11" height="11" rx="2"/>'
        '<path d="M15.5 8.5V6.5a2 2 0 0 0-2-2h-7a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h2"/>',
        "dots": '<path d="M6 12h.1M12 12h.1M18 12h.1"/>',
        "filter": '<path d="M4.5 6h15M7.5 12h9M10.5 18h3"/>',
        "inbox": '<path d="M4 13.5 6.5 5h11L20 13.5V19H4Z"/><path d="M4 13.5h4.5l1.5 2.5h4l1.5-2.5H20"/>',
        "keyboard": '<rect x="3" y="6.5" width="18" height="11" rx="2"/>'
        '<path d="M7 10.5h.1M11 10.5h.1M15 10.5h.1"/>'
        '<path d="M8 14h8"/>',
        "link": '<path d="M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1"/>'
        '<path d="M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1"/>',
        "menu": '<path d="M4.5 7h15M4.5 12h15M4.5 17h15"/>',
        "moon": '<path d="M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7Z"/>',
        "plus": '<path d="M12 5.5v13M5.5 12h13"/>',
        "screen": '<rect x="3.5" y="5" width="17" height="11.5" rx="2"/><path d="M9 20h6M12 16.5V20"/>',
        "search": '<circle cx="11" cy="11" r="6"/><path d="m15.5 15.5 4.5 4.5"/>',
        "server": '<rect x="4" y="4.5" width="16" height="6.5" rx="1.8"/>'
        '<rect x="4" y="13" width="16" height="6.5" rx="1.8"/><path d="M8 7.8h.1M8 16.3h.1"/>',
        "settings": '<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" '
        'cy="17" r="2"/>',
        "sign-out": '<path d="M14 4.5H6.5a1.5 1.5 0 0 0-1.5 1.5v12a1.5 1.5 0 0 0 1.5 1.5H14"/>'
        '<path d="M10 12h10"/><path d="m17 8.5 3.5 3.5-3.5 3.5"/>',
        "sun": '<circle cx="12" cy="12" r="3.8"/>'
        '<path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4'
        'M5.6 18.4 7 17M17 7l1.4-1.4"/>',
        "trash": '<path d="M5 7h14M10 4.5h4M7 7l.8 12.5h8.4L17 7"/>',
        "user": '<circle cx="12" cy="8.5" r="3.5"/><path d="M5 20c.6-3.7 3.4-5.5 7-5.5s6.4 1.8 7 5.5"/>',
    }
)

_RING = '<circle cx="5" cy="5" r="4.2" fill="none" stroke="currentColor" stroke-width="1.3"/>'

# Shape, tone and word of each state. Form tells the state apart, colour only repeats it.
STATES: MappingProxyType[str, tuple[str, str, str | Promise]] = MappingProxyType(
    {
        "draft": (_RING, "muted", pgettext_lazy("state", "Draft")),
        "submitted": (
            _RING + '<path d="M5 5V.8A4.2 4.2 0 0 1 9.2 5Z" fill="currentColor"/>',
            "accent",
            pgettext_lazy("state", "Submitted"),
        ),
        "assessing": (
            _RING + '<path d="M5 .8a4.2 4.2 0 0 1 0 8.4Z" fill="currentColor"/>',
            "accent",
            pgettext_lazy("state", "Assessing"),
        ),
        "authorising": (
            _RING + '<path d="M5 5V.8A4.2 4.2 0 1 1 .8 5Z" fill="currentColor"/>',
            "accent",
            pgettext_lazy("state", "Authorising"),
        ),
        "scheduled": (
            '<circle cx="5" cy="5" r="4.8" fill="currentColor"/>',
            "accent",
            pgettext_lazy("state", "Scheduled"),
        ),
        "implementing": (
            '<path d="M1.8.9 9.2 5 1.8 9.1Z" fill="currentColor" stroke="currentColor" '
            'stroke-linejoin="round"/>',
            "warn",
            pgettext_lazy("state", "Implementing"),
        ),
        "reviewing": (
            '<path d="M5 .2 9.8 5 5 9.8.2 5Z" fill="currentColor"/>',
            "waive",
            pgettext_lazy("state", "Reviewing"),
        ),
        "closed": (
            '<path d="m1 5.4 2.7 2.7L9 2.3" fill="none" stroke="currentColor" stroke-width="1.7"'
            ' stroke-linecap="round" stroke-linejoin="round"/>',
            "ok",
            pgettext_lazy("state", "Closed"),
        ),
        "cancelled": (
            _RING + '<path d="M2 8 8 2" stroke="currentColor" stroke-width="1.3"/>',
            "muted",
            pgettext_lazy("state", "Cancelled"),
        ),
        "rejected": (
            '<path d="M1.6 1.6l6.8 6.8M8.4 1.6 1.6 8.4" stroke="currentColor" stroke-width="1.7"'
            ' stroke-linecap="round"/>',
            "bad",
            pgettext_lazy("state", "Rejected"),
        ),
        "hold": (
            '<path d="M3 1.2v7.6M7 1.2v7.6" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>',
            "warn",
            pgettext_lazy("state", "On hold"),
        ),
        # states of things that only are or are not
        "active": (
            '<circle cx="5" cy="5" r="4.8" fill="currentColor"/>',
            "ok",
            pgettext_lazy("state", "Active"),
        ),
        "planned": (_RING, "accent", pgettext_lazy("state", "Planned")),
        "retired": (
            _RING + '<path d="M2 8 8 2" stroke="currentColor" stroke-width="1.3"/>',
            "muted",
            pgettext_lazy("state", "Retired"),
        ),
    }
)
OTHER = ('<circle cx="5" cy="5" r="3" fill="currentColor"/>', "muted")

SEVERITIES: MappingProxyType[str, tuple[str, str | Promise]] = MappingProxyType(
    {
        "block": ("bad", pgettext_lazy("severity", "blocks")),
        "warn": ("warn", pgettext_lazy("severity", "warns")),
        "inform": ("info", pgettext_lazy("severity", "informs")),
        "unknown": ("unknown", pgettext_lazy("severity", "unknown")),
    }
)

# Shape (18 x 18), tone and word of each verdict, and of what nobody asks about any more.
VERDICTS: MappingProxyType[str, tuple[str, str, str | Promise]] = MappingProxyType(
    {
        "allow": (
            '<circle cx="9" cy="9" r="8" fill="currentColor"/><path class="fw-cut" '
            'd="m5.5 9.3 2.4 2.4 4.6-5"/>',
            "ok",
            _("Allowed"),
        ),
        "warn": (
            '<path d="M9 1.6 17.2 16H.8Z" fill="currentColor" stroke="currentColor" stroke-linejoin="round"/>'
            '<path class="fw-cut" d="M9 6.5v4.2M9 13.2v.1"/>',
            "warn",
            _("Allowed, with warnings"),
        ),
        "deny": (
            '<circle cx="9" cy="9" r="8" fill="currentColor"/><path class="fw-cut" d="M5.5 9h7"/>',
            "bad",
            _("Not yet"),
        ),
        "unknown": (
            '<circle cx="9" cy="9" r="8" fill="currentColor"/><path class="fw-cut" '
            'd="M7 7.2a2 2 0 1 1 2.9 1.8q-.9.5-.9 1.4'
            'M9 12.8v.1"/>',
            "unknown",
            _("Cannot tell"),
        ),
        "over": (
            '<circle cx="9" cy="9" r="8" fill="currentColor"/><path class="fw-cut" d="M5.5 9h7"/>',
            "unknown",
            _("Over"),
        ),
    }
)
