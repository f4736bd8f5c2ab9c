"""A stage report as one HTML file that prints well: no script, nothing fetched.

Belongs here: giving the template its document and pictures. Not here: what the report says (`stage_document.py`), how
it looks (`templates/stage.html`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from sendwatch.report import stage_charts
from sendwatch.report.stage_document import Bars, plain
from sendwatch.report.stage_told import MOST_ROWS

if TYPE_CHECKING:
    from markupsafe import Markup

    from sendwatch.report.stage_document import Days, Document


def html(document: Document) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader("sendwatch.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["plain"] = plain
    page = environment.get_template("stage.html")
    return page.render(
        document=document, picture=picture, most={"flags": MOST_ROWS, "deeds": MOST_ROWS}, is_bars=_is_bars
    )


def picture(drawn: Days | Bars) -> Markup:
    """A picture as SVG."""
    if isinstance(drawn, Bars):
        return stage_charts.bars(drawn.rows, drawn.title, drawn.digits)
    return stage_charts.days(drawn.columns, drawn.left, drawn.right)


def _is_bars(drawn: Days | Bars) -> bool:
    return isinstance(drawn, Bars)
