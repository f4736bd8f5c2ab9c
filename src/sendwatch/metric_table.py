"""Every metric, declared once: name, type, labels and their bounds, meaning.

Belongs here: what there is. The collectors are made from this table, and so is the reference. Not here:
counting (`metrics.py`). Only what the worker really feeds stands here. Pure.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

UNKNOWN, OTHER = "unknown", "other"
MOST_CARRIERS, MOST_OTHERS = 20, 100
MOST_BREACHES, MOST_TOP = 200, 50
OUTCOMES = ("clean", "flagged", "suppressed", "undecided")
REJECTIONS = (
    "no_value",
    "too_large",
    "not_utf8",
    "not_json",
    "not_object",
    "missing_field",
    "wrong_type",
    "impossible_value",
    "recipient_form",
    "key_mismatch",
    "misplaced",
    "conflict",
)
DOINGS = ("publish", "append", "take_over", "read", "look")
FAULT = "fault"
DELAYS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300)
AGES = (60, 600, 3_600, 6 * 3_600, 24 * 3_600, 48 * 3_600, 72 * 3_600, 7 * 86_400, 30 * 86_400)
BUCKETS = {"opt_out_age_seconds": AGES}  # seconds; of all other histograms they are DELAYS


class Metric(Struct, frozen=True):
    """One metric: `name` without the prefix `sendwatch_`, `meaning` for people, labels with their bounds."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: str = ""


TOPIC = "topic: the declared ones"
CARRIER = f"carrier: {MOST_CARRIERS}, {UNKNOWN}, {OTHER}"
RULE = "rule: the catalogue"
PARTITION = f"{TOPIC}; partition: those owned"
WINDOW = "window: 1h, 1d, 30d"

METRICS = (
    Metric("build_info", "gauge", "Always 1; what runs.", ("version", "revision", "ruleset_version"), "one each"),
    Metric("events_consumed_total", "counter", "Records read.", ("topic", "carrier"), f"{TOPIC}; {CARRIER}"),
    Metric(
        "events_decided_total",
        "counter",
        "Sends judged, by what came of it; suppressed: flagged, but every flag is excepted.",
        ("carrier", "outcome"),
        f"{CARRIER}; outcome: {', '.join(OUTCOMES)}",
    ),
    Metric(
        "events_rejected_total",
        "counter",
        "Records put into quarantine.",
        ("topic", "reason"),
        f"{TOPIC}; reason: {len(REJECTIONS)}",
    ),
    Metric(
        "fields_ignored_total",
        "counter",
        "Bad optional fields, treated as absent.",
        ("topic", "field"),
        f"{TOPIC}; field: the contract's",
    ),
    Metric(
        "flags_total",
        "counter",
        "Flags raised.",
        ("rule", "severity", "carrier"),
        f"{RULE}; severity: 4; {CARRIER}",
    ),
    Metric(
        "flags_published_total",
        "counter",
        "Flag records written to Kafka (raised or cleared), or not.",
        ("result",),
        "result: acked, failed",
    ),
    Metric(
        "kafka_failures_total",
        "counter",
        "Errors of Kafka that are waited for, by what was being done: writing flags, opt-outs and quarantine, "
        "appending to the ledger, taking partitions over, reading, looking where topics end.",
        ("doing",),
        f"doing: {', '.join(DOINGS)}",
    ),
    Metric(
        "decision_delay_seconds",
        "histogram",
        "From the time of a flagged send to the acknowledgement of its flag. By the wall clock: it says "
        "nothing of replayed or scheduled sends.",
    ),
    Metric(
        "opt_out_age_seconds",
        "histogram",
        "How long after a refusal a commercial send of that owner still came, once for each such send (C5). The owners "
        "are in the flags and in the windows: a label would name them all.",
    ),
    Metric(
        "consumer_lag_records",
        "gauge",
        "Records not yet accounted for, those held while tables catch up among them.",
        ("topic", "partition"),
        PARTITION,
    ),
    Metric(
        "committed_offset",
        "gauge",
        "Next offset by the last ledger record; of facts, by the table while it is built anew.",
        ("topic", "partition"),
        PARTITION,
    ),
    Metric(
        "consumer_lag_seconds",
        "gauge",
        "Age of the oldest record not yet read, of the partition that is furthest behind; 0 where all is read.",
        ("topic",),
        TOPIC,
    ),
    Metric(
        "watermark_timestamp_seconds",
        "gauge",
        "Up to when sends are judged, by event time: of the partition furthest behind; now, where none has anything "
        "to read.",
        ("topic",),
        TOPIC,
    ),
    Metric(
        "table_heartbeat_timestamp_seconds",
        "gauge",
        "Newest record of a table, by the record's time.",
        ("table",),
        "table: the input topics' kinds",
    ),
    Metric("table_keys", "gauge", "Rows of a table.", ("table",), "table: the input topics' kinds"),
    Metric(
        "table_recovering",
        "gauge",
        "1 while a table is behind.",
        ("table",),
        "table: the input topics' kinds",
    ),
    Metric(
        "undecided_total",
        "counter",
        "Rules that could not say, and why; fault: the rule itself failed, see the log.",
        ("rule", "reason"),
        f"{RULE}; reason: {MOST_OTHERS}",
    ),
    Metric(
        "sends_covered_total",
        "counter",
        "Sends that every rule decided, or only some. Coverage is a ratio of their rates.",
        ("carrier", "decided"),
        f"{CARRIER}; decided: all, some",
    ),
    Metric(
        "corrections_total",
        "counter",
        "Flags raised or cleared afterwards, since a fact came late.",
        ("rule", "kind"),
        f"{RULE}; kind: raised, cleared",
    ),
    Metric(
        "complaints_total",
        "counter",
        "Complaints, one per message, by the carrier of the send that they are about. Counted anew where that changes.",
        ("carrier",),
        CARRIER,
    ),
    Metric(
        "complaint_limit_ratio",
        "gauge",
        "Complaints per send in a day that a carrier is held against, by the configuration.",
        ("carrier",),
        CARRIER,
    ),
    Metric("rebalances_total", "counter", "Times that partitions were shared out anew."),
    Metric("worker_ready", "gauge", "1 while every partition owned is judged."),
    Metric(
        "canary_last_success_timestamp_seconds",
        "gauge",
        "Time of the newest canary send whose flag has come back, of the partition where that is longest ago; the "
        "start, until then. 0 where no canary is configured.",
    ),
    Metric(
        "canary_roundtrip_seconds",
        "histogram",
        "From a canary send of this worker until its flag was read back.",
    ),
    Metric(
        "breaches_open",
        "gauge",
        "Breaches that are open, from the one process that adds up the ledger; the others tell none.",
        ("rule",),
        "rule: B3 to B6",
    ),
    Metric(
        "ledger_behind_records",
        "gauge",
        "Ledger records not yet added up, or rollups of them, from the one process that does it.",
        ("topic",),
        "topic: the ledger",
    ),
    Metric(
        "rollup_behind_records",
        "gauge",
        "Ledger records of its partitions that a `sendwatch rollup` has not summed up yet.",
        ("topic",),
        "topic: the ledger",
    ),
    Metric(
        "ledger_added_up_timestamp_seconds",
        "gauge",
        "Up to when what workers wrote into the ledger is added up, from the one process that does it; now, where "
        "nothing waits.",
        ("topic",),
        "topic: the ledger",
    ),
    Metric(
        "signature_breach",
        "gauge",
        "1 for each breach that is open, oldest first. breach: its key on the topic of breaches. The ids are keyed "
        "hashes of whom it is about (signature, owner, account or text) and of the port, which "
        "`sendwatch breaches` tells too.",
        ("rule", "signature_id", "port_id", "breach"),
        f"rule: B3 to B6; the others: {MOST_BREACHES} together",
    ),
    Metric(
        "top_signature_flag_rate",
        "gauge",
        "Flags per second over the last day of the signatures and ports with most; at least the truth. The ids are "
        "keyed hashes, which `sendwatch breaches` tells too.",
        ("signature_id", "port_id"),
        f"both: {MOST_TOP} together",
    ),
    Metric(
        "windows_sends",
        "gauge",
        "Sends judged in a sliding window of event time.",
        ("window",),
        WINDOW,
    ),
    Metric(
        "windows_complaints",
        "gauge",
        "Complaints, one per message, received in a sliding window of event time.",
        ("window",),
        "window: 1d, 30d",
    ),
    Metric(
        "windows_coverage_ratio",
        "gauge",
        "Share of the sends of a sliding window of event time that every rule decided.",
        ("window",),
        WINDOW,
    ),
    Metric(
        "windows_opt_outs",
        "gauge",
        "How refusals were heeded in the last 30 days: refusals by reply; commercial sends after a refusal (C5); those "
        "48 h and more after a reply (C9).",
        ("what",),
        "what: refusals, sent_after, ignored",
    ),
    Metric("label_overflow_total", "counter", "Label values counted as other.", ("metric",), "metric: these"),
    Metric("config_last_reload_successful", "gauge", "1 if the configuration was read without a mistake."),
    Metric("config_last_reload_success_timestamp_seconds", "gauge", "When that was last so."),
)


def reference() -> str:
    """The table of all metrics, in Markdown."""
    rows = ["| Metric | Type | Labels (bound) | Meaning |", "|---|---|---|---|"]
    for metric in METRICS:
        labels = metric.bounds or ", ".join(metric.labels) or "none"
        rows.append(f"| `sendwatch_{metric.name}` | {metric.type} | {labels} | {metric.meaning} |")
    return "\n".join(rows) + "\n"
