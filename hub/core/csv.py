"""Tables as files: CSV out that no spreadsheet executes, CSV in from whatever a spreadsheet wrote."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.http import HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 100
MAX_CELL = 20_000

BOM = "\ufeff"
# A cell that starts so is a formula to Excel, LibreOffice or Sheets; the full-width twins are to some of them.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
DELIMITERS = ",;\t|"
# Letters that people who write English or French really use. A guessed encoding is as good as its share of them.
FAMILIAR = frozenset("éèêëàâäáçîïíìôöóòûùüúñœæÉÈÊËÀÂÇÎÏÔÖÛÙÜŒÆßøåãõ’‘“”«»–—…•€£°§²³½·\u00a0\u202f")
SINGLE_BYTE = ("cp1252", "mac_roman", "cp850")


# ---------------------------------------------------------------- out


def csv_answer(filename: str, header: Sequence[object], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Answer a table as a CSV download: UTF-8 with its mark (Excel asks for it), comma, CRLF, cells made safe.

    Written whole before it is sent: half a file that looks complete is worse than an error page, and the reader's
    language still holds while cells are made.
    """
    buffer = io.StringIO(newline="")
    buffer.write(BOM)
    writer = csv.writer(buffer)
    writer.writerow([safe_cell(cell) for cell in header])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    answer = HttpResponse(buffer.getvalue().encode(), content_type="text/csv; charset=utf-8")
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", filename).strip("-.") or "table"
    answer.headers["Content-Disposition"] = f'attachment; filename="{plain.removesuffix(".csv")}.csv"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def safe_cell(value: object) -> str:
    """Write one value: real numbers as they are, text that would be a formula behind an apostrophe, None as empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds") if timezone.is_aware(value) else str(value)
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if is_formula(text) else text


def is_formula(text: str) -> bool:
    """True for text that a spreadsheet would compute."""
    return text[:1] in FORMULA_STARTS if text else False


# ---------------------------------------------------------------- in


@dataclass(frozen=True)
class Note:
    """Something to tell the reader of a file, kept as a code so that each reader gets it in their own language."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Say it in the active language."""
        return str(NOTES[self.code]) % dict(self.values)


NOTES: dict[str, Promise] = {
    "too_large": _("The file is larger than %(limit)s MB. Split it, or keep only the columns that matter."),
    "stopped": _("The hub failed to read this file, though it tried several times. Nothing was written."),
    "not_applied": _("The hub failed to apply this file, though it tried several times. Nothing was written."),
    "too_many_rows": _("The file has more than %(limit)s rows. Split it into several files."),
    "too_many_columns": _("The file has %(count)s columns; at most %(limit)s can be read."),
    "empty": _("The file is empty. Its first line must name the columns."),
    "no_rows": _("The file has a header and no rows under it."),
    "workbook": _("This is an Excel workbook. In Excel, choose Save as, then “CSV UTF-8”, and upload that file."),
    "old_workbook": _(
        "This is a workbook in an old format, or one with a password. Save it as .xlsx without a password, or as CSV, "
        "and upload that file."
    ),
    "other_workbook": _("This is a file of another office program (.ods, .docx …). Save the table as .xlsx or CSV."),
    "macros": _("This workbook holds macros. Save it as .xlsx, without macros, and upload that file."),
    "broken_workbook": _("This workbook is damaged, or made to look like one. Open it, save it again as .xlsx."),
    "large_workbook": _(
        "This workbook is too large when unpacked: at most %(limit)s MB and %(cells)s cells can be read. "
        "Keep only the sheet and the columns that matter, or save it as CSV."
    ),
    "first_sheet": _("The workbook has %(count)s sheets; only “%(name)s” is read."),
    "not_text": _("This is not a text file. Save the table as CSV, then upload that file."),
    "quote": _(
        "Line %(line)s: a quotation mark is opened and never closed, or stands in the wrong place. "
        "Close it, or double it inside the text."
    ),
    "cell_too_long": _("Line %(line)s: a cell is longer than %(limit)s characters. Shorten it."),
    "encoding": _("The file is not in UTF-8; it was read as %(encoding)s. Check an accented letter below."),
    "lost_letters": _(
        "Line %(line)s: letters were lost (�) before this file was made, and can’t be brought back. "
        "Export it again as UTF-8."
    ),
    "garbled": _("Garbled cells: %(count)s (“%(before)s” for “%(after)s”). They can be repaired."),
    "repaired": _("Repaired cells: %(count)s (“%(before)s” became “%(after)s”)."),
    "formula": _(
        "Cells that start like a formula: %(count)s (line %(line)s: “%(cell)s”). They are kept as plain text."
    ),
    "twice": _("The column “%(name)s” is there twice; only the first one is read."),
    "ragged": _("The line has %(count)s cells, the header has %(expected)s. Put quotes around text with a separator."),
}


class Unreadable(Exception):
    """The file can't be read as a table; `note` says why and what to do."""

    def __init__(self, note: Note) -> None:
        super().__init__(note.code)
        self.note = note


@dataclass(frozen=True)
class Line:
    """One row of the file. `number` is the line it starts on, as an editor counts; `cells` is as long as the header."""

    number: int
    cells: tuple[str, ...]
    problem: Note | None = None


@dataclass(frozen=True)
class Sheet:
    """What a CSV file holds, and what there is to say about how it was read."""

    header: tuple[str, ...]
    rows: tuple[Line, ...]
    encoding: str
    delimiter: str
    notes: tuple[Note, ...] = ()


def read_csv(data: bytes, *, repair: bool = False, max_rows: int = MAX_ROWS) -> Sheet:
    """Read the bytes of a CSV file whatever wrote it; `repair` undoes garbled letters (é that became Ã©).

    Raises Unreadable for what is no table at all. A line with too many cells is kept, with its `problem`.
    """
    text, encoding = _decode(data)
    notes: list[Note] = []
    if encoding not in ("utf-8", "utf-16"):
        notes.append(Note("encoding", {"encoding": {"cp1252": "Windows-1252"}.get(encoding, encoding)}))
    told, body, first_line = _told_delimiter(text)
    delimiter = told or _guess_delimiter(body)
    return sheet_of(_records(body, delimiter, first_line, max_rows), encoding, delimiter, notes, repair=repair)


def sheet_of(
    records: list[tuple[int, list[str]]], encoding: str, delimiter: str, notes: list[Note], *, repair: bool
) -> Sheet:
    """Make a sheet of records, the header first."""
    if not records:
        raise Unreadable(Note("empty"))
    header = tuple(" ".join(cell.split()) for cell in records[0][1])
    while len(header) > 1 and not header[-1]:
        header = header[:-1]  # spreadsheets leave empty columns at the end
    if len(header) > MAX_COLUMNS:
        raise Unreadable(Note("too_many_columns", {"count": len(header), "limit": MAX_COLUMNS}))
    notes += [Note("twice", {"name": name}) for name, count in Counter(filter(None, header)).items() if count > 1]
    header, lines, said = _clean(header, records[1:], repair=repair)
    if not lines:
        raise Unreadable(Note("no_rows"))
    return Sheet(header, tuple(lines), encoding, delimiter, (*notes, *said))


def _decode(data: bytes) -> tuple[str, str]:
    """Return the text and the encoding it was in."""
    if len(data) > MAX_BYTES:
        raise Unreadable(Note("too_large", {"limit": MAX_BYTES // 1024 // 1024}))
    if not data.strip():
        raise Unreadable(Note("empty"))
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable(Note("workbook"))
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16"), "utf-16"
        if b"\0" in data[:2000]:  # UTF-16 without its mark: every other byte of plain letters is nought
            sample = data[: 2000 // 2 * 2]
            order = "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
            text = data.decode(order)
            if "\0" in text or _control_count(text):
                raise Unreadable(Note("not_text"))
            return text, "utf-16"
        text = data.decode("utf-8-sig")
        if _control_count(text):
            raise Unreadable(Note("not_text"))
        return text, "utf-8"
    except UnicodeDecodeError as wrong:
        if b"\0" in data:
            raise Unreadable(Note("not_text")) from wrong
        return _decode_single_byte(data)


def _decode_single_byte(data: bytes) -> tuple[str, str]:
    """Choose the old encoding under which the strange bytes spell familiar letters."""
    strange = bytes(byte for byte in data if byte >= 0x80)
    best, best_share = "", -1.0
    for encoding in SINGLE_BYTE:
        letters = strange.decode(encoding, errors="replace")
        share = sum(letter in FAMILIAR for letter in letters) / max(len(letters), 1)
        if share > best_share:
            best, best_share = encoding, share
    if best_share < 0.6:
        from charset_normalizer import from_bytes  # here: its tables are large, and few files are that strange

        guess = from_bytes(data).best()
        best = guess.encoding if guess is not None else best
    text = data.decode(best, errors="replace")
    if _control_count(text):
        raise Unreadable(Note("not_text"))
    return text, best


def _control_count(text: str) -> int:
    return sum(1 for letter in text if letter < " " and letter not in "\t\r\n\f\v\x1c\x1d\x1e\x1f")


def _told_delimiter(text: str) -> tuple[str, str, int]:
    """Return the delimiter that a first line `sep=;` names, the text under it, and the number of its first line."""
    found = re.match(r'"?sep=(.)"?\r?\n', text, re.IGNORECASE)
    return (found[1], text[found.end() :], 2) if found else ("", text, 1)


def _guess_delimiter(text: str) -> str:
    """Return the delimiter that cuts the first lines into the same number of cells, and into the most of them."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        widths = []
        try:
            for row in csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=delimiter):
                if any(row):
                    widths.append(len(row))
                if len(widths) == 30:
                    break
        except csv.Error:
            continue
        if not widths or widths[0] == 1:
            continue
        same = sum(width == widths[0] for width in widths) / len(widths)
        score = same * 100 + widths[0]
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _records(text: str, delimiter: str, first_line: int, max_rows: int) -> list[tuple[int, list[str]]]:
    """Cut the text into records with the line each starts on, leaving out the empty ones."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[tuple[int, list[str]]] = []
    start = first_line
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                found.append((start, row))
                if any(len(cell) > MAX_CELL for cell in row):
                    raise Unreadable(Note("cell_too_long", {"line": start, "limit": MAX_CELL}))
                if len(found) > max_rows + 1:
                    raise Unreadable(Note("too_many_rows", {"limit": max_rows}))
            start = first_line + reader.line_num
    except csv.Error as error:
        raise Unreadable(Note("quote", {"line": start})) from error
    return found


def _clean(
    header: tuple[str, ...], records: list[tuple[int, list[str]]], *, repair: bool
) -> tuple[tuple[str, ...], list[Line], list[Note]]:
    """Trim the cells, put them in line with the header, and count what is odd about them."""
    garbled: list[tuple[str, str]] = []
    formulas: list[tuple[int, str]] = []
    lost = 0

    def clean(cell: str, line: int) -> str:
        nonlocal lost
        cell = cell.strip().replace("\r\n", "\n").replace("\r", "\n")
        if not cell:
            return cell
        if cell[0] == "'" and is_formula(cell[1:]):
            cell = cell[1:]  # our own guard, coming back
        elif is_formula(cell) and not _is_number(cell):
            formulas.append((line, cell))
        if cell.isascii():
            return cell
        if "\ufffd" in cell and not lost:
            lost = line
        if (better := repaired(cell)) != cell:
            garbled.append((cell, better))
            return better if repair else cell
        return cell

    header = tuple(clean(cell, 1) for cell in header)
    width = len(header)
    lines = []
    for number, row in records:
        extra = [cell for cell in row[width:] if cell.strip()]
        cells = tuple(clean(cell, number) for cell in row[:width]) + ("",) * (width - len(row))
        problem = Note("ragged", {"count": len(row), "expected": width}) if extra else None
        lines.append(Line(number, cells, problem))

    said = []
    if garbled:
        before, after = min(garbled, key=lambda pair: len(pair[0]))
        code = "repaired" if repair else "garbled"
        said.append(Note(code, {"count": len(garbled), "before": before[:60], "after": after[:60]}))
    if lost:
        said.append(Note("lost_letters", {"line": lost}))
    if formulas:
        said.append(Note("formula", {"count": len(formulas), "line": formulas[0][0], "cell": formulas[0][1][:40]}))
    return header, lines, said


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[+-]?\d[\d\s\u00a0\u202f.,]*%?", cell) is not None


# The byte behind each letter when UTF-8 was read as Windows-1252; its five holes stand for themselves.
_BYTE_OF = {bytes([byte]).decode("cp1252", errors="ignore") or chr(byte): byte for byte in range(0x80, 0x100)}
_RUN = re.compile("[" + re.escape("".join(_BYTE_OF)) + "]{2,}")


def repaired(text: str) -> str:
    """Return `text` with every stretch of UTF-8 that was read as Windows-1252 put right; other text is left alone."""
    for _time in range(2):  # some files went through it twice
        better = _RUN.sub(_repair_run, text)
        if better == text:
            break
        text = better
    return text


def _repair_run(found: re.Match[str]) -> str:
    """Decode the longest stretches that are valid UTF-8, keep every other letter."""
    run, out, at = found[0], [], 0
    while at < len(run):
        lead = _BYTE_OF[run[at]]
        length = 2 if 0xC2 <= lead <= 0xDF else 3 if 0xE0 <= lead <= 0xEF else 4 if 0xF0 <= lead <= 0xF4 else 0
        piece = run[at : at + length]
        try:
            if length and len(piece) == length:
                out.append(bytes(_BYTE_OF[letter] for letter in piece).decode())
                at += length
                continue
        except UnicodeDecodeError:
            pass  # not UTF-8 after all: the letter stands for itself
        out.append(run[at])
        at += 1
    return "".join(out)
