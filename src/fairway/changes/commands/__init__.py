"""What can be done with changes."""

from fairway.changes.commands import projecting as projecting
from fairway.changes.commands.recording import RecordChange as RecordChange
from fairway.changes.commands.stepping import STEPS as STEPS
from fairway.changes.commands.stepping import CancelChange as CancelChange
from fairway.changes.commands.stepping import CloseChange as CloseChange
from fairway.changes.commands.stepping import CompleteChange as CompleteChange
from fairway.changes.commands.stepping import HoldChange as HoldChange
from fairway.changes.commands.stepping import ResumeChange as ResumeChange
from fairway.changes.commands.stepping import ReturnChange as ReturnChange
from fairway.changes.commands.stepping import StartChange as StartChange
from fairway.changes.commands.stepping import SubmitChange as SubmitChange
from fairway.changes.commands.stepping import VoteOnChange as VoteOnChange
from fairway.changes.commands.taking import permitted as permitted
from fairway.changes.commands.writing import CreateChange as CreateChange
from fairway.changes.commands.writing import EditChange as EditChange
from fairway.changes.commands.writing import RescheduleChange as RescheduleChange
