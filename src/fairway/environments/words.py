"""What tiers and control levels mean, in words for people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

CONTROL = {
    "open": _("Open: whatever happens here is recorded, nothing needs permission."),
    "coordinated": _("Coordinated: it must be booked by the release, or held by nobody else."),
    "controlled": _("Controlled: it needs an authorised change whose window is open."),
}
STATES = {
    "planned": "planned",
    "building": "draft",
    "available": "active",
    "restricted": "hold",
    "decommissioned": "retired",
}
