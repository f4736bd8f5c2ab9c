"""A stage report's numbers are those of a plain count over the records, and its pages say them."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_builders import AT, DAY, HOUR, breach, disposition, flag
from sendwatch import rules
from sendwatch.archive.store import Store
from sendwatch.archive.tables import ledger_rows
from sendwatch.keeping import Reports
from sendwatch.report import stage_charts, stage_html, stage_sheets
from sendwatch.report.stage import NoSuchStageError, Scope, spans_of_campaign, spans_of_range
from sendwatch.report.stage_document import Asked
from sendwatch.report.stage_source import of_archive, of_rows
from sendwatch.report.stage_tally import count
from sendwatch.report.stage_words import WORDS
from sendwatch.report.stage_write import document
from sendwatch.windows.outbreaks import RULES as WINDOWED
from windows_builders import a_record, a_tally, complained

if TYPE_CHECKING:
    from sendwatch.archive.tables import Row
    from sendwatch.report.stage import Audience
    from sendwatch.report.stage_numbers import Numbers

BEGIN = AT - 8 * HOUR - 4000  # 2026-11-09, midnight in UTC+8
SPANS = spans_of_range(BEGIN, BEGIN + 3 * DAY)
OWNERS = ("O1", "O2", None)
RULES = ("C5_AFTER_OPT_OUT", "C1_CONSENT_MISSING", "G2_SIGNATURE_UNFILED")
times = st.integers(BEGIN - 4 * DAY, BEGIN + 4 * DAY)
owners = st.sampled_from(OWNERS)
names = [{"id": "O1", "name": "云岭商贸有限公司", "group": None}]


class Rows(list["Row"]):
    """Many rows, of which Hypothesis need not show every field."""

    def __repr__(self) -> str:
        """How many of each kind."""
        return str(Counter(row.kind for row in self))


@st.composite
def publications(draw: st.DrawFn) -> list[Row]:
    """Flags with corrections, tallies, complaints, refusals, decisions, breaches: of made-up senders and times."""
    rows = Rows()
    for number in range(draw(st.integers(0, 25))):
        send = {
            "owner": draw(owners),
            "port": draw(st.sampled_from("pq")),
            "province": draw(st.sampled_from(["31", None])),
        }
        fixed: dict[str, Any] = {"flag_id": f"f{number}", "rule": draw(st.sampled_from(RULES)), "send": send}
        fixed |= {"shadow": draw(st.integers(0, 5)) == 0, "severity": draw(st.sampled_from(["low", "critical"]))}
        fixed["evidence"] = {"by": "reply", "refusal": f"r{draw(st.integers(0, 3))}", "refused_at": draw(times),
                             "past_48_hours": draw(st.booleans())}  # fmt: skip
        at, partition = draw(times), number % 2
        for revision in range(draw(st.integers(1, 3))):
            because = draw(st.sampled_from([None, {"topic": "sms.consents", "id": "c"}]))
            status = draw(st.sampled_from(["raised", "cleared"]))
            source = {"topic": "s", "partition": partition, "offset": number // 2}
            told: dict[str, Any] = {"revision": revision, "status": status, "because": because, "source": source}
            rows.append(flag(len(rows), at, partition=partition, **told, **fixed))
        if draw(st.booleans()):
            action = draw(st.sampled_from(["confirm", "dismiss", "appeal"]))
            rows.append(disposition(len(rows), f"f{number}", action, at))
    for place in range(draw(st.integers(0, 4))):
        tallies = [
            a_tally(draw(times), draw(st.integers(0, 9)), owner=draw(owners), port=draw(st.sampled_from("pq")),
                    undecided=draw(st.integers(0, 2)))
            for _ in range(draw(st.integers(0, 6)))
        ]  # fmt: skip
        complaints = [
            complained(draw(times), draw(st.integers(1, 5)), owner=draw(owners), about_code=draw(st.booleans()))
            for _ in range(draw(st.integers(0, 4)))
        ]
        record = a_record(draw(times), tallies, complained=complaints)
        record.sums.refused += [(draw(times) // HOUR, draw(st.sampled_from(["O1", "O2"])), 2)]
        rows += ledger_rows(0, place, record)
    rows += [breach(number, draw(times), rule="B3_COMPLAINT_RATE", subject={"owner": draw(owners), "port": "p"})
             for number in range(draw(st.integers(0, 2)))]  # fmt: skip
    return rows


def standing(rows: list[Row]) -> list[dict[str, Any]]:
    """The last record of every flag, counted by hand."""
    last: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.kind == "flags":
            last[row.values["flag_id"]] = row.values
    return list(last.values())


def within(rows: list[Row], kind: str, scope: Scope, since: int, until: int) -> list[dict[str, Any]]:
    """The rows of a kind in a time, of the owner."""
    values = standing(rows) if kind == "net" else [row.values for row in rows if row.kind == kind]
    mine = scope.owner is None
    return [each for each in values if since <= each["at"] < until and (mine or each["owner"] == scope.owner)]


few = settings(max_examples=12, print_blob=False)
"""Each example asks DuckDB some fifty questions."""


@few
@given(publications(), st.sampled_from([None, "O1"]))
def test_every_sum_equals_a_plain_count(rows: list[Row], owner: str | None) -> None:
    """Of this span and of the one before, for all and for one owner."""
    scope = Scope(SPANS, owner)
    found = count(of_rows(rows, names), scope)
    decided = {row.values["about_id"]: row.values["action"] for row in rows if row.kind == "dispositions"}
    for span in SPANS:
        tallies = within(rows, "tallies", scope, span.since, span.until)
        sends = sum(each["sends"] for each in tallies)
        if span.role != "this" and not sends:
            assert span.role not in found.totals
            continue
        totals = found.totals[span.role]
        net = [each for each in within(rows, "net", scope, span.since, span.until) if not each["shadow"]]
        raised = [each for each in net if each["status"] == "raised"]
        complaints = within(rows, "complaints", scope, span.since, span.until)
        opted = [each for each in raised if each["rule"] == "C5_AFTER_OPT_OUT"]
        assert totals.sends == sends
        assert totals.undecided == sum(each["undecided"] for each in tallies)
        assert totals.violations == len(raised)
        assert totals.sends_flagged == len({(each["source_partition"], each["source_offset"]) for each in raised})
        assert totals.grave == sum(each["severity"] == "critical" for each in raised)
        assert totals.dismissed == sum(decided.get(each["flag_id"]) == "dismiss" for each in raised)
        assert totals.complaints == sum(each["complaints"] for each in complaints)
        assert totals.about_codes == sum(each["complaints"] for each in complaints if each["about_code"])
        assert totals.refusals == sum(
            each["refusals"] for each in within(rows, "refusals", scope, span.since, span.until)
        )
        assert totals.after_opt_out == len(opted)
        assert totals.past_48_hours == sum('"past_48_hours":true' in each["evidence"] for each in opted)
        refused = [(each, int(re.findall(r'"refused_at":(\d+)', each["evidence"])[0])) for each in opted]
        assert totals.unheeded == len(
            {(re.findall(r'"refusal":"(\w+)"', each["evidence"])[0], each["owner"])
             for each, at in refused if span.since <= at < span.until}
        )  # fmt: skip
        assert totals.raised_late == sum(each["because_id"] is not None for each in raised)
        assert totals.cleared == sum(each["status"] == "cleared" for each in net)


@few
@given(publications())
def test_the_parts_equal_a_plain_count_and_add_up(rows: list[Row]) -> None:
    """By rule, by owner, port and province, by day; the parts are the whole, unknown ones too."""
    scope, span = Scope(SPANS), SPANS[0]
    found = count(of_rows(rows, names), scope)
    net = [each for each in within(rows, "net", scope, span.since, span.until) if not each["shadow"]]
    raised = [each for each in net if each["status"] == "raised"]
    assert {line.rule: line.violations for line in found.rules if line.violations} == Counter(
        each["rule"] for each in raised
    )
    tallies = within(rows, "tallies", scope, span.since, span.until)
    for family in ("owner", "port", "province"):
        sent = Counter[str | None]()
        for each in tallies:
            sent[each[family]] += each["sends"]
        lines = {line.key: line for line in found.groups[family]}
        broke = Counter(each[family] for each in raised)
        assert {key: line.violations for key, line in lines.items() if line.violations} == broke
        assert {key: line.sends for key, line in lines.items() if line.sends} == {k: n for k, n in sent.items() if n}
        for key, line in lines.items():
            most = Counter(each["rule"] for each in raised if each[family] == key).most_common(1)
            assert (line.rule is None) == (not most)
    assert sum(day.violations for day in found.days) == len(raised)
    assert sum(day.sends for day in found.days) == found.totals["this"].sends
    assert [day.day for day in found.days] == ["2026-11-09", "2026-11-10", "2026-11-11"]
    assert sum(found.unknown.values()) == found.totals["this"].undecided
    decided = {row.values["about_id"]: row.values["action"] for row in rows if row.kind == "dispositions"}
    of_net = Counter(
        decided[each["flag_id"]]
        for each in within(rows, "net", scope, span.since, span.until)
        if each["flag_id"] in decided
    )
    assert found.actions == of_net


@few
@given(publications())
def test_the_archive_tells_what_the_topics_tell(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    """Taken in by days, in two goes."""
    store = Store(tmp_path_factory.mktemp("archive"))
    store.take(rows[: len(rows) // 2])
    store.take(rows)
    store.name(names)
    for scope in (Scope(SPANS), Scope(SPANS, "O1", "owner")):
        archived, live = count(of_archive(store.folder, SPANS), scope), count(of_rows(rows, names), scope)
        archived.source = live.source
        archived.first_at = live.first_at = archived.last_at = live.last_at = None  # of more days than were archived
        assert archived == live


# -- what is said ------------------------------------------------------------------------------------------------

ROWS = [
    flag(0, BEGIN + HOUR),
    flag(1, BEGIN + DAY, rule="G2_SIGNATURE_UNFILED", send={"owner": "O2", "signature": "甲<b>"}),
    flag(2, BEGIN + DAY, shadow=True, rule="B1_QUIET_HOURS"), flag(3, BEGIN - DAY),
    flag(4, BEGIN + DAY, status="cleared", because={"topic": "sms.consents", "id": "c1"}),
    disposition(0, "f0", "dismiss"),
    breach(0, BEGIN + DAY, rule="B3_COMPLAINT_RATE", subject={"owner": "O2", "port": "p"}),
    *ledger_rows(0, 0, a_record(BEGIN, [a_tally(BEGIN + HOUR, 1000, undecided=3), a_tally(BEGIN - DAY, 500),
                                        a_tally(BEGIN + DAY, 200, owner="O2", signature="=1+1")],
                                complained=[complained(BEGIN, 2)])),
]  # fmt: skip


def written(audience: Audience = "all", language: Literal["en", "zh"] = "en", owner: str | None = None) -> Any:
    """A small report."""
    scope = Scope(SPANS, owner, audience)
    return document(counted(scope), Asked(scope=scope, language=language, made_at=AT, version="0.0.0", limit=0.25))


def counted(scope: Scope) -> Numbers:
    """Its numbers."""
    return count(of_rows(ROWS, names, "topics"), scope)


def test_the_page_says_the_numbers_and_fetches_nothing() -> None:
    """One file: no script, nothing from elsewhere, whatever senders write shown as text."""
    page = stage_html.html(written())
    assert "1,200 sends were judged; 2 of them broke a rule, with 2 violations in all" in page
    assert "甲&lt;b&gt;" in page
    assert "甲<b>" not in page
    assert not re.search(r"<script|<link|@import|url\(", page)
    assert set(re.findall(r"https?://[^\"' <]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert "36159381a40289be" not in page


def test_the_page_speaks_chinese() -> None:
    """Every word of it that is ours."""
    page = stage_html.html(written(language="zh"))
    assert 'lang="zh-CN"' in page
    assert "共判定短信 1,200 条，其中 2 条违规" in page
    assert "拒绝后仍发送商业短信" in page
    assert "Violations" not in page


def test_an_owner_gets_nothing_of_anybody_else() -> None:
    """No other owner, nobody's decisions, no rules on trial; but each violation."""
    text = stage_sheets.text(written("owner", owner="O1"))
    assert "O2" not in text
    assert "B1_QUIET" not in text
    assert "False alarm" not in text
    assert WORDS["s_decisions"].en not in text
    assert [row for row in csv.reader(io.StringIO(text)) if row[:1] == ["flags"]][1][3] == "s0"


DECIDED = [
    *ROWS,
    disposition(1, "f0", "except", AT + DAY, until="2026-12-31", why="登记延迟，已电话13912345678核实"),
    disposition(2, "b0", "confirm", AT + 2 * DAY, "breach", rule="B3_COMPLAINT_RATE",
                subject={"owner": "O2", "port": "p"}, role="admin", why="=warned in May"),
    disposition(3, "f3", "confirm", AT),
]  # fmt: skip


def deeds_of(audience: Audience, language: Literal["en", "zh"] = "en") -> list[list[str]]:
    """Each decision, as the CSV has it."""
    scope = Scope(SPANS, None, audience)
    asked = Asked(scope=scope, language=language, made_at=AT, version="0.0.0", limit=0.25)
    text = stage_sheets.text(document(count(of_rows(DECIDED, names, "topics"), scope), asked))
    return [row[1:] for row in csv.reader(io.StringIO(text)) if row[:1] == ["deeds"]][1:]


def test_each_decision_is_told_with_who_when_and_why() -> None:
    """About the flags and breaches of this time, whenever it was made; a number that slipped in is masked."""
    assert deeds_of("all") == [
        ["2026-11-09 08:00", "dismissed as a false alarm", "C5", "O1", "zhang (analyst)", "looked at", "f0"],
        ["2026-11-10 08:00", "excepted for a time until 2026-12-31", "C5", "O1", "zhang (analyst)",
         "登记延迟，已电话[number]核实", "f0"],
        ["2026-11-11 08:00", "confirmed", "B3", "O2, p", "zhang (admin)", "'=warned in May", "b0"],
    ]  # fmt: skip
    assert deeds_of("all", "zh")[1][1:5] == ["限期例外 至 2026-12-31", "C5", "O1", "zhang (分析员)"]


def test_outside_the_house_who_decided_is_a_role() -> None:
    """A regulator learns when and why, and is not given the names of people; an owner gets none of it."""
    assert [row[4] for row in deeds_of("regulator")] == ["analyst", "analyst", "admin"]
    assert deeds_of("owner") == []


def test_a_regulator_gets_nothing_of_rules_on_trial() -> None:
    """These are in the internal edition."""
    assert "shadow,B1," in stage_sheets.text(written())
    assert "B1" not in stage_sheets.text(written("regulator"))


def test_what_is_not_known_is_said() -> None:
    """A period of which a part, or nothing, is known; nothing to compare with."""
    assert WORDS["coverage_part"].en in stage_sheets.text(written())
    scope = Scope(spans_of_range(BEGIN + 30 * DAY, BEGIN + 31 * DAY))
    asked = Asked(scope=scope, language="en", made_at=AT, version="0", limit=0.25)
    text = stage_sheets.text(document(counted(scope), asked))
    assert WORDS["coverage_none"].en in text
    assert "there is nothing to compare with" in text
    assert "No sends of this period were judged." in text


def test_the_workbook_has_a_sheet_a_table_and_charts() -> None:
    """Numbers as numbers; no sender's text is a formula."""
    book = zipfile.ZipFile(io.BytesIO(stage_sheets.workbook(written(language="zh"))))
    sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) > 10
    assert any(name.startswith("xl/charts/chart") for name in book.namelist())
    assert not any(b"<f>" in book.read(name) for name in sheets)
    assert any(b"<v>1200</v>" in book.read(name) for name in sheets)


def test_the_workbook_can_be_read_and_printed_as_it_comes() -> None:
    """Each sheet is one A4 page wide, with its head frozen; columns as wide as what stands in them; in one language."""
    book = zipfile.ZipFile(io.BytesIO(stage_sheets.workbook(written(language="zh"))))
    cover, trend, *others = [
        book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")
    ]
    for sheet in (cover, trend, *others):
        assert 'fitToPage="1"' in sheet
        assert 'paperSize="9"' in sheet
        assert sheet is cover or 'topLeftCell="B2"' in sheet
    width = re.search(r'<col min="1" max="1" width="([\d.]+)"', trend)
    assert width
    assert float(width[1]) > stage_sheets.wide(WORDS["ignored"].zh)
    strings = book.read("xl/sharedStrings.xml").decode()
    assert "<t>高</t>" in strings
    assert "<t>high</t>" not in strings


def test_no_cell_of_the_csv_is_a_formula() -> None:
    """A signature may be anything."""
    assert "by_signature,'=1+1,200," in stage_sheets.text(written())


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_there_in_both_languages(word: str) -> None:
    """With the same fields."""
    words = WORDS[word]
    assert words.en
    assert words.zh
    assert set(re.findall(r"\{(\w+)\}", words.en)) == set(re.findall(r"\{(\w+)\}", words.zh))


@given(st.floats(0, 1e9))
def test_an_axis_has_few_round_numbers(most: float) -> None:
    """From 0 to at least the most."""
    ticks = stage_charts.ticks(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most * 0.999
    assert 2 <= len(ticks) <= 7


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_label_of_a_chart_is_cut_off(language: Literal["en", "zh"]) -> None:
    """Every rule's title with its id has room left of its bar, in a wide font too; a longer one is drawn together."""
    titles = [module.RULE.title for module in rules.discover().values()] + [rule.title for rule in WINDOWED]
    labels = [f"{getattr(title, language)}  G6" for title in titles]
    for label in (*labels, "W" * 60, "签" * 40):
        drawn = str(stage_charts.bars([(label, 3, None, "high")], "rules"))
        end = re.search(r'class="label end" x="([\d.]+)"', drawn)
        length = re.search(r'textLength="([\d.]+)"', drawn)
        assert end
        assert (float(length[1]) if length else stage_charts.label_of(label)) <= float(end[1])
        assert (length is None) == (label in labels), label


# -- which time --------------------------------------------------------------------------------------------------


def as_it_comes() -> Any:
    """The calendar as it comes."""
    from sendwatch import config

    given_keys = {"SENDWATCH_KAFKA__BOOTSTRAP": "127.0.0.1:1", "SENDWATCH_RECIPIENTS__FORM": "token"}
    return config.read(None, given_keys).settings


def test_a_stage_is_held_against_the_stage_before_and_the_last_campaign() -> None:
    """双11 against 618."""
    this, stage, campaign = spans_of_campaign(as_it_comes(), "双11", "2", AT)
    assert (this.days[0], this.days[-1]) == ("2026-10-31", "2026-11-09")
    assert (stage.role, stage.days[0], stage.days[-1]) == ("stage", "2026-10-20", "2026-10-30")
    assert (campaign.role, campaign.name, campaign.days[0]) == ("campaign", "618", "2026-06-01")


def test_a_whole_campaign_is_held_against_the_last_one() -> None:
    """The latest that has begun; 年货节 of this year comes before 618."""
    this, before = spans_of_campaign(as_it_comes(), "618", None, AT)
    assert (this.days[0], this.days[-1]) == ("2026-06-01", "2026-06-20")
    assert before.name == "年货节"


def test_a_stage_that_has_not_begun_is_that_of_last_year() -> None:
    """Before 618, its last is a year ago."""
    this, *_ = spans_of_campaign(as_it_comes(), "618", "3", AT - 200 * DAY)
    assert this.days[0] == "2025-06-16"


@pytest.mark.parametrize(("campaign", "stage"), [("616", None), ("双11", "9"), ("616", "1")])
def test_a_stage_that_the_calendar_lacks_is_refused(campaign: str, stage: str | None) -> None:
    """With what it has."""
    with pytest.raises(NoSuchStageError, match="双11 2"):
        spans_of_campaign(as_it_comes(), campaign, stage, AT)


@pytest.mark.parametrize("stage", ["双11", "双11 1 10-20", "双11 1 13-20..13-21", "双11 1 02-30..03-01"])
def test_what_is_no_stage_is_a_fault_of_the_configuration(stage: str) -> None:
    """Its place is told."""
    ((place, _),) = Reports(stages=("双11 1 10-20..10-30 预售", stage)).faults()
    assert place == "stages.1"
