"""The tables of the workspace, a module for each part."""

from fairway.workspace.models.attachments import Attachment as Attachment
from fairway.workspace.models.comments import Comment as Comment
from fairway.workspace.models.comments import Mention as Mention
from fairway.workspace.models.fields import FieldDefinition as FieldDefinition
from fairway.workspace.models.fields import FieldValue as FieldValue
from fairway.workspace.models.following import Notification as Notification
from fairway.workspace.models.following import NotificationSettings as NotificationSettings
from fairway.workspace.models.following import Told as Told
from fairway.workspace.models.following import Watch as Watch
from fairway.workspace.models.grids import ListColumns as ListColumns
from fairway.workspace.models.search import SearchRow as SearchRow
from fairway.workspace.models.views import SavedView as SavedView
from fairway.workspace.models.views import ViewChoice as ViewChoice
