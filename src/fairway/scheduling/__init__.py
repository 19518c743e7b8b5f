"""Time as arithmetic: sets of intervals and recurring windows; pure."""

from fairway.scheduling.intervals import EMPTY as EMPTY
from fairway.scheduling.intervals import IntervalSet as IntervalSet
from fairway.scheduling.recurrence import MOST_OCCURRENCES as MOST_OCCURRENCES
from fairway.scheduling.recurrence import Recurrence as Recurrence
from fairway.scheduling.recurrence import local_to_utc as local_to_utc
from fairway.scheduling.recurrence import zone as zone
from fairway.scheduling.rules import WEEKDAYS as WEEKDAYS
from fairway.scheduling.rules import Frequency as Frequency
from fairway.scheduling.rules import Rule as Rule
