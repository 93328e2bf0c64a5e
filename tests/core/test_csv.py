"""CSV out is inert; CSV in is read whatever wrote it."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.core.csv import Unreadable, csv_answer, is_formula, read_csv, repaired

TEXT = "name;summary\nMiro;Tableau blanc partagé, à plusieurs\nNotion;Écrire, relire…\n"


def cells(sheet):
    return [line.cells for line in sheet.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "mac_roman", "utf-16", "utf-16-le", "utf-16-be"])
def test_accents_survive_every_encoding_a_spreadsheet_writes(encoding):
    sheet = read_csv(TEXT.encode(encoding))

    assert sheet.header == ("name", "summary")
    assert cells(sheet) == [("Miro", "Tableau blanc partagé, à plusieurs"), ("Notion", "Écrire, relire…")]
    assert sheet.delimiter == ";"


def test_an_old_encoding_is_said():
    assert [note.code for note in read_csv(TEXT.encode("cp1252")).notes] == ["encoding"]
    assert "Windows-1252" in read_csv(TEXT.encode("cp1252")).notes[0].text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(delimiter):
    text = f"name{delimiter}note\nA{delimiter}x\nB{delimiter}y\n"

    assert read_csv(text.encode()).delimiter == delimiter


def test_delimiter_named_by_the_file_wins_and_lines_still_count_from_one():
    sheet = read_csv(b"sep=;\nname;note\nA;b,c\n")

    assert (sheet.delimiter, sheet.rows[0].number, sheet.rows[0].cells) == (";", 3, ("A", "b,c"))


def test_line_numbers_count_lines_inside_quotes_and_empty_ones():
    sheet = read_csv(b'name,note\nA,"one\ntwo"\n\n,\nB,x\n')

    assert [(line.number, line.cells[0]) for line in sheet.rows] == [(2, "A"), (6, "B")]


def test_garbled_text_is_offered_for_repair_then_repaired():
    garbled = "name,summary\nMiro,Tableau blanc partagé d’équipe\n".encode().decode("cp1252").encode()

    offered, mended = read_csv(garbled), read_csv(garbled, repair=True)

    assert offered.notes[0].code == "garbled"
    assert "partagÃ©" in offered.rows[0].cells[1]
    assert mended.rows[0].cells[1] == "Tableau blanc partagé d’équipe"
    assert mended.notes[0].code == "repaired"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=60))
def test_repair_undoes_a_wrong_reading_of_any_latin_text(text):
    assume(repaired(text) == text)  # it is not garbled to begin with
    wrong = "".join(bytes([b]).decode("cp1252", errors="ignore") or chr(b) for b in text.encode())

    assert repaired(wrong) == text


@pytest.mark.parametrize("text", ["déjà vu", "Écrire « ici »", "naïve façade – €", "Ã la carte", "Ångström", "Â"])
def test_good_text_is_left_alone(text):
    assert repaired(text) == text


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"name,note\n", "no_rows"),
        (b"PK\x03\x04rest of a workbook", "workbook"),
        (b"\xd0\xcf\x11\xe0old workbook", "workbook"),
        (bytes(range(256)) * 20, "not_text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00\x01\x02" * 50, "not_text"),
        (b'name,note\nA,"never closed\nB,x\n', "quote"),
        (b"name\n" + b"x\n" * 12, "too_many_rows"),
        (b"name\n" + b"x" * 30_000, "cell_too_long"),
        (",".join(f"c{n}" for n in range(150)).encode() + b"\n1", "too_many_columns"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(data, code):
    with pytest.raises(Unreadable) as refused:
        read_csv(data, max_rows=10)

    assert refused.value.note.code == code
    assert refused.value.note.text.endswith(".")


def test_an_open_quote_names_its_line():
    with pytest.raises(Unreadable) as refused:
        read_csv(b'name,note\nA,x\nB,"never closed\nC,x\n')

    assert "Line 3" in refused.value.note.text


def test_a_line_with_too_many_cells_keeps_its_number_and_says_so():
    sheet = read_csv(b"name,note\nA,x\nB,x,y\n")

    assert [line.problem and line.problem.code for line in sheet.rows] == [None, "ragged"]


def test_a_short_line_is_filled_and_empty_columns_are_dropped():
    sheet = read_csv(b"name,note,,\nA,,,\nB\n")

    assert (sheet.header, cells(sheet)) == (("name", "note"), [("A", ""), ("B", "")])


def test_formula_cells_are_told_and_stay_text():
    sheet = read_csv(b"name,note\n=1+1,x\nB,-12.5\n")

    assert sheet.rows[0].cells[0] == "=1+1"
    assert [note.values["count"] for note in sheet.notes] == [1]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_written_formulas_are_inert(start):
    answer = csv_answer("tools", ["name"], [[f"{start}cmd|' /C calc'!A0"]])

    row = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))[1]
    assert row[0].startswith("'")


def test_numbers_dates_and_nothing_are_written_as_they_are():
    answer = csv_answer("a", ["x"], [[-3, Decimal("-1.50"), 0.5, None, True, date(2026, 3, 1)]])

    assert answer.content.decode("utf-8-sig").splitlines()[1] == "-3,-1.50,0.5,,true,2026-03-01"


def test_file_has_a_mark_and_a_harmless_name():
    answer = csv_answer('outils "été"\r\nX: y.csv', ["a"], [])

    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer["Content-Disposition"] == 'attachment; filename="outils-t-X-y.csv"'


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12), min_size=2, max_size=2),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_written_comes_back(rows):
    rows = [[a.strip(), b.strip()] for a, b in rows]
    rows = [[a, b] for a, b in rows if not (a.startswith("'") and is_formula(a[1:])) and not b.startswith("'")]
    rows = [["x", "y"], *[row for row in rows if any(row)]]

    sheet = read_csv(csv_answer("t", ["first", "second"], rows).content)

    assert cells(sheet) == [tuple(row) for row in rows]
