"""What can be done to items and relations."""

from fairway.catalog.commands.items import ArchiveItem as ArchiveItem
from fairway.catalog.commands.items import CreateItem as CreateItem
from fairway.catalog.commands.items import EditItem as EditItem
from fairway.catalog.commands.items import PutItem as PutItem
from fairway.catalog.commands.items import archive_under as archive_under
from fairway.catalog.commands.items import edit_under as edit_under
from fairway.catalog.commands.kinds import ArchiveItemKind as ArchiveItemKind
from fairway.catalog.commands.kinds import ArchiveRelationKind as ArchiveRelationKind
from fairway.catalog.commands.kinds import CreateItemKind as CreateItemKind
from fairway.catalog.commands.kinds import CreateRelationKind as CreateRelationKind
from fairway.catalog.commands.kinds import EditItemKind as EditItemKind
from fairway.catalog.commands.kinds import EditRelationKind as EditRelationKind
from fairway.catalog.commands.kinds import OrderItemKinds as OrderItemKinds
from fairway.catalog.commands.kinds import OrderRelationKinds as OrderRelationKinds
from fairway.catalog.commands.kinds import RestoreItemKind as RestoreItemKind
from fairway.catalog.commands.kinds import RestoreRelationKind as RestoreRelationKind
from fairway.catalog.commands.redundancy import CreateRedundancy as CreateRedundancy
from fairway.catalog.commands.redundancy import EditRedundancy as EditRedundancy
from fairway.catalog.commands.redundancy import PutRedundancy as PutRedundancy
from fairway.catalog.commands.redundancy import RemoveRedundancy as RemoveRedundancy
from fairway.catalog.commands.relations import CreateRelation as CreateRelation
from fairway.catalog.commands.relations import PutRelation as PutRelation
from fairway.catalog.commands.relations import RemoveRelation as RemoveRelation
from fairway.catalog.commands.relations import relate_under as relate_under
