"""Workbooks (.xlsx) in: the first sheet as a table, its formulas as the values they had when it was saved.

A workbook is a zip of XML: what it may swell to is capped before anything is unpacked, and a document type (which
is where entities come from) is refused.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from hub.core.csv import MAX_BYTES, MAX_CELL, MAX_COLUMNS, MAX_ROWS, Note, Sheet, Unreadable, read_csv, sheet_of

ZIP = b"PK\x03\x04"
OLD = b"\xd0\xcf\x11\xe0"  # .xls, and any workbook with a password
MAX_UNPACKED = 64 * 1024 * 1024
MAX_PARTS = 500
MAX_CELLS = 1_000_000
PROLOG = re.compile(rb"(\xef\xbb\xbf)?\s*(<\?[^>]*\?>\s*|<!--.*?-->\s*)*<[A-Za-z_]", re.DOTALL)
LAST_ROW = 100_000  # a sheet may leave rows out; that many may not be stepped over


def is_workbook(data: bytes) -> bool:
    """True for a zip: what a worker had better read."""
    return data.startswith(ZIP)


def read_table(data: bytes, *, repair: bool = False) -> Sheet:
    """Read an uploaded table, whatever a spreadsheet program wrote. Raises Unreadable."""
    return read_workbook(data, repair=repair) if is_workbook(data) else read_csv(data, repair=repair)


def check_upload(data: bytes) -> None:
    """Refuse at once what can't be a table, by its first bytes and its list of parts. Raises Unreadable."""
    if data.startswith(OLD):
        raise Unreadable(Note("old_workbook"))
    if is_workbook(data):
        _parts(data).close()


def read_workbook(data: bytes, *, repair: bool = False) -> Sheet:
    """Read the first visible sheet of a workbook; a line's number is its row's. Raises Unreadable."""
    with _parts(data) as parts:
        for name in parts.namelist():
            if name.endswith((".xml", ".rels")) and _has_document_type(parts, name):
                raise Unreadable(Note("broken_workbook"))
    from openpyxl.reader.excel import load_workbook  # here: most processes never see a workbook

    book = None
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
        if not shown:
            raise Unreadable(Note("empty"))
        notes = [Note("first_sheet", {"count": len(shown), "name": shown[0].title})] if len(shown) > 1 else []
        return sheet_of(list(_records(shown[0])), "xlsx", "", notes, repair=repair)
    except Unreadable:
        raise
    except Exception as error:  # a library's many ways of saying that the XML makes no sense
        raise Unreadable(Note("broken_workbook")) from error
    finally:
        if book is not None:
            book.close()


def _parts(data: bytes) -> zipfile.ZipFile:
    """Open the zip and look at its list: nothing is unpacked. Raises Unreadable."""
    if len(data) > MAX_BYTES:
        raise Unreadable(Note("too_large", {"limit": MAX_BYTES // 1024 // 1024}))
    try:
        parts = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise Unreadable(Note("broken_workbook")) from error
    infos = parts.infolist()
    names = {info.filename for info in infos}
    wrong = ""
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        wrong = "macros"
    elif "mimetype" in names or "word/document.xml" in names or "ppt/presentation.xml" in names:
        wrong = "other_workbook"
    elif "xl/workbook.xml" not in names or len(names) < len(infos) or parts.comment or parts.start_dir > len(data):
        wrong = "broken_workbook"
    elif min(info.header_offset for info in infos) or any(info.flag_bits & 1 for info in infos):
        wrong = "broken_workbook"  # something stands before the first part, or a part is encrypted
    elif len(infos) > MAX_PARTS or sum(info.file_size for info in infos) > MAX_UNPACKED:
        parts.close()
        raise _too_large()
    if wrong:
        parts.close()
        raise Unreadable(Note(wrong))
    return parts


def _too_large() -> Unreadable:
    return Unreadable(Note("large_workbook", {"limit": MAX_UNPACKED // 1024 // 1024, "cells": MAX_CELLS}))


def _has_document_type(parts: zipfile.ZipFile, name: str) -> bool:
    """Tell whether anything but remarks stands before a part's first element; no workbook needs a document type."""
    try:
        with parts.open(name) as part:
            head = part.read(4096)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise Unreadable(Note("broken_workbook")) from error
    return PROLOG.match(head) is None


def _records(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that hold something, with their number."""
    cells = filled = 0
    sheet.reset_dimensions()  # what a file says of its own size is not to be believed
    for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS + 1), start=1):
        cells += len(row)
        if number > LAST_ROW or cells > MAX_CELLS:
            raise _too_large()
        texts = [_text(cell) for cell in row]
        if not any(text.strip() for text in texts):
            continue
        filled += 1
        if filled > MAX_ROWS + 1:
            raise Unreadable(Note("too_many_rows", {"limit": MAX_ROWS}))
        if any(len(text) > MAX_CELL for text in texts):
            raise Unreadable(Note("cell_too_long", {"line": number, "limit": MAX_CELL}))
        yield number, texts


def _text(cell: object) -> str:
    """Write a cell's value as a CSV of it would."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
