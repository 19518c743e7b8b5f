"""The events of environments, named for the command that each one records."""

from __future__ import annotations

from enum import StrEnum


class EnvironmentEvent(StrEnum):
    """The rows that an event holds are those of environment, instance, group or link, before and after."""

    ENVIRONMENT_CREATE = "environments.environment.create"
    ENVIRONMENT_EDIT = "environments.environment.edit"
    ENVIRONMENT_PUT = "environments.environment.put"
    ENVIRONMENT_ARCHIVE = "environments.environment.archive"
    INSTANCE_CREATE = "environments.instance.create"
    INSTANCE_PUT = "environments.instance.put"
    INSTANCE_REMOVE = "environments.instance.remove"
    GROUP_CREATE = "environments.group.create"
    GROUP_EDIT = "environments.group.edit"
    GROUP_PUT = "environments.group.put"
    GROUP_ARCHIVE = "environments.group.archive"
    LINK_CREATE = "environments.link.create"
    LINK_PUT = "environments.link.put"
    LINK_REMOVE = "environments.link.remove"
