"""The rules, one file each: `c1_consent_missing.py` holds `C1_CONSENT_MISSING`, and so on.

Belongs here: what breaks a clause, asked of one send's facts. Not here: dates in force, severities set by
the carrier, type gating and faults, which `judge.py` applies to all alike. `README.md` beside this is the
catalogue.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sendwatch.verdict import RuleModule


def discover() -> dict[str, RuleModule]:
    """Every rule of this folder by its id, in the order of their file names."""
    modules = [
        cast("RuleModule", import_module(f"{__name__}.{found.name}"))
        for found in sorted(iter_modules(__path__), key=lambda found: found.name)
    ]
    return {module.RULE.id: module for module in modules}
