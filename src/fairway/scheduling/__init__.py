"""Time as arithmetic: sets of intervals and recurring windows; pure."""

from fairway.scheduling.intervals import EMPTY as EMPTY
from fairway.scheduling.intervals import IntervalSet as IntervalSet
from fairway.scheduling.recurrence import MOST_OCCURRENCES as MOST_OCCURRENCES
from fairway.scheduling.recurrence import Recurrence as Recurrence
from fairway.scheduling.recurrence import is_skipped as is_skipped
from fairway.scheduling.recurrence import local_to_utc as local_to_utc
from fairway.scheduling.recurrence import zone as zone
from fairway.scheduling.rules import WEEKDAYS as WEEKDAYS
from fairway.scheduling.rules import Frequency as Frequency
from fairway.scheduling.rules import Rule as Rule
from fairway.scheduling.slots import Load as Load
from fairway.scheduling.slots import Measure as Measure
from fairway.scheduling.slots import Part as Part
from fairway.scheduling.slots import Share as Share
from fairway.scheduling.slots import Slot as Slot
from fairway.scheduling.slots import clear as clear
from fairway.scheduling.slots import inside as inside
from fairway.scheduling.slots import ranked as ranked
from fairway.scheduling.slots import shares as shares
from fairway.scheduling.working import WEEK as WEEK
from fairway.scheduling.working import WorkingTime as WorkingTime
from fairway.scheduling.working import local_days as local_days
from fairway.scheduling.working import read_shifts as read_shifts
from fairway.scheduling.working import read_week as read_week
from fairway.scheduling.working import written_week as written_week
