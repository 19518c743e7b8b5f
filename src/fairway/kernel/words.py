"""Texts of the catalogues where thousands are needed for one answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.utils.translation import get_language, gettext, ngettext

_language: ContextVar[str | None] = ContextVar("language")


@contextmanager
def one_language() -> Iterator[None]:
    """Let everything inside be told in the language of now; asking Django for it is slow."""
    token = _language.set(get_language())
    try:
        yield
    finally:
        _language.reset(token)


def remembered(text: str) -> str:
    """Translate as gettext does, at a tenth of its cost within `one_language`."""
    return _known(_present(), text)


def remembered_plural(one: str, many: str, count: int) -> str:
    """Translate as ngettext does."""
    return _known_plural(_present(), one, many, count)


def _present() -> str | None:
    try:
        return _language.get()
    except LookupError:
        return get_language()


@lru_cache(maxsize=4_096)
def _known(_language: str | None, text: str) -> str:
    return gettext(text)


@lru_cache(maxsize=4_096)
def _known_plural(_language: str | None, one: str, many: str, count: int) -> str:
    return ngettext(one, many, count)
