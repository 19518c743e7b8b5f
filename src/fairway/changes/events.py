"""The events of changes, named for the command that each one records."""

from __future__ import annotations

from enum import StrEnum


class ChangeEvent(StrEnum):
    """The rows that an event holds are those of the change, its windows, items, places, implementers, votes.

    Where a step led to other states, `data` tells `verb` and the states `entered`, in order.
    """

    CREATE = "changes.change.create"
    EDIT = "changes.change.edit"
    CARRY = "changes.build.attach"
    UNCARRY = "changes.build.detach"
    RESCHEDULE = "changes.change.reschedule"
    RECORD = "changes.change.record"
    SUBMIT = "changes.change.submit"
    VOTE = "changes.change.vote"
    RETURN = "changes.change.return"
    START = "changes.change.start"
    COMPLETE = "changes.change.complete"
    CLOSE = "changes.change.close"
    CANCEL = "changes.change.cancel"
    HOLD = "changes.change.hold"
    RESUME = "changes.change.resume"
    LOCK = "changes.change.lock"
    ASK = "changes.change.ask"
    UNLOCK = "changes.change.unlock"
    PROPOSE = "changes.change.propose_edits"
    WITHDRAW = "changes.change.withdraw_edit"
    APPLY = "changes.change.apply_edits"
    DRIFT_NOTE = "changes.drift.note"
    DRIFT_DISMISS = "changes.drift.dismiss"
    DRIFT_PROPOSE = "changes.drift.propose"
    FEED_CREATE = "changes.feed.create"
    FEED_REVOKE = "changes.feed.revoke"
    WAIVER_REQUEST = "changes.waiver.request"
    WAIVER_KEEP = "changes.waiver.keep"
    WAIVER_GRANT = "changes.waiver.grant"
    WAIVER_REFUSE = "changes.waiver.refuse"
    WAIVER_REVOKE = "changes.waiver.revoke"
    WAIVER_QUOTA = "changes.waiver_quota.set"
    PIN = "changes.pin.put"
    UNPIN = "changes.pin.remove"
    COLLISION = "changes.conflict.handle"
