"""What can be done to environments, to what stands in them, and to their groups and links."""

from fairway.environments.commands.environments import ArchiveEnvironment as ArchiveEnvironment
from fairway.environments.commands.environments import CreateEnvironment as CreateEnvironment
from fairway.environments.commands.environments import CreateInstance as CreateInstance
from fairway.environments.commands.environments import EditEnvironment as EditEnvironment
from fairway.environments.commands.environments import PutEnvironment as PutEnvironment
from fairway.environments.commands.environments import PutInstance as PutInstance
from fairway.environments.commands.environments import RemoveInstance as RemoveInstance
from fairway.environments.commands.groups import ArchiveEnvironmentGroup as ArchiveEnvironmentGroup
from fairway.environments.commands.groups import CreateEnvironmentGroup as CreateEnvironmentGroup
from fairway.environments.commands.groups import EditEnvironmentGroup as EditEnvironmentGroup
from fairway.environments.commands.groups import PutEnvironmentGroup as PutEnvironmentGroup
from fairway.environments.commands.links import CreateEnvironmentLink as CreateEnvironmentLink
from fairway.environments.commands.links import PutEnvironmentLink as PutEnvironmentLink
from fairway.environments.commands.links import RemoveEnvironmentLink as RemoveEnvironmentLink
