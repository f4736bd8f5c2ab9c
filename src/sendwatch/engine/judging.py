"""Everything that judging needs besides the records: settings, rules, registries, keys, versions.

Belongs here: putting them together once, from the settings. Not here: using them (`partition.py`).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, field

from sendwatch import __version__, law, rules
from sendwatch.engine.limits import limits_of
from sendwatch.engine.memory import Memory
from sendwatch.facts import Parameters
from sendwatch.judge import Rulebook, Setting
from sendwatch.ledger import Version
from sendwatch.pseudonyms import Pseudonyms
from sendwatch.reader import Reader
from sendwatch.registry import Registry
from sendwatch.windows.copies import Fingerprints
from sendwatch.windows.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sendwatch.law import Pack
    from sendwatch.policy import Judging as Policy
    from sendwatch.settings import Settings

RECIPIENT_KINDS = ("sends", "consents", "replies", "reports", "complaints")
SECOND, HOUR = 1000, 3_600_000


class Judging(Struct):
    """What every partition of a worker judges with. `registry_positions`: next offset by registry topic kind.

    `memory`: what is known of sends that are alike, by this registry and these rules.
    """

    parameters: Parameters
    rulebook: Rulebook
    registry: Registry
    readers: Mapping[str, Reader]
    pseudonyms: Pseudonyms
    version: Version
    topics: Mapping[str, str]
    partitions: int
    canaries: frozenset[str] = frozenset()
    limits: Limits = Limits()
    fingerprints: Fingerprints = field(default_factory=Fingerprints)
    keep_payload: bool = False
    registry_positions: dict[str, int] = field(default_factory=dict)
    memory: Memory = UNSET  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Begin a memory of one's own: what is remembered holds for one registry only."""
        self.memory = Memory(self.registry, self.parameters, self.rulebook)


def prepare(settings: Settings) -> Judging:
    """Put together what the settings say."""
    parameters = parameters_of(settings.judging)
    found = rules.discover()
    packs = law.load()
    chosen = {rule_id: Setting(each.mode, each.severity, each.exceptions) for rule_id, each in settings.rules.items()}
    form = settings.recipients.form
    return Judging(
        parameters=parameters,
        rulebook=Rulebook(found, packs, chosen),
        registry=Registry(window=parameters.window, pending_grace=parameters.pending_grace),
        readers={kind: Reader(kind, recipient_form=form) for kind in RECIPIENT_KINDS},
        pseudonyms=Pseudonyms(settings.recipients.internal, settings.recipients.public, form),
        version=Version(__version__, rules_version(found, packs), settings.version),
        topics={kind: settings.topics.name(kind) for kind in (*RECIPIENT_KINDS, *REGISTRY_KINDS)},
        partitions=settings.topics.partitions,
        limits=limits_of(settings),
        canaries=frozenset({settings.engine.canary_sp} - {None}),  # type: ignore[arg-type]
        keep_payload=settings.quarantine.payload,
    )


REGISTRY_KINDS = ("signatures", "ports", "letters", "templates", "owners")


def parameters_of(policy: Policy) -> Parameters:
    """The carrier's numbers, in the judge's units."""
    return Parameters(
        window=policy.window_hours * HOUR,
        grace=policy.grace_seconds * SECOND,
        quiet_from=policy.quiet_from,
        quiet_until=policy.quiet_until,
        hourly_limit=policy.hourly_limit,
        pending_grace=policy.pending_grace,
        holidays=policy.holiday_days,
        unconnected=frozenset(policy.unconnected),
        consent_requests=policy.consent_requests,
    )


def rules_version(found: Mapping[str, object], packs: tuple[Pack, ...]) -> str:
    """Twelve hex digits that change with the set of rules and with the clauses they rest on."""
    told = repr([sorted(found), [(pack.id, pack.since, pack.until, sorted(pack.clauses.items())) for pack in packs]])
    return blake2b(told.encode(), digest_size=6).hexdigest()
