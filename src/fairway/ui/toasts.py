"""Messages that stand for a while at the corner of the screen, some with a way back."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def done(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Tell on the next page that something was done; undo is the path that a POST undoes it at."""
    messages.success(request, text, extra_tags=f"undo {undo}" if undo else "")


def failed(request: HttpRequest, text: str) -> None:
    """Tell on the next page that something was not done, and what to do."""
    messages.error(request, text)


def put(response: HttpResponseBase, text: str, *, undo: str = "", tone: str = "ok") -> None:
    """Tell at once, on an answer that htmx swaps into the page."""
    response.headers["HX-Trigger"] = json.dumps({"toast": {"text": text, "undo": undo, "tone": tone}})
