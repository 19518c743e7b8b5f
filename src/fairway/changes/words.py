"""The words of the shipped states, steps and outcomes on screen; what is not shipped shows its own name."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Verb:
    """`label`: on the button. `done`: `CHG-7 was …`. `title`, `asks`: of its dialog, if any."""

    label: Text
    done: Text
    title: Text = ""
    asks: Text = ""


VERBS: dict[str, Verb] = {
    "create": Verb(_("Save draft"), _("created")),
    "record": Verb(_("Record"), _("recorded")),
    "submit": Verb(_("Submit"), _("submitted")),
    "vote": Verb(_("Vote"), _("decided on")),
    "return": Verb(
        _("Return to draft…"), _("returned"), _("Return to draft?"), _("What has to be different")
    ),
    "start": Verb(_("Start"), _("started")),
    "complete": Verb(_("Complete…"), _("completed"), _("Complete the change?"), _("What came of it")),
    "close": Verb(_("Close"), _("closed")),
    "cancel": Verb(_("Cancel change…"), _("cancelled"), _("Cancel the change?"), _("Why it is not done")),
    "hold": Verb(_("Put on hold…"), _("put on hold"), _("Put on hold?"), _("Why it has to wait")),
    "resume": Verb(_("Resume"), _("resumed")),
    "edit": Verb(_("Edit"), _("edited")),
    "reschedule": Verb(_("Reschedule"), _("rescheduled")),
}

STATES: dict[str, Text] = {
    "draft": _("draft"),
    "submitted": _("submitted"),
    "assessing": _("assessing"),
    "authorising": _("authorising"),
    "scheduled": _("scheduled"),
    "implementing": _("implementing"),
    "reviewing": _("reviewing"),
    "closed": _("closed"),
    "rejected": _("rejected"),
    "cancelled": _("cancelled"),
}
