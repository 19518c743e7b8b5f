"""What can be done to items and relations."""

from fairway.catalog.commands.items import ArchiveItem as ArchiveItem
from fairway.catalog.commands.items import CreateItem as CreateItem
from fairway.catalog.commands.items import EditItem as EditItem
from fairway.catalog.commands.items import PutItem as PutItem
from fairway.catalog.commands.redundancy import CreateRedundancy as CreateRedundancy
from fairway.catalog.commands.redundancy import EditRedundancy as EditRedundancy
from fairway.catalog.commands.redundancy import PutRedundancy as PutRedundancy
from fairway.catalog.commands.redundancy import RemoveRedundancy as RemoveRedundancy
from fairway.catalog.commands.relations import CreateRelation as CreateRelation
from fairway.catalog.commands.relations import PutRelation as PutRelation
from fairway.catalog.commands.relations import RemoveRelation as RemoveRelation
