"""The audit is written apart: what it takes from the rest of the program is listed here, name by name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from sendwatch import audit

SHARED = {
    "sendwatch.dossier": {"Dossier", "Kept"},
    "sendwatch.kafka": {"clients"},
    "sendwatch.kafka.connection": {"client_options"},
    "sendwatch.facts": {"Facts", "MOBILE", "Parameters"},
    "sendwatch.history": {"Act", "EVERY_OWNER", "covers"},
    "sendwatch.judge": {"Rulebook", "Setting", "flag_id", "judge"},
    "sendwatch.ledger": {"KINDS", "Span", "Tally", "Version"},
    "sendwatch.partitions": {"partition_of"},
    "sendwatch.registry": {"Broken", "Chain", "Fit", "Standing"},
    "sendwatch.templates": {"Named", "matches"},
    "sendwatch.text": {"Reading", "asks", "body", "fold_name", "read", "refusal"},
}
"""Shapes, the judge, and what is read from one text; of the engine only how to get in."""

FREE = {
    "sendwatch",
    "sendwatch.days",
    "sendwatch.events",
    "sendwatch.pseudonyms",
    "sendwatch.reader",
    "sendwatch.settings",
    "sendwatch.verdict",
}


def test_the_audit_shares_only_what_is_listed() -> None:
    """No fold of facts, no as-of lookup, no aiming of replies, nothing that corrects or remembers."""
    taken: dict[str, set[str]] = defaultdict(set)
    for path in Path(audit.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sendwatch"):
                taken[str(node.module)] |= {alias.name for alias in node.names}
    others = {module: names for module, names in taken.items() if not module.startswith("sendwatch.audit")}
    assert {module: names for module, names in others.items() if module not in FREE} == SHARED
