"""The policy of changes: their workflow, its proof, and what an approval approves; pure."""

from fairway.changes.rules.content import Content as Content
from fairway.changes.rules.content import digest as digest
from fairway.changes.rules.proof import Flaw as Flaw
from fairway.changes.rules.proof import prove as prove
from fairway.changes.rules.workflow import CONDITIONS as CONDITIONS
from fairway.changes.rules.workflow import Advance as Advance
from fairway.changes.rules.workflow import Approval as Approval
from fairway.changes.rules.workflow import Edge as Edge
from fairway.changes.rules.workflow import State as State
from fairway.changes.rules.workflow import Who as Who
from fairway.changes.rules.workflow import Workflow as Workflow
from fairway.changes.rules.workflow import read as read
from fairway.changes.rules.workflow import relations as relations
