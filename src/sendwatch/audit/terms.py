"""By what an audit judges: the same rules, numbers and keys as the workers, taken from the settings anew.

Belongs here: settings to terms. Not here: what is done with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch import law, rules
from sendwatch.days import HOUR
from sendwatch.facts import Parameters
from sendwatch.judge import Rulebook, Setting
from sendwatch.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from sendwatch.settings import Settings


class Terms(Struct, frozen=True):
    """What an audit has to know beside the records."""

    parameters: Parameters
    rulebook: Rulebook
    pseudonyms: Pseudonyms
    partitions: int
    canary_sp: str | None = None


def terms_of(settings: Settings) -> Terms:
    """What the settings say."""
    policy, recipients = settings.judging, settings.recipients
    modes = {rule_id: Setting(each.mode, each.severity, each.exceptions) for rule_id, each in settings.rules.items()}
    return Terms(
        parameters=Parameters(
            window=policy.window_hours * HOUR,
            grace=policy.grace_seconds * 1000,
            quiet_from=policy.quiet_from,
            quiet_until=policy.quiet_until,
            hourly_limit=policy.hourly_limit,
            pending_grace=policy.pending_grace,
            holidays=policy.holiday_days,
            unconnected=frozenset(policy.unconnected),
            consent_requests=policy.consent_requests,
        ),
        rulebook=Rulebook(rules.discover(), law.load(), modes),
        pseudonyms=Pseudonyms(recipients.internal, recipients.public, recipients.form),
        partitions=settings.topics.partitions,
        canary_sp=settings.engine.canary_sp,
    )
