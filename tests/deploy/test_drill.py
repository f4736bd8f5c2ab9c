"""A drill comes to those whom a real alert would come to, says that it is none, and ends."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from alerts import RUNBOOK, anchor
from click.testing import CliRunner
from servers import Inbox, about, an_alertmanager
from test_alertmanager import receivers_of

from sendwatch import drill
from sendwatch.cli import main
from sendwatch.demo.stage import free_port
from sendwatch.drill import Wish, alert_of, labels_of, told

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("severity", "category", "receivers"),
    [
        ("critical", "pipeline", ["page", "noc-chat"]),
        ("critical", "compliance", ["page", "compliance-desk"]),
        ("warning", "config", ["noc-chat"]),
    ],
)
def test_a_drill_goes_where_an_alert_of_its_kind_goes(severity: str, category: str, receivers: list[str]) -> None:
    """By the shipped routes."""
    assert receivers_of(labels_of(Wish(severity=severity, category=category))) == receivers


def test_a_drill_says_that_it_is_one() -> None:
    """In a label for machines, and in both languages for people; its link leads to a section of the runbook."""
    alert = alert_of(Wish(), 0, 60)
    assert alert["labels"]["drill"] == "true"
    assert re.fullmatch(r"\[DRILL\] [^·]+ · \[演练\] .+", alert["annotations"]["summary"])
    assert len(alert["annotations"]["description"].split("\n")) == 2
    headings = re.findall(r"^#+ (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert alert["annotations"]["runbook_url"].partition("#")[2] in {anchor(heading) for heading in headings}


async def test_it_comes_and_it_ends(tmp_path: Path) -> None:
    """Through a real Alertmanager with the shipped configuration: to page and chat, then its end."""
    said, port = list[str](), free_port()
    async with Inbox() as inbox, an_alertmanager(tmp_path / "am", port, inbox) as address:

        async def until_paged(seconds: float) -> None:
            assert seconds == 5
            await inbox.message("page", about(drill.NAME, "firing"))

        await drill.run(Wish(address, seconds=5), said.append, until_paged)
        page = await inbox.message("page", about(drill.NAME, "resolved"))
        chat = await inbox.message("noc-chat", about(drill.NAME, "resolved"))
    assert "it goes to page, noc-chat" in said
    assert page["commonLabels"]["drill"] == chat["commonLabels"]["drill"] == "true"
    assert page["commonAnnotations"]["summary"].startswith("[DRILL]")
    assert not [path for path, _ in inbox.posts if path not in {"page", "noc-chat"}]


async def test_it_ends_also_when_it_is_broken_off(tmp_path: Path) -> None:
    """Whoever breaks the command off must not leave an alert behind."""
    async with Inbox() as inbox, an_alertmanager(tmp_path / "am", free_port(), inbox) as address:
        drilling = asyncio.create_task(drill.run(Wish(address, seconds=600), lambda _: None))
        await inbox.message("page", about(drill.NAME, "firing"))
        drilling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await drilling
        await inbox.message("page", about(drill.NAME, "resolved"))


def test_it_says_when_nobody_would_be_told() -> None:
    """A silence or an inhibition explains why no page comes."""
    alert = {"receivers": [{"name": "page"}], "status": {"silencedBy": ["5b1f"], "inhibitedBy": ["77ab"]}}
    sentences = told([alert])
    assert sentences[0] == "it goes to page"
    assert "silenced by 5b1f" in sentences[1]
    assert "holds it back" in sentences[2]
    assert "has not shown it" in told([])[0]


@pytest.mark.parametrize("address", ["http://user:secret@127.0.0.1:1", "127.0.0.1:9093", "http://"])
def test_it_says_when_alertmanager_cannot_be_reached(address: str) -> None:
    """One sentence, status 1, and no password in it."""
    answer = CliRunner().invoke(main, ["alert-test", "--alertmanager", address, "--seconds", "0"])
    assert answer.exit_code == 1
    assert answer.output.startswith("Alertmanager cannot be reached at ")
    assert answer.output.count("\n") == 1
    assert "secret" not in answer.output
