"""People and what they may do, where."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fairway.kernel.models import Numbered, Row, Slugged, Versioned, fold


class Organisation(Versioned):
    """A node of the organisation tree; what is granted here holds for the whole branch below."""

    slug = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    name_folded = models.CharField(max_length=400, editable=False, db_index=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")

    kind = "organisation"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Case(models.When(parent__isnull=True, then=1)), name="accounts_one_root"
            )
        ]

    def before_write(self) -> None:
        self.name_folded = fold(self.name)

    @property
    def key(self) -> str:
        return self.slug

    @property
    def label(self) -> str:
        return self.name

    @property
    def owning_organisation(self) -> int | None:
        return self.pk


class OrganisationPath(models.Model):
    """The closure of the tree: every organisation with each of its ancestors and itself (distance 0)."""

    ancestor = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    descendant = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    distance = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("ancestor", "descendant", name="accounts_path")]

    def __str__(self) -> str:
        return f"{self.ancestor_id} > {self.descendant_id} ({self.distance})"


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email_folded=fold(username or ""))


class User(AbstractBaseUser, Numbered):
    """A person or a service account. Whoever leaves is deactivated; the name stays on what they did."""

    email = models.EmailField(max_length=254)
    email_folded = models.CharField(max_length=254, unique=True, editable=False)
    name = models.CharField(max_length=120)
    name_folded = models.CharField(max_length=400, editable=False, db_index=True, default="")
    zone = models.CharField(max_length=60, default="UTC", help_text="IANA time zone")
    is_active = models.BooleanField(default=True)
    is_service = models.BooleanField(default=False, help_text="acts by token only")
    can_sign_in = models.BooleanField(default=True, help_text="false: no pages, tokens only")
    valid_until = models.DateTimeField(null=True, blank=True, help_text="UTC, excluded; null: without end")

    USERNAME_FIELD = "email_folded"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    kind = "user"
    prefix = "USR"
    free_text = frozenset({"email", "email_folded", "name"})
    credentials = frozenset({"password", "last_login"})
    objects = UserManager()

    def __str__(self) -> str:
        return self.name

    def before_write(self) -> None:
        self.email_folded = fold(self.email)
        self.name_folded = fold(self.name)

    @property
    def label(self) -> str:
        return self.name

    def valid_at(self, at: datetime) -> bool:
        """Say whether the account stands at this instant."""
        return self.is_active and (self.valid_until is None or at < self.valid_until)

    def may_sign_in(self, at: datetime) -> bool:
        """Say whether its person may use the pages at this instant."""
        return self.valid_at(at) and self.can_sign_in and not self.is_service


class Team(Slugged):
    """People who own and do things together; what an inactive one was granted holds for nobody."""

    is_active = models.BooleanField(default=True)
    member_edits = models.PositiveIntegerField(
        default=0, editable=False, help_text="how often its members were changed: so that its version moves"
    )

    kind = "team"


class Membership(Row):
    team = models.ForeignKey(Team, models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint("team", "user", name="accounts_member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"

    @property
    def owning_organisation(self) -> int | None:
        return self.team.organisation_id


class Role(Versioned):
    """A named set of permissions (`context.verb`), one and the same in the whole tree.

    Those that are `built_in` come with Fairway and stay as they are; others are made by proposals.
    """

    slug = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    permissions = models.JSONField(default=list)
    position = models.PositiveSmallIntegerField(default=0)
    built_in = models.BooleanField(default=False)

    kind = "role"

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        return self.slug

    @property
    def label(self) -> str:
        return self.name


class RoleProposal(Versioned):
    """What one administrator would do to the roles; it is done once another confirms it.

    `name`, `description` and `permissions` are those the role would have. `read`: the version of the role it
    was proposed upon; where the role has moved on since, it cannot be confirmed.
    """

    class Action(models.TextChoices):
        CREATE = "create", _("new role")
        EDIT = "edit", _("change")
        REMOVE = "remove", _("removal")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CONFIRMED = "confirmed", _("confirmed")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    action = models.CharField(max_length=10, choices=Action)
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, related_name="proposals")
    read = models.PositiveIntegerField(null=True, blank=True)
    slug = models.CharField(max_length=60)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    permissions = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    proposer = models.ForeignKey(User, models.PROTECT, related_name="+")
    decider = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True, help_text="UTC")
    comment = models.TextField(blank=True)

    kind = "role-proposal"
    free_text = frozenset({"reason", "comment"})

    class Meta:
        constraints = [
            models.UniqueConstraint("slug", condition=Q(state="open"), name="accounts_one_open_proposal"),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | (Q(decider__isnull=False) & ~Q(decider=F("proposer"))),
                name="accounts_role_second_person",
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True)
                | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="accounts_proposal_decided",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.slug}"

    @property
    def label(self) -> str:
        return self.name


class Grant(Row):
    """Gives a role to a person or a team, on an organisation and the whole branch below."""

    role = models.ForeignKey(Role, models.PROTECT, related_name="grants")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="grants")
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="grants")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="grants")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, team__isnull=True) | Q(user__isnull=True, team__isnull=False),
                name="accounts_grant_to_one",
            ),
            models.UniqueConstraint("role", "organisation", "user", name="accounts_grant_user_once"),
            models.UniqueConstraint("role", "organisation", "team", name="accounts_grant_team_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role} on {self.organisation}"

    @property
    def owning_organisation(self) -> int | None:
        return self.organisation_id


class ApiToken(Row):
    """A key to the API: only its digest is stored; scoped, expiring, dead with its person."""

    user = models.ForeignKey(User, models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(
        max_length=8, editable=False, help_text="the first characters, to tell tokens apart"
    )
    scopes = models.JSONField(null=True, blank=True, help_text="permissions; null: all of the person's")
    created_at = models.DateTimeField(help_text="UTC")
    expires_at = models.DateTimeField(help_text="UTC, excluded")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="UTC")
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="UTC, to the hour or so")
    made_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="made", help_text="token it was made with"
    )

    unlogged = frozenset({"last_used_at"})
    credentials = frozenset({"digest"})

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def owning_organisation(self) -> int | None:
        return self.user.organisation_id


class Delegation(Row):
    """One person acts for another for a half-open period; neither may vote where the other may not."""

    giver = models.ForeignKey(User, models.PROTECT, related_name="delegations_given")
    taker = models.ForeignKey(User, models.PROTECT, related_name="delegations_taken")
    starts_at = models.DateTimeField(help_text="UTC, included")
    ends_at = models.DateTimeField(help_text="UTC, excluded")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="accounts_delegation_order"),
            models.CheckConstraint(condition=~Q(giver=F("taker")), name="accounts_delegation_two_people"),
        ]

    def __str__(self) -> str:
        return f"{self.giver} to {self.taker}"

    @property
    def owning_organisation(self) -> int | None:
        return self.giver.organisation_id


class RateRule(Row):
    """How many calls a person or service account may make: one of its own, one of a role, one for everybody.

    A bucket of `burst` calls that fills by `per_minute`; each process has its own.
    """

    user = models.OneToOneField(User, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.OneToOneField(Role, models.PROTECT, null=True, blank=True, related_name="+")
    per_minute = models.PositiveIntegerField()
    burst = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True) | Q(role__isnull=True), name="accounts_rate_for_one"
            ),
            models.CheckConstraint(condition=Q(per_minute__gte=1, burst__gte=1), name="accounts_rate_some"),
            models.UniqueConstraint(
                models.Case(models.When(role__isnull=True, then=1, user__isnull=True)),
                name="accounts_rate_for_all_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.per_minute} a minute for {self.user or self.role or 'everybody'}"

    @property
    def owning_organisation(self) -> int | None:
        return self.user.organisation_id if self.user is not None else None


class SignInFailure(models.Model):
    """How often signing in failed, per minute, for one name or from one address; by digest, kept a day."""

    minute = models.DateTimeField(help_text="UTC, start of the minute", db_index=True)
    key = models.CharField(max_length=64)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("key", "minute", name="accounts_failures_a_minute")]

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.count}"


class ShareLink(Row):
    """Lets whoever has it read what it names, as far as its maker may when it is opened; stored by digest.

    `what`: a resource of the API, or a record of one. `fields`: what of it is shown.
    """

    maker = models.ForeignKey(User, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    what = models.CharField(max_length=130)
    query = models.JSONField(default=dict)
    fields = models.JSONField(default=list)
    people = models.BooleanField(default=False, help_text="whether they are named")
    created_at = models.DateTimeField(help_text="UTC")
    expires_at = models.DateTimeField(help_text="UTC, excluded")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="UTC")

    credentials = frozenset({"digest"})
    free_text = frozenset({"name", "query"})

    def __str__(self) -> str:
        return f"{self.name} ({self.what})"

    @property
    def owning_organisation(self) -> int | None:
        return self.maker.organisation_id


class ShareOpening(models.Model):
    """How often a link was opened, and when last."""

    link = models.OneToOneField(ShareLink, models.CASCADE, related_name="opening")
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(help_text="UTC")

    def __str__(self) -> str:
        return f"{self.link} {self.count}"


class BulkRequest(models.Model):
    """Commands that wait for a job to run them, one a line: the name of each and its arguments."""

    blob = models.ForeignKey("kernel.Blob", models.PROTECT, related_name="+")
    created_at = models.DateTimeField(help_text="UTC")

    def __str__(self) -> str:
        return f"rows of {self.created_at}"
