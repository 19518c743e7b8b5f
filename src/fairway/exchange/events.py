"""The events of imports, named for the command that each one records."""

from __future__ import annotations

from enum import StrEnum


class ExchangeEvent(StrEnum):
    """What an import stores stands in events of its own, one for each record."""

    IMPORT_START = "exchange.import.start"
    IMPORT_CHECK = "exchange.import.check"
    IMPORT_RUN = "exchange.import.run"
    IMPORT_CANCEL = "exchange.import.cancel"
    MAPPING_PUT = "exchange.mapping.put"
