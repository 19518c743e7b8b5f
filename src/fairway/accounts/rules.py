"""What can be permitted; pure. The built-in roles are rows, made by a migration."""

from __future__ import annotations

PERMISSIONS = {
    "accounts.view": "See people, teams and the organisation tree",
    "accounts.invite": "Invite people and manage teams",
    "accounts.share": "Make read-only links for whoever has them",
    "accounts.administer": "Manage organisations, grants and other people's tokens",
    "workspace.configure": "Define fields of records",
    "catalog.view": "See configuration items and relations",
    "catalog.edit": "Create and edit configuration items and relations",
    "catalog.configure": "Define kinds of items and relations",
    "catalog.register": "Register builds, accept and reject them",
    "catalog.import": "Import items and relations",
    "environments.view": "See environments",
    "environments.edit": "Create and edit environments",
    "calendars.view": "See freezes and maintenance windows",
    "calendars.edit": "Create and edit freezes and maintenance windows",
    "changes.view": "See changes",
    "changes.request": "Request changes and edit one's own",
    "changes.edit": "Edit other people's changes",
    "changes.assess": "Assess changes",
    "changes.approve": "Approve or reject changes",
    "changes.implement": "Start and complete changes",
    "changes.manage": "Return, hold, cancel and close any change",
    "changes.import": "Import past changes",
    "workspace.comment": "Comment on records and attach files to them",
    "workspace.share": "Share saved views with teams and organisations",
    "jobs.view": "See other people's jobs and webhooks",
    "jobs.manage": "Cancel, repeat and discard other people's jobs",
    "jobs.subscribe": "Send events to other systems by webhooks",
    "audit.view": "See the history of what one may see",
    "decisions.ask": "Ask whether something may be done",
}
"""Every permission (`context.verb`) and what it means."""
