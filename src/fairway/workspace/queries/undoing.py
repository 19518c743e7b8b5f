"""What can be taken back."""

from __future__ import annotations

from datetime import datetime

import msgspec

from fairway.audit.commands import UNDO_FOR, Command, LoggedEvent, registry
from fairway.workspace.events import WorkspaceEvent

MOST_UNDONE = 5_000


def undoable(event: LoggedEvent) -> type[Command] | None:
    """Return the command whose doing an event tells of, where that may be taken back; None: it may not.

    An undoing tells of the command that it took back: whoever may do that may also do it anew.
    """
    return undoable_command(event.command, msgspec.json.decode(event.data, type=dict[str, object]))


def undoable_command(name: str, data: dict[str, object]) -> type[Command] | None:
    """Return the same for an event told by name and facts."""
    if name == WorkspaceEvent.UNDO:
        name = str(data.get("command", ""))
    command = registry.get(name)
    return command if command is not None and command.undoable else None


def undo_in_time(event: LoggedEvent, *, at: datetime) -> bool:
    """Say whether it is not too late to take an event back."""
    return at - datetime.fromisoformat(event.at) <= UNDO_FOR


def may_offer_undo(told: dict[str, object], *, at: datetime) -> bool:
    """Say whether a history may offer to take an event back, as `audit.history` tells it."""
    data = told["data"]
    if not isinstance(data, dict) or undoable_command(str(told["command"]), data) is None:
        return False
    return at - datetime.fromisoformat(str(told["at"])) <= UNDO_FOR
