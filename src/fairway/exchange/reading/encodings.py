"""Which bytes are text, and in which encoding; pure."""

from __future__ import annotations

import codecs
from typing import BinaryIO, Final

from fairway.exchange.reading.parts import unreadable
from fairway.kernel.errors import Invalid

_CHUNK: Final = 1 << 20

ENCODINGS: Final = (
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32",
    "latin-1", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-9", "iso8859-15",
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257", "cp437", "cp850", "mac-roman",
    "koi8-r", "shift_jis", "euc-jp", "euc-kr", "gb18030", "big5",
)  # fmt: skip

_SIGNATURES: Final = (
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet such as XLSX; save the sheet as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an old office document such as XLS; save the sheet as CSV (UTF-8)"),
    (b"%PDF-", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ\x00", "an xz archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"),
)
_MARKS: Final = (  # the longer marks first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "UTF-32", "utf-32"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16"),
)


def check_encoding(name: str) -> str:
    """Return the encoding as Python names it, the mark of UTF-8 accepted.

    :raises Invalid: not one of `ENCODINGS`.
    """
    wanted = name.strip().lower().replace("_", "-")
    wanted = {"utf8": "utf-8", "utf-8-sig": "utf-8", "iso-8859-1": "latin-1", "shift-jis": "shift_jis"}.get(
        wanted, wanted.replace("iso-8859", "iso8859").replace("windows-", "cp")
    )
    if wanted not in ENCODINGS:
        raise Invalid.field(
            "encoding", f"“{name[:40]}” is not an encoding known here; use one of {', '.join(ENCODINGS)}."
        )
    return wanted


def marked(source: BinaryIO) -> str | None:
    """Return the encoding that a byte order mark tells, or None without one."""
    source.seek(0)
    head = source.read(4)
    source.seek(0)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8"
    return next((codec for mark, _, codec in _MARKS if head.startswith(mark)), None)


def check_text(source: BinaryIO, encoding: str, what: str) -> None:
    """Check that the whole source is text in an encoding, reading it once.

    :raises Invalid: it is something else; says what, at which byte and line, and what would be right.
    """
    refuse_signatures(source, encoding, what)
    refuse_other_encodings(source, encoding)
    source.seek(0)


def refuse_signatures(source: BinaryIO, encoding: str, what: str = "CSV") -> None:
    source.seek(0)
    head = source.read(4096)
    for signature, meaning in _SIGNATURES:
        if head.startswith(signature):
            raise unreadable(f"The file is not {what} but {meaning}.", byte=0, line=1)
    if not encoding.startswith(("utf-16", "utf-32")):
        for mark, name, codec in _MARKS:
            if head.startswith(mark):
                raise unreadable(
                    f"The file starts with the byte order mark of {name} (byte 0, line 1), not in {encoding};"
                    f" name its encoding: --encoding {codec}.",
                    byte=0,
                    line=1,
                )
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if even + odd > len(head) // 4:
            at = head.index(0)
            codec = "utf-16-le" if odd > even else "utf-16-be"
            meant = (
                f"it looks like UTF-16 without a byte order mark; name its encoding: --encoding {codec}"
                if abs(even - odd) > len(head) // 4
                else "this is no text"
            )
            raise unreadable(f"Byte {at} (line {head[:at].count(10) + 1}) is NUL: {meant}.", byte=at, line=1)


def refuse_other_encodings(source: BinaryIO, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    source.seek(0)
    offset, line = 0, 1
    while True:
        chunk = source.read(_CHUNK)
        before = decoder.getstate()
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as fault:
            pending = len(fault.object) - len(chunk)
            at = offset - pending + fault.start
            good = max(fault.start - pending, 0)
            decoder.setstate(before)
            line += decoder.decode(chunk[:good]).count("\n")
            raise unreadable(
                f"Byte {at:,} (line {line:,}), {fault.object[fault.start]:#04x}, is not {encoding}:"
                f" {_other_encoding(encoding)}.",
                byte=at,
                line=line,
            ) from fault
        if not chunk:
            return
        offset += len(chunk)
        line += text.count("\n")


def _other_encoding(encoding: str) -> str:
    if encoding == "utf-8":
        return "save the file as UTF-8, or name its encoding, for files from Windows mostly --encoding cp1252"
    return "name the encoding that the file is in with --encoding, or save it as UTF-8"
