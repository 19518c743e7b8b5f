"""What can be told of search words without a database; pure."""

from fairway.workspace.rules.matching import Found as Found
from fairway.workspace.rules.matching import Rank as Rank
from fairway.workspace.rules.matching import Terms as Terms
from fairway.workspace.rules.matching import marked as marked
from fairway.workspace.rules.matching import ordered as ordered
from fairway.workspace.rules.matching import passage as passage
from fairway.workspace.rules.matching import rank as rank
from fairway.workspace.rules.matching import read_terms as read_terms
from fairway.workspace.rules.words import folded as folded
from fairway.workspace.rules.words import index as index
from fairway.workspace.rules.words import words as words
