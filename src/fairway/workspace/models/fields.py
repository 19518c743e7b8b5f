"""Custom fields: their definitions, and the values that lists are filtered by."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from fairway.kernel.models import Record
from fairway.workspace.rules.fields import Definition, Option, Type


class FieldDefinition(Record):
    """A field that records of one subject have beside those they are made with.

    It holds for the branch of its organisation; its name is unique per subject in the whole tree.
    """

    subject = models.CharField(max_length=20)
    name = models.CharField(max_length=60)
    title = models.CharField(max_length=80, help_text="what forms and pages call it")
    help = models.CharField(max_length=300, blank=True)
    type = models.CharField(
        max_length=10,
        choices=[
            ("text", _("Text")), ("long_text", _("Long text")), ("number", _("Number")),
            ("integer", _("Whole number")), ("boolean", _("Yes or no")), ("date", _("Date")),
            ("instant", _("Date and time")), ("list", _("List")), ("multi_list", _("List, several")),
            ("user", _("Person")), ("item", _("Item")), ("link", _("Link")),
        ],
    )  # fmt: skip
    kinds = models.JSONField(default=list, blank=True, help_text="keys of kinds of the subject; none: all")
    options = models.JSONField(default=list, blank=True, help_text="key, label, description, retired")
    mandatory = models.BooleanField(default=False)
    default = models.JSONField(null=True, blank=True)
    minimum = models.FloatField(null=True, blank=True)
    maximum = models.FloatField(null=True, blank=True)
    viewers = models.JSONField(default=list, blank=True, help_text="keys of roles; none: who sees the record")
    editors = models.JSONField(
        default=list, blank=True, help_text="keys of roles; none: who edits the record"
    )
    filterable = models.BooleanField(default=True, help_text="lists can be filtered by it")
    group = models.CharField(max_length=80, blank=True, help_text="the heading that it stands below")
    position = models.PositiveSmallIntegerField(default=0)

    kind = "field-definition"

    class Meta:
        constraints = [models.UniqueConstraint("subject", "name", name="workspace_field_once")]

    @property
    def key(self) -> str:
        return f"{self.subject}.{self.name}"

    @property
    def label(self) -> str:
        return self.title

    def definition(self) -> Definition:
        """Return it as the rules take it."""
        return Definition(
            pk=self.pk,
            uid=str(self.uid),
            subject=self.subject,
            name=self.name,
            label=self.title,
            type=Type(self.type),
            organisation=self.organisation_id,
            help=self.help,
            kinds=frozenset(self.kinds),
            options=tuple(Option(**option) for option in self.options),
            mandatory=self.mandatory,
            default=self.default,
            minimum=self.minimum,
            maximum=self.maximum,
            viewers=frozenset(self.viewers),
            editors=frozenset(self.editors),
            filterable=self.filterable,
            group=self.group,
            archived=self.archived_at is not None,
        )


class FieldValue(models.Model):
    """A value of a field by which lists are filtered: a projection of what the records hold."""

    id = models.BigAutoField(primary_key=True)
    definition = models.ForeignKey(FieldDefinition, models.CASCADE, related_name="+")
    record = models.BigIntegerField(help_text="primary key of the record, in the table of the subject")
    text = models.CharField(max_length=200, null=True, help_text="folded")  # noqa: DJ001  (one of three)
    number = models.FloatField(null=True)
    instant = models.DateTimeField(null=True, help_text="UTC")

    class Meta:
        indexes = [
            models.Index("definition", "text", "record", name="workspace_value_by_text"),
            models.Index("definition", "number", "record", name="workspace_value_by_number"),
            models.Index("definition", "instant", "record", name="workspace_value_by_instant"),
            models.Index("record", "definition", name="workspace_value_by_record"),
        ]

    def __str__(self) -> str:
        return f"{self.definition_id} of {self.record}"
