"""The pipeline for the engineer on call: where records wait, what is refused, what the workers cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders.dashboard import Row

from boards.frame import choice, frame
from boards.panels import AMBER, BLUE, GREEN, RED, About, Ask, heat, lines, rows, states

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from boards.frame import Panels

UID: Final = "sendwatch-pipeline"
WORKERS: Final = 'job="sendwatch", instance=~"$instance"'
TRIPS: Final = f"sum by (le) (rate(sendwatch_canary_roundtrip_seconds_bucket{{{WORKERS}}}[5m]))"
TOPICS: Final = f'{WORKERS}, topic=~"$topic"'


def board() -> Dashboard:
    """From the topics that are read to the flags that are written, and the machines in between."""
    made = (
        frame(
            UID,
            "sendwatch · Pipeline / 流水线",
            "For the engineer on call: where records wait, what is refused, how tables and workers stand. / "
            "值班工程师使用：积压位置、被拒记录、数据表与实例状态。",
            refresh="30s",
            since="now-1h",
        )
        .with_variable(choice("instance", "Worker · 实例", "label_values(sendwatch_worker_ready, instance)"))
        .with_variable(choice("topic", "Topic · 主题", "label_values(sendwatch_consumer_lag_records, topic)"))
    )
    for name, panels in (
        ("Reading · 读取", _reading()),
        ("Refused · 被拒记录", _refused()),
        ("Publishing · 输出", _publishing()),
        ("Tables · 数据表", _tables()),
        ("Workers · 实例", _workers()),
    ):
        made.with_row(Row(name))
        for panel in panels:
            made.with_panel(panel)
    return made


def _reading() -> Panels:
    return (
        lines(
            About(
                "Lag by partition · 分区积压",
                "Records not yet accounted for, those held while tables catch up among them, by topic and partition.",
                "各主题分区尚未处理的记录数，含数据表追平期间暂缓的短信。",
                "short",
                12,
                9,
            ),
            Ask(
                f"sum by (topic, partition) (sendwatch_consumer_lag_records{{{TOPICS}}})",
                "{{topic}} {{partition}}",
            ),
            legend=False,
        ),
        lines(
            About(
                "Lag in time · 积压时延",
                "Age of the oldest record not yet read, by topic. From 300 s a ticket, from 900 s a page.",
                "各主题最久未读记录的等待时间；超过 300 秒提单，超过 900 秒呼叫。",
                "s",
                12,
                9,
            ),
            Ask(f"max by (topic) (sendwatch_consumer_lag_seconds{{{TOPICS}}})", "{{topic}}"),
            steps=((None, BLUE), (300, AMBER), (900, RED)),
        ),
        lines(
            About(
                "Records read · 读取速率",
                "Records read per second, by topic.",
                "各主题每秒读取的记录数。",
                "ops",
                8,
                8,
            ),
            Ask(
                f"sum by (topic) (rate(sendwatch_events_consumed_total{{{TOPICS}}}[$__rate_interval]))",
                "{{topic}}",
            ),
        ),
        lines(
            About(
                "Committed · 提交速率",
                "How fast the committed offsets go forward, per second, by topic. Zero with a lag: it stands still.",
                "各主题提交位点每秒前进量；有积压而为零表示停滞。",
                "ops",
                8,
                8,
            ),
            Ask(
                f"sum by (topic) (deriv(sendwatch_committed_offset{{{TOPICS}}}[$__rate_interval]))",
                "{{topic}}",
            ),
        ),
        lines(
            About(
                "Event time behind · 事件时间滞后",
                "How far the time of the sends being judged lies behind the clock, in the partition furthest behind; "
                "none where nothing waits.",
                "积压最深的分区正在判定的事件时间落后于当前时间的长度；没有待判定记录时为零。",
                "s",
                8,
                8,
            ),
            Ask(
                f"time() - min by (topic) (sendwatch_watermark_timestamp_seconds{{{WORKERS}}})",
                "{{topic}}",
            ),
        ),
    )


def _refused() -> Panels:
    return (
        lines(
            About(
                "Quarantined by reason · 隔离原因",
                "Records put into quarantine per second, by reason. Their neighbours are judged.",
                "每秒被隔离的记录数，按原因；相邻记录照常判定。",
                "ops",
                12,
                8,
            ),
            Ask(
                f"sum by (reason) (rate(sendwatch_events_rejected_total{{{WORKERS}}}[$__rate_interval]))",
                "{{reason}}",
            ),
        ),
        rows(
            About(
                "Quarantined by topic · 各主题隔离",
                "Records put into quarantine in the time shown, by topic and reason.",
                "所选时段内各主题被隔离的记录数，按原因。",
                "short",
                6,
                8,
            ),
            {"topic": "topic · 主题", "reason": "reason · 原因"},
            Ask(
                f"sum by (topic, reason) (increase(sendwatch_events_rejected_total{{{WORKERS}}}[$__range])) > 0",
                "records · 条数",
            ),
        ),
        rows(
            About(
                "Fields ignored · 忽略字段",
                "Bad optional fields treated as absent in the time shown: the sender should mend them.",
                "所选时段内因格式错误而忽略的可选字段，应由来源方修正。",
                "short",
                6,
                8,
            ),
            {"topic": "topic · 主题", "field": "field · 字段"},
            Ask(
                f"sum by (topic, field) (increase(sendwatch_fields_ignored_total{{{WORKERS}}}[$__range]))",
                "records · 条数",
            ),
        ),
    )


def _publishing() -> Panels:
    return (
        lines(
            About(
                "Flags written · 标记写入",
                "Flag records written to Kafka per second (raised or cleared), or not; and errors of Kafka that are "
                "waited for, by what was being done. Any failure is a page.",
                "每秒写入 Kafka 的标记记录（新增或撤销），以及等待中的 Kafka 错误（按操作）；出现失败即呼叫。",
                "ops",
                8,
                8,
            ),
            Ask(
                f"sum by (result) (rate(sendwatch_flags_published_total{{{WORKERS}}}[$__rate_interval]))", "{{result}}"
            ),
            Ask(
                f"sum by (doing) (rate(sendwatch_kafka_failures_total{{{WORKERS}}}[$__rate_interval]))",
                "Kafka failed: {{doing}}",
            ),
        ),
        heat(
            About(
                "Decision delay · 判定时延分布",
                "From the time of a flagged send to the acknowledgement of its flag. Replayed or scheduled sends land "
                "at the top.",
                "从下发时间到标记写入确认的时延分布；重放与定时下发落在最上方。",
                "s",
                16,
                8,
            ),
            Ask(
                f"sum by (le) (increase(sendwatch_decision_delay_seconds_bucket{{{WORKERS}}}[$__rate_interval]))",
                "{{le}}",
            ),
        ),
        lines(
            About(
                "Canary round trip · 探针往返",
                "From a made-up send until its flag was read back, p50 and p99 over the 5 minutes before.",
                "合成下发从写入到读回其标记的时长（此前 5 分钟的中位数与 p99）。",
                "s",
                12,
                8,
            ),
            Ask(f"histogram_quantile(0.5, {TRIPS})", "p50"),
            Ask(f"histogram_quantile(0.99, {TRIPS})", "p99"),
        ),
        lines(
            About(
                "Canary's last success · 探针最近成功",
                "How long ago the newest canary send was that came back, of the worst partition, as each worker sees "
                "it. All of them above 120 s is a page.",
                "最差分区最近一次成功探针距今的时长，按实例；全部超过 120 秒即呼叫。",
                "s",
                12,
                8,
            ),
            Ask(
                f"time() - max by (instance) (sendwatch_canary_last_success_timestamp_seconds{{{WORKERS}}} > 0)",
                "{{instance}}",
            ),
            steps=((None, BLUE), (120, RED)),
        ),
    )


def _tables() -> Panels:
    return (
        lines(
            About(
                "Newest record · 数据表新鲜度",
                "Age of the newest record of each table. Registries change seldom: only what has a limit in "
                "deploy/prometheus/rules is watched.",
                "各数据表最新记录的年龄；登记类数据很少变化，仅监控设有上限者。",
                "s",
                8,
                8,
            ),
            Ask(f"time() - max by (table) (sendwatch_table_heartbeat_timestamp_seconds{{{WORKERS}}})", "{{table}}"),
        ),
        lines(
            About(
                "Rows · 数据表行数",
                "Rows of each table: consents are recipients, summed over workers; every worker has all of a registry.",
                "各数据表行数：consents 为接收方数（各实例之和）；登记类每个实例均持有全量。",
                "short",
                8,
                8,
            ),
            Ask(f'sum by (table) (sendwatch_table_keys{{{WORKERS}, table="consents"}})', "{{table}}"),
            Ask(f'max by (table) (sendwatch_table_keys{{{WORKERS}, table!="consents"}})', "{{table}}"),
        ),
        states(
            About(
                "Recovering · 数据表恢复",
                "Whether a table is behind in any worker: its sends wait until it has caught up.",
                "是否有实例的数据表尚未追平；追平前相关下发等待判定。",
                "short",
                8,
                8,
            ),
            Ask(f"max by (table) (sendwatch_table_recovering{{{WORKERS}}})", "{{table}}"),
            {0: ("caught up · 已追平", GREEN), 1: ("behind · 恢复中", AMBER)},
        ),
    )


def _workers() -> Panels:
    return (
        states(
            About(
                "Ready · 就绪",
                "Whether each worker judges every partition it owns.",
                "各实例是否在判定其全部分区。",
                "short",
                8,
                8,
            ),
            Ask(f"max by (instance) (sendwatch_worker_ready{{{WORKERS}}})", "{{instance}}"),
            {0: ("not ready · 未就绪", RED), 1: ("ready · 就绪", GREEN)},
        ),
        lines(
            About(
                "Rebalances · 重新分配",
                "Times that partitions were shared out anew, in the 5 minutes before, by worker.",
                "各实例此前 5 分钟内分区重新分配次数。",
                "short",
                8,
                8,
            ),
            Ask(f"sum by (instance) (increase(sendwatch_rebalances_total{{{WORKERS}}}[5m]))", "{{instance}}"),
        ),
        lines(
            About(
                "CPU · 处理器",
                "Cores used, by worker; one is all that a worker can use.",
                "各实例占用的处理器核数，单实例上限约为 1。",
                "short",
                8,
                8,
            ),
            Ask(f"sum by (instance) (rate(process_cpu_seconds_total{{{WORKERS}}}[$__rate_interval]))", "{{instance}}"),
        ),
        lines(
            About("Memory · 内存", "Resident memory, by worker.", "各实例常驻内存。", "bytes", 8, 8),
            Ask(f"max by (instance) (process_resident_memory_bytes{{{WORKERS}}})", "{{instance}}"),
        ),
        lines(
            About(
                "Open files · 文件句柄",
                "Open file descriptors as a share of the most allowed, by worker.",
                "各实例已用文件句柄占上限比例。",
                "percentunit",
                8,
                8,
            ),
            Ask(
                f"max by (instance) (process_open_fds{{{WORKERS}}} / process_max_fds{{{WORKERS}}})",
                "{{instance}}",
            ),
        ),
        lines(
            About(
                "Labels that overflowed · 标签溢出",
                "Label values per second counted as `other`, by metric: more carriers, fields or reasons than there is "
                "room for.",
                "每秒归入 other 的标签值数，按指标。",
                "ops",
                8,
                8,
            ),
            Ask(f"sum by (metric) (rate(sendwatch_label_overflow_total{{{WORKERS}}}[$__rate_interval]))", "{{metric}}"),
        ),
    )
