"""B5: one text under many names, or a name that only looks like a filed one.

Carrier practice, not law. A sender who is cut off goes on under other signatures and ports; a text is the same when
only its signature, digits, blanks and links differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from sendwatch.verdict import Severity, Words
from sendwatch.windows.breach import Measure, WindowRule
from sendwatch.windows.limits import HOUR

if TYPE_CHECKING:
    from sendwatch.windows.limits import Limits

MOST_NAMED = 64
"""Signatures and ports of one text that are told apart; more is as bad."""

RULE = WindowRule(
    id="B5_EVASION",
    severity=Severity.HIGH,
    title=Words("One sender under many names", "变换签名或码号规避管控"),
    reasons=(
        Words(
            "One text under {signatures} signatures and {ports} ports in an hour, {sends} times.",
            "同一内容一小时内使用 {signatures} 个签名、{ports} 个端口，共 {sends} 条。",
        ),
        Words(
            "{signature}, which is not filed, looks like {imitates}, which is: {sends} sends in an hour.",
            "未报备的签名 {signature} 仿冒已报备的 {imitates}，一小时内 {sends} 条。",
        ),
    ),
    subjects=(("fingerprint",), ("signature",)),
)


class Copies(Struct):
    """The copies of one text in one clock hour."""

    sends: int = 0
    signatures: set[str] = field(default_factory=set)
    ports: set[str] = field(default_factory=set)

    def add(self, signature: str | None, port: str, count: int) -> None:
        """So many more under this name from this port; no signature is none, not one more."""
        self.sends += count
        if signature is not None and len(self.signatures) < MOST_NAMED:
            self.signatures.add(signature)
        if len(self.ports) < MOST_NAMED:
            self.ports.add(port)

    @property
    def spread(self) -> int:
        """Under how many signatures or ports, whichever is more."""
        return max(len(self.signatures), len(self.ports))


def measure(copies: Copies, hour: int, limits: Limits) -> Measure:
    """One text in one clock hour (hours since 1970 UTC)."""
    return Measure(
        broken=copies.spread >= limits.copies,
        level=copies.spread / limits.copies,
        since=hour * HOUR,
        until=(hour + 1) * HOUR,
        measures={"sends": copies.sends, "signatures": len(copies.signatures), "ports": len(copies.ports)},
        limit={"signatures": limits.copies, "ports": limits.copies},
    )


def measure_alike(sends: int, imitates: str, hour: int) -> Measure:
    """An unfiled signature that looks like a filed one, in one clock hour."""
    return Measure(
        broken=sends > 0,
        level=float(sends > 0),
        since=hour * HOUR,
        until=(hour + 1) * HOUR,
        measures={"sends": sends, "imitates": imitates},
        limit={"sends": 0},
    )
