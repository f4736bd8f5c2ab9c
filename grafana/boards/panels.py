"""The kinds of panel, so that the same thing looks the same on every dashboard.

Belongs here: looks. Not here: any expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from grafana_foundation_sdk.builders import bargauge, heatmap, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from msgspec import Struct

from boards.frame import PROMETHEUS

if TYPE_CHECKING:
    from collections.abc import Sequence

Panel = TypeVar("Panel", bargauge.Panel, heatmap.Panel, stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)
Steps = tuple[tuple[float | None, str], ...]

GREEN, AMBER, RED, BLUE = "green", "orange", "red", "blue"
CALM: Final[Steps] = ((None, BLUE),)


class About(Struct, frozen=True):
    """What a panel is called and says of itself, in both languages; `width` of 24 columns, `height` in rows."""

    title: str
    english: str
    chinese: str
    unit: str
    width: int
    height: int


class Ask(Struct, frozen=True):
    """An expression, and what each of its series is called."""

    expr: str
    legend: str = ""


def number(
    about: About,
    *asked: Ask,
    steps: Steps = CALM,
    empty: str = "–",
    graph: bool = True,
    names: bool = False,
    decimals: int | None = None,
    to: str = "",
) -> stat.Panel:
    """One number, or a few, as they stand now; `empty` is shown where there is no series."""
    made = (
        _begin(stat.Panel(), about, asked, to, instant=not graph)
        .thresholds(_thresholds(steps))
        .no_value(empty)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(BigValueGraphMode.AREA if graph else BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .text_mode(BigValueTextMode.NAME if names else BigValueTextMode.AUTO)
    )
    return made if decimals is None else made.decimals(decimals)


def lines(
    about: About, *asked: Ask, steps: Steps = (), stacked: bool = False, legend: bool = True, to: str = ""
) -> timeseries.Panel:
    """Lines over time; `steps` are drawn as dashed lines."""
    made = (
        _begin(timeseries.Panel(), about, asked, to)
        .min(0)
        .line_width(1)
        .fill_opacity(30 if stacked else 8)
        .show_points(VisibilityMode.NEVER)
        .legend(
            VizLegendOptions()
            .show_legend(legend)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )
    if stacked:
        made.stacking(StackingConfig().mode(StackingMode.NORMAL))
    if steps:
        made.thresholds(_thresholds(steps))
        made.thresholds_style(GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    return made


def bars(about: About, asked: Ask, *, steps: Steps = CALM, to: str = "") -> bargauge.Panel:
    """Horizontal bars, one per series, as they stand now."""
    return (
        _begin(bargauge.Panel(), about, (asked,), to, instant=True)
        .min(0)
        .thresholds(_thresholds(steps))
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
    )


def states(about: About, asked: Ask, named: dict[int, tuple[str, str]], *, to: str = "") -> statetimeline.Panel:
    """A band per series; `named`: what each value is called, and its colour."""
    results = {
        str(value): ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, (text, colour)) in enumerate(named.items())
    }
    return (
        _begin(statetimeline.Panel(), about, (asked,), to)
        .mappings([ValueMap(options=results)])
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(_thresholds(((None, "text"),)))
        .merge_values(merge_values=True)
        .show_value(VisibilityMode.NEVER)
        .row_height(0.85)
    )


def heat(about: About, asked: Ask, *, to: str = "") -> heatmap.Panel:
    """A histogram over time, from its buckets."""
    return (
        _begin(heatmap.Panel(), about, (asked,), to, buckets=True)
        .calculate(calculate=False)
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64))
        .y_axis(heatmap.YAxisConfig().unit(about.unit))
    )


def rows(about: About, labels: dict[str, str], *asked: Ask, to: str = "") -> table.Panel:
    """A table: a row per set of labels, a column per expression; `labels`: which, and what they are called."""
    values = {
        "Value" if len(asked) == 1 else f"Value #{_letter(index)}": each.legend for index, each in enumerate(asked)
    }
    order = {name: index for index, name in enumerate([*labels, *values])}
    return (
        _begin(table.Panel(), about, asked, to, instant=True, tabular=True)
        .transformations(
            [
                DataTransformerConfig(id_val="merge", options={}),
                DataTransformerConfig(
                    id_val="organize",
                    options={
                        "excludeByName": {"Time": True},
                        "renameByName": {**labels, **values},
                        "indexByName": order,
                    },
                ),
            ]
        )
        .show_header(show_header=True)
    )


def link(uid: str, **variables: str) -> str:
    """The address of another dashboard, at the same time and data source, with these variables set."""
    chosen = "".join(f"&var-{name}={value}" for name, value in variables.items())
    return f"/d/{uid}?${{__url_time_range}}&var-datasource=${{datasource}}{chosen}"


def _begin(
    panel: Panel,
    about: About,
    asked: Sequence[Ask],
    to: str,
    *,
    instant: bool = False,
    tabular: bool = False,
    buckets: bool = False,
) -> Panel:
    made: Any = panel  # the kinds share these methods, but no type that says so
    made.title(about.title).description(f"{about.english}\n\n{about.chinese}").datasource(PROMETHEUS)
    made.unit(about.unit).span(about.width).height(about.height)
    for index, each in enumerate(asked):
        query = Dataquery().expr(each.expr).ref_id(_letter(index)).datasource(PROMETHEUS)
        query = query.instant() if instant else query.range()
        if each.legend:
            query.legend_format(each.legend)
        if tabular or buckets:
            query.format(PromQueryFormat.TABLE if tabular else PromQueryFormat.HEATMAP)
        made.with_target(query)
    if to:
        made.data_links([DashboardLink("Look closer · 详情").url(to)])
    return panel


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def _thresholds(steps: Steps) -> ThresholdsConfig:
    made = [Threshold(value=value, color=colour) for value, colour in steps]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)
