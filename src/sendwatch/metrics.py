"""What Prometheus sees of a worker: how a batch is counted, and how the worker stands.

Belongs here: collectors made from `metric_table.py`, and the bounds of labels. Not here: deciding what
happened (`engine/`), alerts and dashboards (`deploy/`, `grafana/`). Counting is done once per batch, from
sums that the batch kept.

A label never holds a phone number, a text, a signature or a message's id. What comes from records (carriers)
is bounded in number and in form; the rest is counted as `other`.
"""

from __future__ import annotations

import re
from collections import Counter as Sum
from gzip import compress
from types import MappingProxyType
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from sendwatch.metric_table import (
    BUCKETS,
    DELAYS,
    DOINGS,
    FAULT,
    METRICS,
    MOST_BREACHES,
    MOST_CARRIERS,
    MOST_OTHERS,
    OTHER,
    OUTCOMES,
    REJECTIONS,
    UNKNOWN,
)
from sendwatch.topics import INPUTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sendwatch.engine.partition import Outcome
    from sendwatch.kafka.patience import Doing

ADDED_UP = (
    "breaches_open", "ledger_behind_records", "ledger_added_up_timestamp_seconds", "signature_breach",
    "top_signature_flag_rate", "windows_sends", "windows_complaints", "windows_coverage_ratio", "windows_opt_outs",
)  # fmt: skip
"""What only the one process tells that adds up the ledger."""

FRESH_SECONDS = 1.0
plain_name = re.compile(r"(?!.*\d{7})[\w.-]{1,32}")
"""What a carrier may be called on a label: short, and with no room for a phone number."""


class Bound:
    """Values that a label may take: those named beforehand, others while there is room, then `other`."""

    def __init__(self, metric: str, overflow: Counter, most: int, named: Iterable[str] = ()) -> None:
        self._overflow = overflow.labels(metric)
        self._most = most
        self.known = dict.fromkeys(named)

    def __call__(self, value: str) -> str:
        """The value as a label."""
        if not value:
            return UNKNOWN
        if value in self.known:
            return value
        if len(self.known) < self._most and plain_name.fullmatch(value):
            self.known[value] = None
            return value
        self._overflow.inc()
        return OTHER


class Metrics:
    """The worker's metrics, in a registry of their own: nothing is global; tests make as many as they like.

    `names`: topic names by kind, for labels. `rules`: severities by rule id. Whoever counts may name a topic
    by its kind or its name. `complaint_limits`: complaints per million sends by carrier; of all others under "".
    """

    def __init__(
        self,
        names: Mapping[str, str],
        rules: Mapping[str, str],
        *,
        carriers: Collection[str] = (),
        version: str = "",
        revision: str = "",
        ruleset_version: str = "",
        complaint_limits: Mapping[str, float] = MappingProxyType({}),
        registry: CollectorRegistry | None = None,
    ) -> None:
        """Declare everything, and set what is known beforehand to 0."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry or CollectorRegistry()
        self._names = names
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in METRICS:
            made = (f"sendwatch_{metric.name}", metric.meaning, metric.labels)
            if metric.type == "counter":
                self._counters[metric.name] = Counter(*made, registry=self.registry)
            elif metric.type == "gauge":
                self._gauges[metric.name] = Gauge(*made, registry=self.registry)
            else:
                buckets = BUCKETS.get(metric.name, DELAYS)
                self._histograms[metric.name] = Histogram(*made, registry=self.registry, buckets=buckets)
        ProcessCollector(registry=self.registry)
        self._gauges["build_info"].labels(version, revision, ruleset_version).set(1)
        overflow = self._counters["label_overflow_total"]
        self._carrier = Bound("events_consumed_total", overflow, MOST_CARRIERS, carriers)
        self._rule = Bound("flags_total", overflow, MOST_OTHERS, rules)
        self._reason = Bound("undecided_total", overflow, MOST_OTHERS, [FAULT])
        self._field = Bound("fields_ignored_total", overflow, MOST_OTHERS)
        self._complaint_limits = complaint_limits
        self._so_far: dict[str, int] = {}
        self._page: tuple[float, bytes, bytes] | None = None
        self._breaches: set[str] = set()
        self._begin(rules, [UNKNOWN, *carriers])

    def _begin(self, rules: Mapping[str, str], carriers: Iterable[str]) -> None:
        """Make every series whose labels are known, so that a rate sees its first increase."""
        counters = self._counters
        for carrier in carriers:
            counters["events_consumed_total"].labels(self._topic("sends"), carrier)
            self._complain(carrier, 0)
            for outcome in OUTCOMES:
                counters["events_decided_total"].labels(carrier, outcome)
            for decided in ("all", "some"):
                counters["sends_covered_total"].labels(carrier, decided)
            for rule, severity in rules.items():
                counters["flags_total"].labels(rule, severity, carrier)
        for rule in rules:
            counters["corrections_total"].labels(rule, "raised")
            counters["corrections_total"].labels(rule, "cleared")
            counters["undecided_total"].labels(rule, FAULT)
        for doing in DOINGS:
            counters["kafka_failures_total"].labels(doing)
        for result in ("acked", "failed"):
            counters["flags_published_total"].labels(result)
        for kind in INPUTS:
            counters["events_consumed_total"].labels(self._topic(kind), UNKNOWN)
            for reason in REJECTIONS:
                counters["events_rejected_total"].labels(self._topic(kind), reason)

    def count(self, outcome: Outcome, now: int) -> None:
        """Count a batch that is committed; `now` in ms, when its flags were acknowledged."""
        counters, counts = self._counters, outcome.counts
        for (kind, carrier), number in counts.consumed.items():
            counters["events_consumed_total"].labels(self._topic(kind), self._carrier(carrier)).inc(number)
        for (carrier, came_of_it), number in counts.decided.items():
            counters["events_decided_total"].labels(self._carrier(carrier), came_of_it).inc(number)
        for (carrier, decided), number in counts.covered.items():
            counters["sends_covered_total"].labels(self._carrier(carrier), decided).inc(number)
        for (kind, reason), number in counts.rejected.items():
            counters["events_rejected_total"].labels(self._topic(kind), reason).inc(number)
        for (kind, name), number in counts.ignored.items():
            counters["fields_ignored_total"].labels(self._topic(kind), self._field(name)).inc(number)
        for (rule, severity, carrier), number in counts.flags.items():
            labels = (self._rule(rule), severity, self._carrier(carrier))
            counters["flags_total"].labels(*labels).inc(number)
        for (rule, reason), number in counts.undecided.items():
            counters["undecided_total"].labels(self._rule(rule), self._reason(reason)).inc(number)
        for (rule, kind), number in counts.corrections.items():
            counters["corrections_total"].labels(self._rule(rule), kind).inc(number)
        for carrier, number in _complained(outcome).items():
            self._complain(self._carrier(carrier), number)
        acked = sum(message.topic == "flags" for message in outcome.messages)
        counters["flags_published_total"].labels("acked").inc(acked)
        self._observe("decision_delay_seconds", (max(0, now - sent_at) for sent_at in counts.flagged_sent_at))
        self._observe("opt_out_age_seconds", counts.after_refusal)

    def _complain(self, carrier: str, number: int) -> None:
        """Count complaints about sends of a carrier, and say how many there may be."""
        self._counters["complaints_total"].labels(carrier).inc(number)
        limit = self._complaint_limits.get(carrier, self._complaint_limits.get(""))
        if limit is not None:
            self._gauges["complaint_limit_ratio"].labels(carrier).set(limit / 1e6)

    def _observe(self, name: str, spans: Iterable[int]) -> None:
        """Put spans of time (ms) into a histogram."""
        histogram = self._histograms[name]
        for span in spans:
            histogram.observe(span / 1000)

    def kafka_failed(self, doing: Doing, flags: int = 0) -> None:
        """Count an error of Kafka that is waited for, and the flags that it did not take."""
        self._counters["kafka_failures_total"].labels(doing).inc()
        self._counters["flags_published_total"].labels("failed").inc(flags)

    def consumed_so_far(self, kind: str, records: int) -> None:
        """Count the records of a topic that is followed from its beginning, by how many have been read by now."""
        before, self._so_far[kind] = self._so_far.get(kind, 0), records
        self._counters["events_consumed_total"].labels(self._topic(kind), UNKNOWN).inc(records - before)

    def rebalanced(self) -> None:
        """Count a rebalance."""
        self._counters["rebalances_total"].inc()

    def set_ready(self, ready: bool) -> None:
        """Say whether every partition owned is judged."""
        self._gauges["worker_ready"].set(ready)

    def set_lag(self, kind: str, partition: int, records: int) -> None:
        """Say how many records of a partition are not yet read."""
        self._gauges["consumer_lag_records"].labels(self._topic(kind), partition).set(records)

    def set_committed(self, kind: str, partition: int, offset: int) -> None:
        """Say where the last ledger record of a partition stands in a topic."""
        self._gauges["committed_offset"].labels(self._topic(kind), partition).set(offset)

    def set_lag_seconds(self, kind: str, seconds: float) -> None:
        """Say how old the oldest record is that is not yet read; 0 where all are."""
        self._gauges["consumer_lag_seconds"].labels(self._topic(kind)).set(seconds)

    def set_watermark(self, kind: str, at: int) -> None:
        """Say which event time (ms) a topic has reached."""
        self._gauges["watermark_timestamp_seconds"].labels(self._topic(kind)).set(at / 1000)

    def set_table(self, kind: str, *, keys: int | None = None, recovering: bool, newest_at: int | None = None) -> None:
        """Say how a table stands: its rows, whether it is behind, the time (ms) of its newest record."""
        self._gauges["table_recovering"].labels(kind).set(recovering)
        if keys is not None:
            self._gauges["table_keys"].labels(kind).set(keys)
        if newest_at is not None:
            self._gauges["table_heartbeat_timestamp_seconds"].labels(kind).set(newest_at / 1000)

    def canary_returned(self, seconds: float) -> None:
        """Count a round trip of the canary."""
        self._histograms["canary_roundtrip_seconds"].observe(seconds)

    def set_canary(self, at: int) -> None:
        """Say up to which time (ms) the canary proves that every partition is judged."""
        self._gauges["canary_last_success_timestamp_seconds"].set(at / 1000)

    def forget(self, partition: int) -> None:
        """Drop the series of a partition that is no longer owned: another worker has them now."""
        for name in ("consumer_lag_records", "committed_offset"):
            self._gauges[name].remove_by_labels({"partition": str(partition)})

    def disown(self) -> None:
        """Drop everything that is told of partitions: none is owned."""
        for name in ("consumer_lag_records", "committed_offset", "consumer_lag_seconds", "watermark_timestamp_seconds"):
            self._gauges[name].clear()
        for name in ("table_heartbeat_timestamp_seconds", "table_keys", "table_recovering"):
            for table in ("consents", "replies"):
                self._gauges[name].remove_by_labels({"table": table})

    def set_breaches(self, by_rule: Mapping[str, int], behind: int, added_up_at: int) -> None:
        """Say how many breaches are open, how many ledger records wait, and up to when (ms) they are added up."""
        for rule, number in by_rule.items():
            self._gauges["breaches_open"].labels(rule).set(number)
        self._gauges["ledger_behind_records"].labels(self._topic("ledger")).set(behind)
        self._gauges["ledger_added_up_timestamp_seconds"].labels(self._topic("ledger")).set(added_up_at / 1000)

    def set_rolled_up(self, behind: int) -> None:
        """Say how many ledger records of its partitions one of the first stage has not summed up."""
        self._gauges["rollup_behind_records"].labels(self._topic("ledger")).set(behind)

    def set_open(self, breaches: Sequence[tuple[str, str, str, str]]) -> None:
        """Name the open breaches, oldest first: rule, id of whom it is about, id of the port, key."""
        self.set_all("signature_breach", dict.fromkeys(breaches[:MOST_BREACHES], 1))
        left_out = {breach for *_, breach in breaches[MOST_BREACHES:]}
        self._counters["label_overflow_total"].labels("signature_breach").inc(len(left_out - self._breaches))
        self._breaches = left_out

    def set_all(self, name: str, values: Mapping[tuple[str, ...], float]) -> None:
        """Give a gauge these values by its labels, and no others."""
        gauge = self._gauges[name]
        gauge.clear()
        for labels, number in values.items():
            gauge.labels(*labels).set(number)

    def forget_breaches(self) -> None:
        """Say nothing of what is added up any more: another process does it."""
        for name in ADDED_UP:
            self._gauges[name].clear()

    def reloaded(self, at: int | None) -> None:
        """Say that the configuration was read, at a time in ms; None where it could not be used."""
        self._gauges["config_last_reload_successful"].set(at is not None)
        if at is not None:
            self._gauges["config_last_reload_success_timestamp_seconds"].set(at / 1000)

    def page(self) -> bytes:
        """What /metrics answers, in Prometheus' text format."""
        return generate_latest(self.registry)

    def recent_page(self, now: float, *, small: bool = False) -> bytes:
        """The page of at most a second ago (`now` in seconds): making one costs milliseconds, and many may scrape.

        `small`: by gzip, as Prometheus takes it; sending the whole costs more than the rest of an answer.
        """
        if self._page is None or not 0 <= now - self._page[0] < FRESH_SECONDS:
            page = self.page()
            self._page = now, page, compress(page, compresslevel=1, mtime=0)
        _, whole, less = self._page
        return less if small else whole

    def _topic(self, kind: str) -> str:
        return self._names.get(kind, kind)


def _complained(outcome: Outcome) -> Mapping[str, int]:
    """The complaints of a batch by carrier, less those that turned out to be about other sends."""
    sums = Sum[str]()
    for about, number in outcome.record.sums.complained:
        sums[about.carrier or ""] += number
    return +sums
