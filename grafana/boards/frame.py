"""What every dashboard shares: data source, links to its neighbours, annotations, no editing in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
)
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import Panel, VariableModel

    Panels = Sequence[Builder[Panel]]

TAG: Final = "sendwatch"
PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")

VERSIONS: Final = "count by (version, ruleset_version)"

# name, expression, colour, title, text
EVENTS: Final = (
    (
        "Alerts · 告警",
        'ALERTS{alertstate="firing", severity=~"critical|warning"}',
        "red",
        "{{alertname}}",
        "{{severity}} {{category}}",
    ),
    (
        "Configuration read again · 配置重载",
        "changes(sendwatch_config_last_reload_success_timestamp_seconds[$__rate_interval]) > 0",
        "purple",
        "configuration read",
        "{{instance}}",
    ),
    (
        "New version · 新版本",
        f"{VERSIONS} (sendwatch_build_info) unless {VERSIONS} (sendwatch_build_info offset 2m)",
        "blue",
        "sendwatch {{version}}",
        "rules {{ruleset_version}}",
    ),
)


def frame(uid: str, title: str, description: str, *, refresh: str, since: str) -> Dashboard:
    """An empty dashboard.

    Args:
        uid: it never changes, since alerts link to it.
        title: what the list of dashboards shows.
        description: for whom it is, and what it answers.
        refresh: how often it asks again, as `10s`.
        since: how far back it begins, as `now-1h`.
    """
    made = (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .refresh(refresh)
        .time(since, "now")
        .timezone("browser")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .link(
            DashboardLink("sendwatch")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .keep_time(keep_time=True)
            .include_vars(include_vars=True)
        )
    )
    for name, asked, colour, heading, text in EVENTS:
        made.annotation(
            AnnotationQuery()
            .name(name)
            .datasource(PROMETHEUS)
            .enable(enable=True)
            .icon_color(colour)
            .expr(asked)
            .title_format(heading)
            .text_format(text)
        )
    return made


def choice(name: str, label: str, query: str) -> Builder[VariableModel]:
    """A variable to choose any number of label values from, all of them at first."""
    return (
        QueryVariable(name)
        .label(label)
        .datasource(PROMETHEUS)
        .query(query)
        .definition(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )
