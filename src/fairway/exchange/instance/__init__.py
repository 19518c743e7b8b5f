"""The whole instance as one open file, and back: every record, the event log and every kept byte.

The file is a ZIP of NDJSON, one line a record: canonical JSON, references by uid, instants in UTC with
microseconds, ordered by uid. The same records give the same bytes, on whichever database they stand.
"""

from fairway.exchange.instance.reading import Restored as Restored
from fairway.exchange.instance.reading import read as read
from fairway.exchange.instance.writing import write as write
