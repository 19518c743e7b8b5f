"""What the server writes to its own log: never an address that opens something by itself."""

from __future__ import annotations

import logging
import re

SECRET = re.compile(r"(?<=/)(join/[^/\s]+|shared|feeds)/[^/\s]+")
"""Addresses whose last part is a key: of an invitation, a link, a calendar feed."""


class WithoutKeys(logging.Filter):
    """Takes the key out of an address that was refused or failed: whoever reads the log could use it."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = record.getMessage()
        veiled = SECRET.sub(r"\1/…", told)
        if veiled != told:
            record.msg, record.args = veiled, ()
        return True
