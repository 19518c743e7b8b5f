"""Windows: whom they concern, what they stop and what they say about a time; pure."""

from fairway.calendars.rules.calendar import NOTHING_PASSES as NOTHING_PASSES
from fairway.calendars.rules.calendar import Calendar as Calendar
from fairway.calendars.rules.calendar import Passes as Passes
from fairway.calendars.rules.calendar import applies as applies
from fairway.calendars.rules.conditions import NOTICES as NOTICES
from fairway.calendars.rules.conditions import Facts as Facts
from fairway.calendars.rules.conditions import condition as condition
from fairway.calendars.rules.conditions import reads as reads
from fairway.calendars.rules.windows import CONDITION as CONDITION
from fairway.calendars.rules.windows import FREEZE as FREEZE
from fairway.calendars.rules.windows import LAST_YEAR as LAST_YEAR
from fairway.calendars.rules.windows import NOTE as NOTE
from fairway.calendars.rules.windows import OUTSIDE_MAINTENANCE as OUTSIDE_MAINTENANCE
from fairway.calendars.rules.windows import STOPPED as STOPPED
from fairway.calendars.rules.windows import WAIVED_BY as WAIVED_BY
from fairway.calendars.rules.windows import Activity as Activity
from fairway.calendars.rules.windows import Kind as Kind
from fairway.calendars.rules.windows import Lane as Lane
from fairway.calendars.rules.windows import Scope as Scope
from fairway.calendars.rules.windows import Target as Target
from fairway.calendars.rules.windows import Window as Window
