"""The command frame: the one way in which anything is written.

A command has two parts: `plan` reads and decides, the frame applies: in one transaction it locks, plans,
writes the
rows, brings the projections up to date and appends the event last. Page, API, command line, import and job
call the same commands through `execute`.
"""

from fairway.audit.commands.command import Command as Command
from fairway.audit.commands.command import Outcome as Outcome
from fairway.audit.commands.command import Plan as Plan
from fairway.audit.commands.command import build as build
from fairway.audit.commands.command import convert as convert
from fairway.audit.commands.command import expect as expect
from fairway.audit.commands.command import invalid as invalid
from fairway.audit.commands.command import refused as refused
from fairway.audit.commands.command import registry as registry
from fairway.audit.commands.journal import Journal as Journal
from fairway.audit.commands.journal import projection as projection
from fairway.audit.commands.once import Attempt as Attempt
from fairway.audit.commands.once import Told as Told
from fairway.audit.commands.once import claim as claim
from fairway.audit.commands.restoring import project as project
from fairway.audit.commands.restoring import require_unwritten as require_unwritten
from fairway.audit.commands.restoring import restore_log as restore_log
from fairway.audit.commands.running import execute as execute
from fairway.audit.commands.running import execute_at_once as execute_at_once
from fairway.audit.commands.running import execute_many as execute_many
from fairway.audit.commands.running import preview as preview
from fairway.audit.commands.running import preview_many as preview_many
from fairway.audit.commands.undoing import UNDO_FOR as UNDO_FOR
from fairway.audit.commands.undoing import Moved as Moved
from fairway.audit.commands.undoing import inverse as inverse
from fairway.audit.rules import LoggedEvent as LoggedEvent
from fairway.audit.rules import canonical as canonical
from fairway.audit.rules import instant as instant
