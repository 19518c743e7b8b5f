"""What can be done to calendars: windows, lockdowns, working calendars."""

from fairway.calendars.commands.lockdowns import LOCKDOWN_STEPS as LOCKDOWN_STEPS
from fairway.calendars.commands.lockdowns import ApproveLockdown as ApproveLockdown
from fairway.calendars.commands.lockdowns import CancelLockdown as CancelLockdown
from fairway.calendars.commands.lockdowns import EnforceLockdown as EnforceLockdown
from fairway.calendars.commands.lockdowns import InFlight as InFlight
from fairway.calendars.commands.lockdowns import ReleaseLockdown as ReleaseLockdown
from fairway.calendars.commands.lockdowns import holds as holds
from fairway.calendars.commands.windows import ArchiveWindow as ArchiveWindow
from fairway.calendars.commands.windows import CreateWindow as CreateWindow
from fairway.calendars.commands.windows import EditWindow as EditWindow
from fairway.calendars.commands.windows import Instant as Instant
from fairway.calendars.commands.windows import PutWindow as PutWindow
from fairway.calendars.commands.windows import WindowEdit as WindowEdit
from fairway.calendars.commands.windows import altered as altered
from fairway.calendars.commands.windows import drafted as drafted
from fairway.calendars.commands.windows import is_called as is_called
from fairway.calendars.commands.windows import settings as settings
from fairway.calendars.commands.working import ArchiveWorkingCalendar as ArchiveWorkingCalendar
from fairway.calendars.commands.working import CreateWorkingCalendar as CreateWorkingCalendar
from fairway.calendars.commands.working import EditWorkingCalendar as EditWorkingCalendar
from fairway.calendars.commands.working import PutHoliday as PutHoliday
from fairway.calendars.commands.working import PutWorkingCalendar as PutWorkingCalendar
from fairway.calendars.commands.working import RemoveHoliday as RemoveHoliday
