"""What Prometheus is told."""

from __future__ import annotations

import re
from collections import Counter
from gzip import decompress
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from sendwatch.engine.counts import Counts
from sendwatch.engine.partition import Outcome
from sendwatch.ledger import Range, Version
from sendwatch.metric_table import DOINGS, METRICS, MOST_BREACHES, OTHER, REJECTIONS, UNKNOWN, reference
from sendwatch.metrics import ADDED_UP, Metrics
from sendwatch.outgoing import Message
from sendwatch.windows.sums import Complained, Sums

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = {"sends": "sms.sends", "consents": "sms.consents"}
RULES = {"C1_CONSENT_MISSING": "high", "B1_QUIET_HOURS": "low"}


def metrics(carriers: Iterable[str] = ("cmcc",)) -> Metrics:
    return Metrics(NAMES, RULES, carriers=list(carriers), version="0.1.0", revision="r", ruleset_version="s")


def outcome(counts: Counts, *topics: str) -> Outcome:
    """A batch that published a record to each of these topics."""
    record = Range(1, Version("0.1.0", "s", "c"), 0, 0, {}, {}, 0)
    return Outcome([Message(topic, 0, b"", b"", []) for topic in topics], record, {}, {}, counts)


def value(of: Metrics, name: str, **labels: str) -> float | None:
    return of.registry.get_sample_value(f"sendwatch_{name}", labels)


def test_a_batch_is_counted_under_its_labels() -> None:
    """Sums per batch, topics by their names, a send without carrier as unknown."""
    seen = metrics()
    counts = Counts(
        consumed=Counter({("sends", "cmcc"): 5, ("sends", ""): 2, ("consents", ""): 3}),
        decided=Counter({("cmcc", "clean"): 4, ("cmcc", "flagged"): 1}),
        covered=Counter({("cmcc", "all"): 4, ("cmcc", "some"): 1}),
        rejected=Counter({("sms.sends", "not_json"): 1}),
        ignored=Counter({("sends", "province"): 2}),
        flags=Counter({("C1_CONSENT_MISSING", "high", "cmcc"): 1}),
        undecided=Counter({("C1_CONSENT_MISSING", "type_unknown"): 1}),
        corrections=Counter({("C1_CONSENT_MISSING", "cleared"): 1}),
        flagged_sent_at=[9_500],
        after_refusal=[90_000, 50 * 3_600_000],
    )
    seen.count(outcome(counts, "flags", "flags", "quarantine"), now=10_000)
    assert value(seen, "events_consumed_total", topic="sms.sends", carrier="cmcc") == 5
    assert value(seen, "events_consumed_total", topic="sms.sends", carrier=UNKNOWN) == 2
    assert value(seen, "events_consumed_total", topic="sms.consents", carrier=UNKNOWN) == 3
    assert value(seen, "events_decided_total", carrier="cmcc", outcome="flagged") == 1
    assert value(seen, "sends_covered_total", carrier="cmcc", decided="all") == 4
    assert value(seen, "events_rejected_total", topic="sms.sends", reason="not_json") == 1
    assert value(seen, "fields_ignored_total", topic="sms.sends", field="province") == 2
    assert value(seen, "flags_total", rule="C1_CONSENT_MISSING", severity="high", carrier="cmcc") == 1
    assert value(seen, "undecided_total", rule="C1_CONSENT_MISSING", reason="type_unknown") == 1
    assert value(seen, "corrections_total", rule="C1_CONSENT_MISSING", kind="cleared") == 1
    assert value(seen, "flags_published_total", result="acked") == 2
    assert value(seen, "decision_delay_seconds_bucket", le="0.25") == 0
    assert value(seen, "decision_delay_seconds_bucket", le="0.5") == 1
    assert value(seen, "opt_out_age_seconds_bucket", le="600.0") == 1
    assert value(seen, "opt_out_age_seconds_bucket", le="172800.0") == 1
    assert value(seen, "opt_out_age_seconds_bucket", le="259200.0") == 2


def test_what_can_be_known_beforehand_starts_at_zero() -> None:
    """A rate sees the first rejection, the first flag, the first failure."""
    seen = metrics()
    for reason in REJECTIONS:
        assert value(seen, "events_rejected_total", topic="sms.sends", reason=reason) == 0
    assert value(seen, "flags_total", rule="B1_QUIET_HOURS", severity="low", carrier="cmcc") == 0
    assert value(seen, "flags_total", rule="B1_QUIET_HOURS", severity="low", carrier=UNKNOWN) == 0
    assert value(seen, "events_decided_total", carrier="cmcc", outcome="suppressed") == 0
    assert value(seen, "corrections_total", rule="B1_QUIET_HOURS", kind="raised") == 0
    assert value(seen, "flags_published_total", result="failed") == 0
    assert value(seen, "undecided_total", rule="C1_CONSENT_MISSING", reason="fault") == 0
    assert {value(seen, "kafka_failures_total", doing=doing) for doing in DOINGS} == {0}
    assert value(seen, "rebalances_total") == 0
    assert value(seen, "worker_ready") == 0


def test_carriers_are_bounded_and_those_named_always_have_a_label() -> None:
    """A sender that invents carriers fills no more than the room there is, and is counted."""
    seen = metrics(["cmcc", "cucc"])
    invented = Counter({("sends", f"c{number}"): 1 for number in range(50)})
    seen.count(outcome(Counts(consumed=invented)), 0)
    seen.count(outcome(Counts(consumed=Counter({("sends", "cucc"): 7}))), 0)
    assert value(seen, "events_consumed_total", topic="sms.sends", carrier="c17") == 1
    assert value(seen, "events_consumed_total", topic="sms.sends", carrier="c18") is None
    assert value(seen, "events_consumed_total", topic="sms.sends", carrier=OTHER) == 32
    assert value(seen, "events_consumed_total", topic="sms.sends", carrier="cucc") == 7
    assert value(seen, "label_overflow_total", metric="events_consumed_total") == 32


def test_no_number_or_text_becomes_a_label() -> None:
    """What a sender writes into `carrier` is not trusted; Chinese names and network codes are fine."""
    seen = metrics()
    for carrier in ("13900000001", "c13900000001", "x" * 33, "你好，退订回T", "a b", 'a"b', "1234567"):
        seen.count(outcome(Counts(decided=Counter({(carrier, "clean"): 1}))), 0)
    for carrier in ("46000", "移动", "cn-tel.1"):
        seen.count(outcome(Counts(decided=Counter({(carrier, "clean"): 1}))), 0)
        assert value(seen, "events_decided_total", carrier=carrier, outcome="clean") == 1
    assert value(seen, "events_decided_total", carrier=OTHER, outcome="clean") == 7
    assert b"1390000000" not in seen.page()


def test_a_partition_given_up_leaves_no_series_behind() -> None:
    """Two workers must not both tell the lag of one partition."""
    seen = metrics()
    for partition in (1, 11):
        seen.set_lag("sends", partition, 5)
        seen.set_committed("sends", partition, 100)
    seen.forget(1)
    assert value(seen, "consumer_lag_records", topic="sms.sends", partition="1") is None
    assert value(seen, "committed_offset", topic="sms.sends", partition="1") is None
    assert value(seen, "consumer_lag_records", topic="sms.sends", partition="11") == 5
    seen.forget(7)


def test_a_worker_without_partitions_tells_nothing_of_any() -> None:
    """Lag, event time and the tables of facts; the registries stay."""
    seen = metrics()
    seen.set_lag("sends", 1, 5)
    seen.set_committed("sends", 1, 5)
    seen.set_lag_seconds("sends", 5)
    seen.set_watermark("sends", 5)
    for table in ("consents", "replies", "ports"):
        seen.set_table(table, keys=1, recovering=True, newest_at=5)
    seen.disown()
    seen.disown()
    told = re.findall(r"^sendwatch_(?:consumer|comm|water|table)[^{]*{(.*)}", seen.page().decode(), re.MULTILINE)
    assert set(told) == {'table="ports"'}


def test_records_of_a_followed_topic_are_counted_by_their_sum() -> None:
    """Told again and again; only what is new counts."""
    seen = metrics()
    for total in (2, 2, 5):
        seen.consumed_so_far("consents", total)
    assert value(seen, "events_consumed_total", topic="sms.consents", carrier=UNKNOWN) == 5


def test_how_the_worker_stands_is_told() -> None:
    """Gauges, in seconds where Prometheus wants seconds."""
    seen = metrics()
    seen.set_ready(ready=True)
    seen.rebalanced()
    seen.kafka_failed("publish", 3)
    seen.kafka_failed("append")
    seen.set_lag_seconds("sends", 1.5)
    seen.set_watermark("sends", 1_700_000_000_500)
    seen.set_table("signatures", keys=7, recovering=False, newest_at=1_700_000_000_000)
    seen.set_table("consents", recovering=True)
    seen.reloaded(1_700_000_000_000)
    seen.reloaded(None)
    assert value(seen, "worker_ready") == 1
    assert value(seen, "rebalances_total") == 1
    assert value(seen, "flags_published_total", result="failed") == 3
    assert value(seen, "kafka_failures_total", doing="publish") == 1
    assert value(seen, "kafka_failures_total", doing="append") == 1
    assert value(seen, "consumer_lag_seconds", topic="sms.sends") == 1.5
    assert value(seen, "watermark_timestamp_seconds", topic="sms.sends") == 1_700_000_000.5
    assert value(seen, "table_keys", table="signatures") == 7
    assert value(seen, "table_recovering", table="consents") == 1
    assert value(seen, "table_keys", table="consents") is None
    assert value(seen, "config_last_reload_successful") == 0
    assert value(seen, "config_last_reload_success_timestamp_seconds") == 1_700_000_000


def test_the_page_holds_every_metric_that_is_declared_and_nothing_else_of_ours() -> None:
    """Names, types and help are those of the table; creation times are left out."""
    page = metrics().page().decode()
    ours = {family.name: family for family in text_string_to_metric_families(page) if "sendwatch" in family.name}
    assert set(ours) == {f"sendwatch_{metric.name.removesuffix('_total')}" for metric in METRICS}
    for metric in METRICS:
        family = ours[f"sendwatch_{metric.name.removesuffix('_total')}"]
        assert (family.type, family.documentation) == (metric.type, metric.meaning)
    assert "_created" not in page
    assert 'sendwatch_build_info{revision="r",ruleset_version="s",version="0.1.0"} 1.0' in page
    assert "process_resident_memory_bytes" in page


def test_two_workers_in_one_process_do_not_meet() -> None:
    """Nothing is global."""
    one, other = metrics(), metrics()
    one.rebalanced()
    assert value(other, "rebalances_total") == 0


def test_the_reference_names_every_metric_with_its_bounds() -> None:
    """A table for people, made from the code; each label has a bound."""
    table = reference()
    for metric in METRICS:
        assert f"| `sendwatch_{metric.name}` | {metric.type} | " in table
        assert bool(metric.labels) == bool(metric.bounds)


def test_open_breaches_are_told_by_the_one_who_adds_up_and_by_nobody_else() -> None:
    """By rule; who no longer does it tells nothing."""
    seen = metrics()
    assert value(seen, "breaches_open", rule="B4_HARVEST") is None
    seen.set_breaches({"B3_COMPLAINT_RATE": 0, "B4_HARVEST": 2}, 7, 1_700_000_000_500)
    seen.set_open([("B4_HARVEST", "5c5a1879b3c7fc4a", "", "e1")])
    seen.set_all("windows_sends", {("1d",): 9})
    assert value(seen, "breaches_open", rule="B4_HARVEST") == 2
    assert value(seen, "breaches_open", rule="B3_COMPLAINT_RATE") == 0
    assert value(seen, "ledger_behind_records", topic="ledger") == 7
    assert value(seen, "ledger_added_up_timestamp_seconds", topic="ledger") == 1_700_000_000.5
    assert value(seen, "windows_sends", window="1d") == 9
    seen.forget_breaches()
    assert not re.findall(rf"^sendwatch_(?:{'|'.join(ADDED_UP)}){{", seen.page().decode(), re.MULTILINE)
    assert value(seen, "breaches_open", rule="B4_HARVEST") is None


def test_breaches_beyond_the_room_are_counted_once_and_closed_ones_are_gone() -> None:
    """The oldest are named; the others are overflow however often they are told."""
    seen = metrics()
    opened = [("B5_EVASION", f"{number:016x}", "", f"e{number}") for number in range(MOST_BREACHES + 3)]
    seen.set_open(opened)
    seen.set_open(opened)
    first, last = opened[0], opened[-1]
    assert value(seen, "signature_breach", rule=first[0], signature_id=first[1], port_id="", breach="e0") == 1
    assert value(seen, "signature_breach", rule=last[0], signature_id=last[1], port_id="", breach=last[3]) is None
    assert value(seen, "label_overflow_total", metric="signature_breach") == 3
    seen.set_open(opened[1:])
    assert value(seen, "signature_breach", rule=first[0], signature_id=first[1], port_id="", breach="e0") is None
    assert value(seen, "label_overflow_total", metric="signature_breach") == 3


def test_complaints_are_counted_by_carrier_and_held_against_its_limit() -> None:
    """From the ledger record; one that moves to another send of the carrier counts no second time."""
    seen = Metrics(NAMES, RULES, carriers=["cmcc"], complaint_limits={"": 0.25, "cucc": 5})
    assert value(seen, "complaints_total", carrier="cmcc") == 0
    assert value(seen, "complaint_limit_ratio", carrier="cmcc") == 0.25e-6
    told = [(complained("cmcc"), 2), (complained("cucc"), 1), (complained("cucc", "O2"), -1), (complained("ctcc"), -1)]
    batch = outcome(Counts())
    batch.record.sums = Sums(complained=told)
    seen.count(batch, 0)
    assert value(seen, "complaints_total", carrier="cmcc") == 2
    assert value(seen, "complaints_total", carrier="cucc") is None
    batch.record.sums = Sums(complained=told[:2])
    seen.count(batch, 0)
    assert value(seen, "complaints_total", carrier="cucc") == 1
    assert value(seen, "complaint_limit_ratio", carrier="cucc") == 5e-6


def complained(carrier: str, owner: str = "O1") -> Complained:
    return Complained(
        7, owner, "10690001", "12321", "marketing", "SP1", carrier, "31", about_code=False, found="latest"
    )


def test_whoever_scrapes_often_gets_the_page_of_a_moment_ago() -> None:
    """It is made once a second at most; who comes seldom gets a fresh one."""
    seen = metrics()
    first = seen.recent_page(100.0)
    seen.rebalanced()
    assert seen.recent_page(100.9) is first
    fresh = seen.recent_page(101.0)
    assert b"sendwatch_rebalances_total 1.0" in fresh
    assert decompress(seen.recent_page(101.0, small=True)) == fresh
