"""What can be done in the workspace, a module for each part."""

from fairway.workspace.commands.comments import CreateComment as CreateComment
from fairway.workspace.commands.comments import EditComment as EditComment
from fairway.workspace.commands.comments import WithdrawComment as WithdrawComment
from fairway.workspace.commands.fields import ArchiveField as ArchiveField
from fairway.workspace.commands.fields import CreateField as CreateField
from fairway.workspace.commands.fields import EditField as EditField
from fairway.workspace.commands.fields import OptionBody as OptionBody
from fairway.workspace.commands.fields import OrderFields as OrderFields
from fairway.workspace.commands.fields import RestoreField as RestoreField
from fairway.workspace.commands.following import EditSettings as EditSettings
from fairway.workspace.commands.following import SetWatch as SetWatch
from fairway.workspace.commands.following import mark_read as mark_read
from fairway.workspace.commands.grids import ChooseColumns as ChooseColumns
from fairway.workspace.commands.indexing import Searchable as Searchable
from fairway.workspace.commands.indexing import fill as fill
from fairway.workspace.commands.indexing import rebuild as rebuild
from fairway.workspace.commands.indexing import searchable as searchable
from fairway.workspace.commands.subjects import register as register
from fairway.workspace.commands.undoing import UndoEvent as UndoEvent
from fairway.workspace.commands.undoing import undo_of as undo_of
from fairway.workspace.commands.views import ArchiveView as ArchiveView
from fairway.workspace.commands.views import ChooseView as ChooseView
from fairway.workspace.commands.views import CreateView as CreateView
from fairway.workspace.commands.views import EditView as EditView
