"""What the checks of the catalogue's health are called, why they matter, and how one mends what they find."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CHECKS: dict[str, tuple[str | Promise, str | Promise, str | Promise]] = {
    "dangling": (
        _("Relations to archived items"),
        _("They count for nothing: impact and conflicts pass them by."),
        _("Join the item to what took the archived one's place, or take the relation away."),
    ),
    "circles": (
        _("Items that need each other in a circle"),
        _("The failure of one fails all; often one relation points the wrong way."),
        _("Turn or take away the relation that is wrong; where it is right, tell by redundancy what stands."),
    ),
    "same-id": (
        _("Items with the same external id"),
        _("They are one thing in the system they come from, so one of them is out of date."),
        _("Move its relations to one of them and archive the other."),
    ),
    "same-name": (
        _("Items of one kind with the same name"),
        _("People take one for the other, and changes land on the wrong one."),
        _("Archive the double, or rename one so that both can be told apart."),
    ),
    "retired-needed": (
        _("Retired items that others still need"),
        _("Something in use depends on what is said to be gone."),
        _("Take the relation away, or set the item live again."),
    ),
    "alone": (
        _("Items without relation and environment"),
        _("No conflict and no impact can be told for them."),
        _("Say what they run on and who needs them, or archive them."),
    ),
    "unplaced": (
        _("Critical items that stand in no environment"),
        _("Changes to them claim no place, so nobody is warned."),
        _("Add an instance in each environment where the item stands, or mark it as shared."),
    ),
    "unowned": (
        _("Items without an owner"),
        _("Nobody is asked to assess or approve what is done to them."),
        _("Set the owner team, one by one or by an import of key and owner_team."),
    ),
    "unknown-owner": (
        _("Items whose owner is a name that is not here"),
        _("An import brought a name of which there is no team."),
        _("Make a team of that key and import again, or set the owner team."),
    ),
    "left-owner": (
        _("Items whose owner team is archived"),
        _("Their team does not act any more."),
        _("Give them to the team that took over."),
    ),
    "undescribed": (
        _("Items without a description"),
        _("Who is woken at night does not learn what they are."),
        _("Write one sentence, or import key and description."),
    ),
}
