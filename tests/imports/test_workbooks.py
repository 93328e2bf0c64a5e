"""Workbooks: read as the table they show, and bombs, polyglots and other programs' files refused in words."""

import io
import time
import tracemalloc
import zipfile
from datetime import date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook

from hub.core.csv import Unreadable
from hub.core.workbook import check_upload, read_workbook
from hub.imports.models import ImportPlan
from hub.imports.tasks import judge_import
from hub.jobs.models import Job
from tests.imports.ways import applied, planned, verdicts
from tooling.models import Tool


def book(rows, *, sheets=(), **options):
    made = Workbook()
    for row in rows:
        made.active.append(row)
    for name in sheets:
        made.create_sheet(name)
    out = io.BytesIO()
    made.save(out)
    return rezipped(out.getvalue(), **options) if options else out.getvalue()


def rezipped(data, *, replace=None, add=None, drop=(), comment=b""):
    """Return the zip with parts replaced, added or left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename not in drop:
                new.writestr(info.filename, (replace or {}).get(info.filename, old.read(info.filename)))
        for name, content in (add or {}).items():
            new.writestr(name, content)
        new.comment = comment
    return out.getvalue()


TABLE = [["name", "summary"], ["Miro", "Boards."]]


def test_cells_are_read_as_they_show():
    sheet = read_workbook(
        book(
            [
                ["a", "b", "c", "d", "e"],
                [1, 2.5, True, date(2026, 3, 2), None],
                [],
                [" é ", 1e20, False, datetime(2026, 3, 2, 9), "x"],
            ]
        )
    )

    assert sheet.header == ("a", "b", "c", "d", "e")
    assert [(line.number, line.cells) for line in sheet.rows] == [
        (2, ("1", "2.5", "true", "2026-03-02", "")),
        (4, ("é", "1e+20", "false", "2026-03-02 09:00:00", "x")),
    ]


def test_a_formula_is_the_value_it_had():
    data = book([["name", "summary"], ["Miro", "=1+1"]])
    cell = b"<f>1+1</f><v></v>"
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        xml = parts.read("xl/worksheets/sheet1.xml")
    assert cell in xml or b"<f>1+1</f><v/>" in xml or b"<f>1+1</f><v />" in xml
    for spelling in (cell, b"<f>1+1</f><v/>", b"<f>1+1</f><v />"):
        xml = xml.replace(spelling, b"<f>1+1</f><v>2</v>")

    sheet = read_workbook(rezipped(data, replace={"xl/worksheets/sheet1.xml": xml}))

    assert sheet.rows[0].cells == ("Miro", "2")


def test_only_the_first_sheet_is_read_and_that_is_said():
    assert [note.code for note in read_workbook(book(TABLE, sheets=["Other"])).notes] == ["first_sheet"]


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet/>'
LATE = b'<?xml version="1.0"?><!--' + b"x" * 5000 + b"--><!DOCTYPE x><worksheet/>"
SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old_workbook"),
        (b"PK\x03\x04", "broken_workbook"),
        (b"PK\x03\x04" + b"\xff" * 900, "broken_workbook"),
        (book(TABLE)[:-300], "broken_workbook"),
        (book(TABLE, comment=b"%PDF-1.7"), "broken_workbook"),
        (book(TABLE, drop=["xl/workbook.xml"]), "broken_workbook"),
        (book(TABLE, add={"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "other_workbook"),
        (book(TABLE, add={"word/document.xml": b"<x/>"}), "other_workbook"),
        (book(TABLE, add={"xl/vbaProject.bin": b"x"}), "macros"),
        (book(TABLE, add={"xl/media/bomb.bin": b"\0" * (65 << 20)}), "large_workbook"),
        (book(TABLE, add={f"xl/{n}.xml": b"<x/>" for n in range(600)}), "large_workbook"),
        (book(TABLE, replace={SHEET: ENTITY}), "broken_workbook"),
        (book(TABLE, replace={SHEET: LATE}), "broken_workbook"),
        (book(TABLE, replace={SHEET: b"not xml at all"}), "broken_workbook"),
        (book(TABLE, replace={"xl/workbook.xml": b"<x/>"}), None),
        (book([["name"]]), "no_rows"),
        (book([]), "empty"),
        (book([["x" * 30_000], ["y"]]), "cell_too_long"),
        (book([[f"c{n}" for n in range(150)], ["1"]]), "too_many_columns"),
    ],
)
def test_bombs_and_polyglots_are_refused_in_words(data, code):
    tracemalloc.start()
    started = time.monotonic()

    with pytest.raises(Unreadable) as refused:
        check_upload(data)
        read_workbook(data)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code is None or refused.value.note.code == code
    assert refused.value.note.text.endswith(".")
    assert time.monotonic() - started < 20 and peak < 200 << 20


def test_a_row_far_below_is_no_way_to_keep_a_worker_busy():
    cells = "".join(
        f'<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>name</t></is></c></row>' for row in (1, 1_048_576)
    )
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    far = f'<worksheet xmlns="{space}"><sheetData>{cells}</sheetData></worksheet>'.encode()
    started = time.monotonic()

    with pytest.raises(Unreadable):
        read_workbook(book(TABLE, replace={SHEET: far}))

    assert time.monotonic() - started < 10


@pytest.mark.django_db
def test_a_workbook_is_unpacked_by_a_worker_and_applied(ops, sign_in):
    client = sign_in(ops)
    file = SimpleUploadedFile("outils.xlsx", book([["Nom", "Résumé"], ["Miro", "Tableau"]]))

    answer = client.post(reverse("imports:plan_create", args=["tools"]), {"file": file})
    plan = ImportPlan.objects.get()
    assert (answer.status_code, plan.state) == (302, "waiting")
    judge_import(**Job.objects.get(kind="hub.imports.tasks.judge_import").payload)

    plan.refresh_from_db()
    assert verdicts(plan) == {2: "create"}
    applied(plan, ops)
    assert Tool.objects.get().summary_fr == "Tableau"


@pytest.mark.django_db
def test_a_workbook_that_is_none_inside_is_said_on_its_page(ops, sign_in):
    plan = planned("tools", book(TABLE, replace={SHEET: ENTITY}), ops, filename="bad.xlsx")

    html = sign_in(ops).get(plan.get_absolute_url()).content.decode()

    assert plan.state == "refused" and "damaged" in html and "Upload another file" in html
