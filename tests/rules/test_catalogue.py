"""The catalogue and the files of the rules, held against one another and against the contract."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from build import RULES
from sendwatch import law, rules
from sendwatch.judge import Rulebook
from sendwatch.outgoing import FlaggedSend
from sendwatch.report.catalogue import as_json, as_text
from sendwatch.verdict import INPUTS, TABLES
from sendwatch.windows import b3_complaint_rate, b4_harvest, b5_evasion, b6_retaliation
from sendwatch.windows.limits import HOUR, Limits
from sendwatch.windows.lines import Table
from sendwatch.windows.outbreaks import RULES as WINDOWED
from sendwatch.windows.sums import Blocked

if TYPE_CHECKING:
    from sendwatch.verdict import RuleModule
    from sendwatch.windows.breach import Measure

FOLDER = Path(rules.__file__).parent
PACKS = law.load()
PLACEHOLDER = re.compile(r"\{(\w+)\}")
SCREEN = 72

CONTRACT = {
    "C1_CONSENT_MISSING": "high",
    "C2_CONSENT_NOT_EXPLICIT": "high",
    "C3_PROOF_MISSING": "medium",
    "C4_CONSENT_EXCEEDED": "medium",
    "C5_AFTER_OPT_OUT": "high",
    "C6_RENAMED_AFTER_OPT_OUT": "high",
    "C7_ASKED_AGAIN": "medium",
    "C8_NO_OPT_OUT_TEXT": "medium",
    "C9_OPT_OUT_IGNORED": "critical",
    "G1_SIGNATURE_MISSING": "medium",
    "G2_SIGNATURE_UNFILED": "high",
    "G3_SIGNATURE_LAPSED": "high",
    "G4_SIGNATURE_OUT_OF_SCOPE": "high",
    "G5_SUBLEASE": "critical",
    "G6_PURPOSE_MIX": "high",
    "G7_TEMPLATE_DRIFT": "medium",
    "G8_PORT_INVALID": "high",
    "B1_QUIET_HOURS": "low",
    "B2_FREQUENCY": "low",
    "B7_DIVERSION": "low",
}
COMMERCIAL = {"C1", "C2", "C3", "C4", "C5", "C6", "C8", "C9", "B1", "B2", "B7"}


def catalogue() -> dict[str, list[str]]:
    """The cells of every row of the catalogue, by rule."""
    return rows_of((FOLDER / "README.md").read_text(encoding="utf-8").partition(TOGETHER)[0])


def rows_of(text: str) -> dict[str, list[str]]:
    """The cells of every row of a table, by the rule in its first cell."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return {row[0].strip("`"): row for row in rows if re.fullmatch(r"`[A-Z]\d_\w+`", row[0])}


TOGETHER = "## Rules of many sends together"
ROWS = catalogue()
each_rule = pytest.mark.parametrize("rule", RULES)


def names(cell: str) -> set[str]:
    """What stands in backquotes in a cell."""
    return set(re.findall(r"`([^`]+)`", cell))


def function(module: RuleModule, name: str) -> ast.FunctionDef:
    """The source of a function of a rule."""
    body = ast.parse(source(module)).body
    return next(node for node in body if isinstance(node, ast.FunctionDef) and node.name == name)


def source(module: Any) -> str:
    """The whole file of a rule."""
    return inspect.getsource(module)


def evidence_of(module: RuleModule) -> set[str]:
    """The names of all fields that its answers hold."""
    dicts = [node for node in ast.walk(function(module, "judge")) if isinstance(node, ast.Dict)]
    return {ast.literal_eval(key) for each in dicts for key in each.keys if key is not None}


def reasons_of(module: RuleModule) -> set[str]:
    """The reasons for which it can be undecided: its own, and those of the judge's gates."""
    rule, found = module.RULE, set[str]()
    for node in ast.walk(function(module, "judge")):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "Undecided":
                found.add(str(node.args[0].value) if isinstance(node.args[0], ast.Constant) else "…")
            if node.func.id == "without":
                found |= {f"{ast.literal_eval(arg)}_not_connected" for arg in node.args[1:]}
    found |= {f"{table}_not_connected" for table in rule.needs}
    if rule.commercial:
        found.add("type_unknown")
    if rule.commercial and rule.of_recipient:
        found.add("owner")
    if rule.waived_on_request:
        found.add("replies_not_connected")
    return found


# -- the catalogue ----------------------------------------------------------------------------------------------


def test_the_catalogue_has_a_row_for_each_rule_and_no_other() -> None:
    """In the order in which they are discovered."""
    assert list(ROWS) == list(RULES)


@each_rule
def test_a_row_tells_violation_and_severity(rule: str) -> None:
    """As the code has them, in both languages."""
    _, en, zh, severity, *_ = ROWS[rule]
    about = RULES[rule].RULE
    assert (en, zh, severity) == (about.title.en, about.title.zh, about.severity.value)


@each_rule
def test_a_row_tells_the_law_packs_and_clauses(rule: str) -> None:
    """As the packs have them."""
    held = [f"`{pack.id}` {pack.clauses[rule]}" for pack in PACKS if rule in pack.clauses]
    assert ROWS[rule][4] == "; ".join(held)


@each_rule
def test_a_row_tells_what_the_rule_reads(rule: str) -> None:
    """As the rule says; what it needs is among it."""
    about = RULES[rule].RULE
    assert names(ROWS[rule][5]) == about.reads
    assert about.needs <= about.reads & TABLES
    assert about.reads <= INPUTS


@each_rule
def test_a_row_tells_every_reason_for_being_undecided(rule: str) -> None:
    """By the calls in its source; a reason that is put together there may be any `…_unknown`."""
    told, found = names(ROWS[rule][6]), reasons_of(RULES[rule])
    spare = told - found
    assert found - {"…"} <= told | {"…"}
    if "…" in found:
        assert all(reason.endswith("_unknown") or reason == "owner" for reason in spare)
    else:
        assert not spare


@each_rule
def test_a_row_tells_the_fields_of_the_evidence(rule: str) -> None:
    """As they stand in its source."""
    assert names(ROWS[rule][7]) == evidence_of(RULES[rule])


# -- the files --------------------------------------------------------------------------------------------------


def test_the_rules_and_their_severities_are_those_of_the_contract() -> None:
    """§4, row by row."""
    assert {rule: module.RULE.severity.value for rule, module in RULES.items()} == CONTRACT


def test_commercial_rules_are_those_that_the_contract_calls_so() -> None:
    """The rest is asked of every send."""
    assert {rule[:2] for rule, module in RULES.items() if module.RULE.commercial} == COMMERCIAL


def test_a_request_waives_c1_to_c5_and_what_holds_only_with_them() -> None:
    """C6 holds only where C1 does, C9 only where C5 does."""
    waived = {rule[:2] for rule, module in RULES.items() if module.RULE.waived_on_request}
    assert waived == {"C1", "C2", "C3", "C4", "C5", "C6", "C9"}


@each_rule
def test_from_a_rules_id_one_can_guess_its_file_and_its_tests(rule: str) -> None:
    """And back."""
    assert Path(str(inspect.getsourcefile(RULES[rule]))).stem == rule.lower()  # type: ignore[arg-type]
    assert (Path(__file__).parent / f"test_{rule.lower()}.py").exists()


@each_rule
def test_a_docstring_says_what_is_wrong_and_quotes_the_clause_with_its_source(rule: str) -> None:
    """With the year, and where it can be had the official wording; or it says that it is mere practice."""
    doc = str(RULES[rule].__doc__)
    assert doc.startswith(f"{rule[:2]}: ")
    packs = {pack.id for pack in PACKS if rule in pack.clauses}
    if packs == {"practice"}:
        assert re.search(r"[Cc]arrier practice|Carriers must", doc)
    else:
        assert re.search(r"Clause: .{20,}", doc, re.DOTALL)
        assert re.search(r"Order\s(31|74|37)", doc)
        assert re.search(r"20\d\d", doc)
    assert re.search(r"[一-鿿]", doc + RULES[rule].RULE.title.zh)


@each_rule
def test_a_reason_names_only_fields_of_the_evidence_or_the_send(rule: str) -> None:
    """The same ones in both languages."""
    known = evidence_of(RULES[rule]) | set(msgspec.structs.asdict(A_SEND))
    reason = RULES[rule].RULE.reason
    en, zh = set(PLACEHOLDER.findall(reason.en)), set(PLACEHOLDER.findall(reason.zh))
    assert en == zh
    assert en <= known


A_SEND = FlaggedSend("", "", "", "", None, None, None, None, None, None, 0)


@each_rule
def test_titles_and_reasons_are_in_both_languages(rule: str) -> None:
    """English without Chinese, Chinese with some."""
    about = RULES[rule].RULE
    for words in (about.title, about.reason):
        assert not re.search(r"[一-鿿]", words.en)
        assert re.search(r"[一-鿿]", words.zh)


@each_rule
def test_a_rule_fits_one_screen(rule: str) -> None:
    """Lines, docstring and examples and all."""
    assert len(source(RULES[rule]).splitlines()) <= SCREEN


@each_rule
def test_a_rule_reads_neither_clock_nor_file_nor_the_records_themselves(rule: str) -> None:
    """It is given facts, and imports what is needed to read them."""
    allowed = {"days", "dossier", "example", "facts", "history", "rules", "templates", "verdict"}
    imported = [node for node in ast.walk(ast.parse(source(RULES[rule]))) if isinstance(node, ast.ImportFrom)]
    assert not [node for node in ast.walk(ast.parse(source(RULES[rule]))) if isinstance(node, ast.Import)]
    for node in imported:
        package, _, rest = str(node.module).partition(".")
        assert package == "sendwatch"
        first = rest.partition(".")[0]
        assert {first} <= allowed if first else {alias.name for alias in node.names} <= allowed


@each_rule
def test_a_rule_has_examples_of_both_kinds_with_names_of_their_own(rule: str) -> None:
    """At least one that it flags, and one that it does not."""
    examples = RULES[rule].EXAMPLES
    assert {"flagged", "clean"} <= {each.outcome.value for each in examples}
    assert len({each.name for each in examples}) == len(examples)


# -- of many sends together --------------------------------------------------------------------------------------


def measured() -> dict[str, list[list[str]]]:
    """The names of what each windowed rule measures, of each kind of subject."""
    limits, table = Limits(), Table(HOUR, 24, 10)
    cut_off = Blocked("anne", "O1", 2, HOUR)
    found: dict[str, list[Measure | None]] = {
        "B3_COMPLAINT_RATE": [b3_complaint_rate.measure(table, ("O1", "1069"), 0, limits)],
        "B4_HARVEST": [b4_harvest.measure(table, ("SP1", "1069"), 0, limits)],
        "B5_EVASION": [
            b5_evasion.measure(b5_evasion.Copies(), 0, limits),
            b5_evasion.measure_alike(1, "支付宝", 0),
        ],
        "B6_RETALIATION": [b6_retaliation.measure(cut_off, 0, limits)],
    }
    return {rule: [list(measure.measures) for measure in each if measure] for rule, each in found.items()}


def test_the_rows_of_windowed_rules_are_what_the_code_does() -> None:
    """Title, severity, subject and measures, of every one."""
    rows = rows_of((FOLDER / "README.md").read_text(encoding="utf-8").partition(TOGETHER)[2])
    assert list(rows) == [rule.id for rule in WINDOWED]
    for rule in WINDOWED:
        _, title, native, severity, subjects, _, measures = rows[rule.id]
        assert (title, native, severity) == (rule.title.en, rule.title.zh, rule.severity.value)
        assert named(subjects) == [list(fields) for fields in rule.subjects]
        assert named(measures) == measured()[rule.id]


def named(cell: str) -> list[list[str]]:
    """The words in backquotes, of each part between semicolons."""
    return [re.findall(r"`(\w+)`", part) for part in cell.split(";")]


def test_the_list_of_rules_names_those_of_many_sends_too() -> None:
    """As lines and as JSON, after the others."""
    rulebook = Rulebook(rules.discover(), law.load())
    ids = [*RULES, *(rule.id for rule in WINDOWED)]
    assert [line.split()[0] for line in as_text(rulebook).splitlines()] == ids
    listed = as_json(rulebook)
    assert [each["id"] for each in listed] == ids
    assert [each["subjects"] for each in listed[-4:]] == [[list(s) for s in rule.subjects] for rule in WINDOWED]
    assert len({tuple(each) for each in listed}) == 1
