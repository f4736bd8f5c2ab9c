"""The dashboards as the JSON that Grafana reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from boards import compliance, noc, pipeline, slo

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

FOLDER: Final = Path(__file__).parents[1] / "dashboards" / "sendwatch"


def boards() -> dict[str, str]:
    """The text of every dashboard, by file name."""
    made = [_plain(each) for each in (noc.board(), compliance.board(), pipeline.board(), slo.board())]
    return {
        f"{board['uid']}.json": json.dumps(board, ensure_ascii=False, indent=2, sort_keys=True) + "\n" for board in made
    }


def _plain(board: Dashboard) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(board.build(), cls=JSONEncoder))
    for number, panel in enumerate(made["panels"], start=1):
        panel["id"] = number  # links to a panel then outlive a restart
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        if "links" in defaults:  # a data link is less than the SDK's only kind of link
            defaults["links"] = [{"title": link["title"], "url": link["url"]} for link in defaults["links"]]
    for each in (*made["links"], *made["annotations"]["list"]):
        del each["placement"]  # the SDK would hide them in a menu, and cannot be told otherwise
    return made
