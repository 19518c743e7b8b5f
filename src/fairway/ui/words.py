"""The words that scripts put on the screen, from the same catalogues as all others."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fairway.ui import icons


def timeline() -> dict[str, str]:
    """Return the words of the timeline, of states and of severities by the names its script asks for."""
    found = {
        "day": _("Day"),
        "week": _("Week"),
        "month": _("Month"),
        "quarter": _("Quarter"),
        "span": _("Span"),
        "out": _("Zoom out"),
        "in": _("Zoom in"),
        "back": _("Earlier"),
        "forth": _("Later"),
        "now": _("Now"),
        "list": _("List"),
        "picture": _("Timeline"),
        "timeline": _("timeline"),
        "others": _("Others"),
        "bars": _("entries"),
        "conflict": _("conflict"),
        "conflicts": _("conflicts"),
        "sash": _("Width of the names"),
        "away": _("The plan could not be fetched."),
        "again": _("Try again"),
        "empty": _("Nothing is planned here"),
        "empty_hint": _("Choose another span, take out a filter, or plan a change."),
        "quiet": _("Nothing is planned in this span."),
        "moving": _("Moving"),
        "apply": _("Move"),
        "cancel": _("Cancel"),
        "move": _("move"),
        "as_list": _("list"),
        "pick": _("select"),
        "picked": _("selected"),
        "unpick": _("Select none"),
        "free": _("Nothing stands in the way."),
        "fixed": _("You cannot move this one."),
        "left": _("Left where it was."),
        "how": _("Enter applies, Escape leaves."),
        "anew": _("It is no draft: whoever approved it may be asked again."),
        "zoom": _("zoom"),
        "keys": _("keys"),
        "change": _("change"),
        "hard_freeze": _("hard freeze"),
        "soft_freeze": _("soft freeze"),
        "booking_blockout": _("booking blockout"),
        "lockdown": _("lockdown"),
        "maintenance": _("maintenance window"),
        "holiday": _("holiday"),
        "information": _("information"),
        "tentative": pgettext("strength", "tentative"),
        "requested": pgettext("strength", "requested"),
        "approved": pgettext("strength", "approved"),
        "active": pgettext("strength", "active"),
        "done": pgettext("strength", "done"),
        "col_key": _("Key"),
        "col_title": _("Title"),
        "col_place": _("Where"),
        "col_planned": _("Planned"),
        "col_state": _("State"),
        "col_clash": _("Conflicts"),
    }
    states = {name: str(word) for name, (_shape, _tone, word) in icons.STATES.items() if name not in found}
    severities = {name: str(word) for name, (_tone, word) in icons.SEVERITIES.items()}
    return {**states, **severities, **found}


def graph() -> dict[str, str]:
    """Return the words of the graph of an impact by the names its script asks for."""
    return {
        "loading": _("Loading the graph …"),
        "away": _("The graph could not be fetched."),
        "again": _("Try again"),
        "empty": _("Its failure reaches nothing that is known"),
        "empty_up": _("It needs nothing that is known"),
        "empty_hint": _("Impact follows the relations between items."),
        "group": _("Group by"),
        "none": _("Nothing"),
        "kind": _("Kind"),
        "organisation": _("Organisation"),
        "criticality": _("Criticality"),
        "search": _("Find in the graph"),
        "open_all": _("Open all"),
        "close_all": _("Close all"),
        "fit": _("Fit"),
        "in": _("Zoom in"),
        "out": _("Zoom out"),
        "picture": _("Graph"),
        "list": _("List"),
        "start": _("Where it fails"),
        "start_up": _("What needs them"),
        "step": _("step away"),
        "steps": _("steps away"),
        "items": _("items"),
        "item": _("item"),
        "found": _("found"),
        "through": _("by way of"),
        "veiled": _("through another organisation"),
        "left": _("more are not drawn"),
        "in_pin": _("pinned as affected"),
        "out_pin": _("pinned as not affected"),
        "open": _("Open the item"),
        "opens": _("Enter opens"),
        "closes": _("Enter closes"),
        "shown": _("shown"),
        "hint": _("Arrows go from item to item, Enter opens, + and - zoom, 0 fits, L goes to the list."),
        "export": _("Export"),
    }
