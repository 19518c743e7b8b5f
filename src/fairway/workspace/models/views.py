"""How somebody likes to look at a list, kept under a name."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fairway.kernel.models import Row, Versioned, fold


class SavedView(Versioned):
    """Filters, order and columns of one list, private or shared.

    `is_default`: whoever sees it and chose nothing else gets it first, or those who have `role`.
    """

    class Sharing(models.TextChoices):
        PRIVATE = "private", _("Only me")
        TEAM = "team", _("A team")
        ORGANISATION = "organisation", _("An organisation and all below it")

    owner = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    page = models.CharField(max_length=40, help_text="the list: changes, items, …")
    name = models.CharField(max_length=80)
    name_folded = models.CharField(max_length=400, editable=False)
    filters = models.JSONField(default=dict, blank=True, help_text="parameter to text, as in the address")
    sort = models.CharField(max_length=60, blank=True)
    columns = models.JSONField(default=list, blank=True, help_text="names in their order; empty: as usual")
    sharing = models.CharField(max_length=12, choices=Sharing, default=Sharing.PRIVATE)
    team = models.ForeignKey("accounts.Team", models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT, null=True, related_name="+")
    pinned = models.BooleanField(default=False, help_text="stands among the tabs of its list")
    position = models.IntegerField(default=0)
    is_default = models.BooleanField(default=False)
    role = models.ForeignKey("accounts.Role", models.PROTECT, null=True, related_name="+")

    kind = "saved-view"

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sharing="private", team=None, organisation=None)
                | Q(sharing="team", team__isnull=False, organisation=None)
                | Q(sharing="organisation", team=None, organisation__isnull=False),
                name="workspace_view_sharing",
            ),
            models.UniqueConstraint(
                "owner", "page", "name_folded", condition=Q(archived_at=None), name="workspace_view_name"
            ),
        ]
        indexes = [models.Index("page", "position", "name_folded", name="workspace_view_page")]

    def before_write(self) -> None:
        self.name_folded = fold(self.name)

    @property
    def label(self) -> str:
        return self.name

    @property
    def owning_organisation(self) -> int | None:
        return self.team.organisation_id if self.team is not None else self.organisation_id


class ViewChoice(Row):
    """The view that somebody wants a list to open with; None: the list as it comes."""

    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    page = models.CharField(max_length=40)
    view = models.ForeignKey(SavedView, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("person", "page", name="workspace_choice_once")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.page}"
