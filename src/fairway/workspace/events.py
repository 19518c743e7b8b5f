"""The events of the workspace, named for the command that each one records.

Those about comments and attachments have the record they belong to as their subject.
"""

from __future__ import annotations

from enum import StrEnum


class WorkspaceEvent(StrEnum):
    """Rows are those of comment, mention, view or choice; the words of a comment stand beside the chain."""

    COMMENT_CREATE = "workspace.comment.create"
    COMMENT_EDIT = "workspace.comment.edit"
    COMMENT_WITHDRAW = "workspace.comment.withdraw"
    ATTACHMENT_CREATE = "workspace.attachment.create"
    ATTACHMENT_REMOVE = "workspace.attachment.remove"
    WATCH_SET = "workspace.watch.set"
    SETTINGS_EDIT = "workspace.settings.edit"
    VIEW_CREATE = "workspace.view.create"
    VIEW_EDIT = "workspace.view.edit"
    VIEW_ARCHIVE = "workspace.view.archive"
    VIEW_CHOOSE = "workspace.view.choose"
    UNDO = "workspace.event.undo"
    COLUMNS_CHOOSE = "workspace.columns.choose"
