"""What the tests of alerting share: every alert as its file has it, and what is asked about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from shipped import DEPLOY, read

if TYPE_CHECKING:
    from pathlib import Path

PROMETHEUS: Final = DEPLOY / "prometheus"
ALERTMANAGER: Final = DEPLOY / "alertmanager"
RUNBOOK: Final = DEPLOY / "README.md"
RULE_FILES: Final = sorted((PROMETHEUS / "rules").glob("*.yml"))
TEST_FILES: Final = sorted(PROMETHEUS.glob("*.test.yml"))


class Alert(Struct, frozen=True):
    """One alerting rule; several may have one name."""

    name: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def case(self) -> str:
        """What tells it from others of its name, for test ids."""
        window = self.labels.get("window", "")
        return f"{self.name}-{self.labels['severity']}{window and '-' + window}"


def rules_in(path: Path) -> list[dict[str, Any]]:
    """Every rule of a file, recording and alerting."""
    return [rule for group in read(path)["groups"] for rule in group["rules"]]


ALERTS: Final = [
    Alert(rule["alert"], rule["expr"], rule["labels"], rule["annotations"])
    for path in RULE_FILES
    for rule in rules_in(path)
    if "alert" in rule
]
RECORDED: Final = {rule["record"]: rule["expr"] for path in RULE_FILES for rule in rules_in(path) if "record" in rule}
EXPRESSIONS: Final = RECORDED | {alert.case: alert.expr for alert in ALERTS}
"""What every rule asks, by its name."""


def sections(markdown: str, level: int) -> dict[str, str]:
    """The sections under headings of a level, by heading."""
    parts = re.split(rf"^#{{{level}}} (.+)$", markdown, flags=re.MULTILINE)
    bodies = [re.split(rf"^#{{1,{level}}} ", body, maxsplit=1, flags=re.MULTILINE)[0] for body in parts[2::2]]
    return dict(zip(parts[1::2], bodies, strict=True))


def anchor(heading: str) -> str:
    """What a link to a heading ends with, as Git servers make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
