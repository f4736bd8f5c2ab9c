"""A stage report as a workbook with charts, and as CSV.

Belongs here: sheets, formats, and charts of a spreadsheet. Not here: what the report says (`stage_document.py`).
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import xlsxwriter

from sendwatch.report.stage_document import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sendwatch.report.stage_document import Cell, Document, Table

FORMATS = {"count": "#,##0", "rate": "#,##0.00", "share": "0.00%"}
LEAST, MOST = 9, 44
LINE = 15
"""Columns are as wide as what stands in them, within this, in digits; what is longer is wrapped."""
A4 = 9
CHARTED = {"days": "line", "rules": "bar", "by_province": "bar"}
UNSAFE = ("=", "+", "-", "@", "\t", "\r")


class Styles:
    """The formats of a workbook's cells."""

    def __init__(self, book: Any) -> None:
        top = {"valign": "top"}
        self.kinds = {kind: book.add_format({"num_format": shown, **top}) for kind, shown in FORMATS.items()}
        self.text = book.add_format({"text_wrap": True, **top})
        self.after_number = book.add_format({"text_wrap": True, "align": "left", "indent": 1, **top})
        self.big = book.add_format({"bold": True, "font_size": 16})
        self.figure = book.add_format({"bold": True, "align": "right"})
        self.title = book.add_format({"bold": True, "bottom": 1})
        head = {"bold": True, "text_wrap": True, "bottom": 1, "bg_color": "#E9EEF2", "valign": "vcenter"}
        self.head = book.add_format(head)
        self.head_after_number = book.add_format({**head, "align": "left", "indent": 1})
        self.head_of_numbers = book.add_format({**head, "align": "right"})


def workbook(document: Document) -> bytes:
    """The report as XLSX: a sheet a table, the first with what is to be said."""
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    styles = Styles(book)
    cover = book.add_worksheet(document.sections[0].title[:31])
    _cover(cover, document, styles)
    taken = {cover.get_name().lower()}
    for section in document.sections:
        for table in section.tables:
            name = _name(table.title or section.title, taken)
            sheet = book.add_worksheet(name)
            _sheet(sheet, table, styles, document.severities)
            if table.name in CHARTED and table.rows:
                _chart(book, sheet, name, table)
    book.close()
    return held.getvalue()


def _cover(sheet: Any, document: Document, styles: Styles) -> None:
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 16)
    sheet.set_column(2, 2, 48)
    sheet.write_string(0, 0, f"{document.title}: {document.subtitle}", styles.big)
    row = 1
    for line in (document.edition, *document.lines, document.stamp):
        sheet.write_string(row, 0, line)
        row += 1
    for tile in document.tiles:
        row += 1
        for column, text in enumerate((tile.label, tile.value, tile.below)):
            sheet.write_string(row, column, text, styles.figure if column == 1 else None)
    row += 2
    for section in document.sections:
        if section.sentences:
            sheet.merge_range(row, 0, row, 2, section.title, styles.title)
            sheet.merge_range(row + 1, 0, row + 1, 2, "\n".join(section.sentences), styles.text)
            lines = sum(1 + wide(sentence) // 85 for sentence in section.sentences)
            sheet.set_row(row + 1, LINE * lines + 2)
            row += 3
    sheet.hide_gridlines(2)
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)


def _sheet(sheet: Any, table: Table, styles: Styles, severities: Mapping[str, str]) -> None:
    widths = [_width(table, column) for column in range(len(table.columns))]
    numbers = [each.kind in FORMATS for each in table.columns]
    for column, each in enumerate(table.columns):
        after = column > 0 and numbers[column - 1]
        head = styles.head_of_numbers if numbers[column] else styles.head_after_number if after else styles.head
        sheet.set_column(column, column, widths[column])
        sheet.write_string(0, column, each.title, head)
        for row, cells in enumerate(table.rows, 1):
            cell, kind = cells[column], table.kind(row - 1, column)
            if isinstance(cell, int | float):
                sheet.write_number(row, column, cell, styles.kinds.get(kind))
            elif cell is not None:
                told = severities.get(cell, cell) if kind == "severity" else cell
                sheet.write_string(row, column, told, styles.after_number if after else styles.text)
    sheet.set_row(0, LINE * max(1 + each.title.count("\n") for each in table.columns) + 4)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(table.rows), 1), len(table.columns) - 1)
    if table.note:
        row = len(table.rows) + 2
        sheet.merge_range(row, 0, row, len(table.columns) - 1, table.note, styles.text)
        sheet.set_row(row, LINE * (1 + wide(table.note) // int(sum(widths) * 0.9)) + 2)
    sheet.set_paper(A4)
    if table.name not in CHARTED:  # a chart below its table wants a tall sheet
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P / &N")


def _width(table: Table, column: int) -> int:
    """How wide a column is, with room for its filter's button."""
    found = max(map(wide, table.columns[column].title.split("\n")))
    for row, cells in enumerate(table.rows):
        if cells[column] is not None:
            found = max(found, wide(plain(cells[column], table.kind(row, column))))
    return min(max(found + 3, LEAST), MOST)


def wide(text: str) -> int:
    """How many digits wide a text is: a Chinese character is two."""
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


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
        chart.set_y_axis({"reverse": True, "major_gridlines": {"visible": False}})
        chart.set_x_axis({"interval_unit": 1})
        chart.set_legend({"none": True})
    chart.set_size({"width": 760, "height": max(320, 20 * last if CHARTED[table.name] == "bar" else 320)})
    sheet.insert_chart(last + 4, 0, chart)  # below: beside the table, one sheet of paper would make both too small


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
