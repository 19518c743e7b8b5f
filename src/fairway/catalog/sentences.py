"""How the findings of the catalogue read."""

from __future__ import annotations

from django.utils.translation import gettext as _

from fairway.policy import Finding, Words, sentence


@sentence("catalog.controlled")
def controlled(finding: Finding, words: Words) -> str:
    item = finding.parties[0].key if finding.parties and finding.parties[0].key else _("This item")
    names = finding.params.get("names")
    if not names:
        return _(
            "%(item)s stands in an environment under change control: propose this in a change, which applies"
            " it while it is implementing."
        ) % {"item": item}
    return _(
        "%(item)s stands in %(places)s, which is under change control: propose this in a change, which"
        " applies it while it is implementing."
    ) % {"item": item, "places": ", ".join(names[:3]) + (" …" if len(names) > 3 else "")}
