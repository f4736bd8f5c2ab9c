"""A stage report as a workbook with charts, and as CSV.

Belongs here: sheets, formats, and charts of a spreadsheet. Not here: what the report says (`stage_document.py`).
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import xlsxwriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.report.stage_document import Cell, Document, Table

FORMATS = {"count": "#,##0", "rate": "#,##0.00", "share": "0.00%"}
WIDTHS = {"text": 30, "code": 26, "severity": 10, "count": 16, "rate": 16, "share": 12}
CHARTED = {"days": "line", "rules": "bar", "by_province": "bar"}
UNSAFE = ("=", "+", "-", "@", "\t", "\r")


def workbook(document: Document) -> bytes:
    """The report as XLSX: a sheet a table, the first with what is to be said."""
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    styles = {kind: book.add_format({"num_format": shown}) for kind, shown in FORMATS.items()}
    bold, wrapped = (
        book.add_format({"bold": True, "text_wrap": True, "bottom": 1}),
        book.add_format({"text_wrap": True}),
    )
    cover = book.add_worksheet(document.sections[0].title[:31])
    _cover(cover, document, book.add_format({"bold": True, "font_size": 16}), bold, wrapped)
    taken = {cover.get_name().lower()}
    for section in document.sections:
        for table in section.tables:
            name = _name(table.title or section.title, taken)
            sheet = book.add_worksheet(name)
            _sheet(sheet, table, styles, bold)
            if table.name in CHARTED and table.rows:
                _chart(book, sheet, name, table)
    book.close()
    return held.getvalue()


def _cover(sheet: Any, document: Document, big: Any, bold: Any, wrapped: Any) -> None:
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 2, 48)
    sheet.write_string(0, 0, f"{document.title}: {document.subtitle}", big)
    row = 1
    for line in (document.edition, *document.lines, document.stamp):
        sheet.write_string(row, 0, line)
        row += 1
    for tile in document.tiles:
        row += 1
        for column, text in enumerate((tile.label, tile.value, tile.below)):
            sheet.write_string(row, column, text)
    row += 2
    for section in document.sections:
        if section.sentences:
            sheet.write_string(row, 0, section.title, bold)
            sheet.merge_range(row + 1, 0, row + 1, 2, "\n".join(section.sentences), wrapped)
            lines = sum(1 + len(sentence.encode("gb18030", "replace")) // 130 for sentence in section.sentences)
            sheet.set_row(row + 1, 15 * lines + 2)
            row += 3


def _sheet(sheet: Any, table: Table, styles: dict[str, Any], bold: Any) -> None:
    for column, each in enumerate(table.columns):
        sheet.set_column(column, column, WIDTHS[each.kind])
        sheet.write_string(0, column, each.title, bold)
    for row, cells in enumerate(table.rows, 1):
        for column, cell in enumerate(cells):
            if isinstance(cell, int | float):
                sheet.write_number(row, column, cell, styles.get(table.kind(row - 1, column)))
            elif cell is not None:
                sheet.write_string(row, column, cell)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(table.rows), 1), len(table.columns) - 1)
    if table.note:
        sheet.write_string(len(table.rows) + 2, 0, table.note)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _chart(book: Any, sheet: Any, name: str, table: Table) -> None:
    """Sends as columns and violations per 10,000 as a line, or a bar a row."""
    numbers = [place for place, column in enumerate(table.columns) if column.kind in {"count", "rate"}]
    label = 1 if table.name == "rules" else 0
    last = len(table.rows)

    def series(place: int) -> dict[str, Any]:
        return {
            "name": [name, 0, place],
            "categories": [name, 1, label, last, label],
            "values": [name, 1, place, last, place],
        }

    if CHARTED[table.name] == "line":
        chart, line = book.add_chart({"type": "column"}), book.add_chart({"type": "line"})
        chart.add_series(series(numbers[0]))
        line.add_series({**series(numbers[2]), "y2_axis": True, "marker": {"type": "circle"}})
        line.set_y2_axis({"name": table.columns[numbers[2]].title})
        chart.combine(line)
        chart.set_y_axis({"name": table.columns[numbers[0]].title})
    else:
        chart = book.add_chart({"type": "bar"})
        chart.add_series(series(numbers[0 if table.name == "rules" else 1]))
        chart.set_y_axis({"reverse": True})
        chart.set_legend({"none": True})
    chart.set_size({"width": 760, "height": max(320, 22 * last if CHARTED[table.name] == "bar" else 320)})
    sheet.insert_chart(1, len(table.columns) + 1, chart)


def _name(title: str, taken: set[str]) -> str:
    """A sheet's name: at most 31 characters, none of those that Excel forbids, no name twice."""
    plain = "".join(each for each in title if each not in "[]:*?/\\'")[:28]
    name, number = plain, 2
    while name.lower() in taken:
        name, number = f"{plain} {number}", number + 1
    taken.add(name.lower())
    return name


def text(document: Document) -> str:
    """The report as CSV, table after table: section, table, then the columns; UTF-8 with a mark, as Excel wants it."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow([document.title, document.subtitle, document.edition])
    for line in (*document.lines, document.stamp):
        writer.writerow([line])
    for section in document.sections:
        for sentence in section.sentences:
            writer.writerow([])
            writer.writerow([section.title, sentence])
        for table in section.tables:
            writer.writerow([])
            writer.writerow([table.name, *(column.title.replace("\n", " ") for column in table.columns)])
            for row in table.rows:
                writer.writerow([table.name, *_safe(row)])
    return "\ufeff" + held.getvalue()


def _safe(row: Sequence[Cell]) -> list[Cell]:
    """Cells that no spreadsheet takes for a formula: texts are made by senders too."""
    return [f"'{cell}" if isinstance(cell, str) and cell.startswith(UNSAFE) else cell for cell in row]
