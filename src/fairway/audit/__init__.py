"""The frame that runs commands and records them; the append-only event log."""
