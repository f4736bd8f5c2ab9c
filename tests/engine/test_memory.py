"""What is remembered of sends that are alike is what each of them would have got by itself."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from build import DAY, HOUR, NOW, PATTERN, RULEBOOK, TEXT, a_filing, a_letter, a_port, a_registry, a_send, a_template
from sendwatch import law
from sendwatch.engine.memory import Memory, joined
from sendwatch.facts import Parameters, facts_of_send
from sendwatch.judge import Rulebook, Setting, judge
from sendwatch.policy import Exemption

if TYPE_CHECKING:
    from sendwatch.verdict import Verdict

BODY = PATTERN.replace("{goods}", "女装")
TEXTS = st.sampled_from(
    [
        TEXT,
        f"【云岭商贸】{PATTERN.replace('{goods}', '第{}件')}",
        f"【云岭商贸】{PATTERN.replace('{goods}', 'www.yun.example/a{}')}",
        f"【云岭商贸】{PATTERN.replace('{goods}', '详询1380000{}00')}",
        f"【云岭商贸】{PATTERN.replace('{goods}', '加微信yun{}')}",
        f"【云岭商贸】{PATTERN.replace('{goods}', '详询{}3800000000')}",
        f"【云岭商贸】{BODY.replace('八折', '{}折')}",
        "【云岭商贸】满{}减50，欢迎选购 https://yun.example/{}?a={}",
        "【云岭商贸】您的验证码是{}，5分钟内有效，请勿泄露。",
        "【湖畔{}书屋】新书八折，回{}退订",
        "【湖畔书屋】新书八折，拒收请回复{}",
        "新书{}折【湖畔书屋】",
        "会员日{}",
        "【云岭商贸】您是否同意接收我们的优惠短信？同意请回复{}，每月至多4条。",
        "【云岭商贸】寄语 vip{}",
        None,
    ]
)
ROWS = (
    a_filing(ports=("1069",)),
    a_filing("f2", signature="湖畔书屋", owner="O2", carriers=("cm",), valid_until=NOW + HOUR),
    a_filing("f3", signature="湖畔7书屋", owner="O3", ports=("10690001",), provinces=("53",)),
    a_filing("f4", signature="湖畔书屋", owner="O4", ports=("106900011",), valid_from=NOW + HOUR),
    a_port(),
    a_port("p2", port="106900012", holder="holder1", purpose="service", carriers=("cu",)),
    a_letter(ports=("106900012",), valid_until=NOW + 2 * HOUR),
    a_template(),
    a_template("t2", pattern="您的验证码是{code}，5分钟内有效，请勿泄露。", use="otp", valid_until=NOW + HOUR),
    a_template("t3", pattern=BODY.replace("八折", "8折"), urls=("yun.example",)),
)
DIGITS = st.sampled_from(["1", "7", "8", "42", "51", "0000", "9999"])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "digits": DIGITS,
    "sp": st.sampled_from(["sp1", "sp2"]),
    "port": st.sampled_from(["10691", "10690001", "106900011", "106900012", "1069000129", "2", "1069" + "0" * 18]),
    "category": st.sampled_from(["marketing", "otp", None]),
    "template": st.sampled_from([None, "t1", "t2", "t3", "unknown"]),
    "carrier": st.sampled_from(["cm", "cu", None]),
    "province": st.sampled_from(["53", "11", None]),
    "sent_at": st.sampled_from([NOW, NOW + HOUR, NOW + 3 * HOUR, NOW + 9 * HOUR, NOW - 60 * DAY]),
}
LAWFUL: dict[str, Any] = {"text": TEXT, "digits": "1", "sp": "sp1", "port": "10690001", "category": "marketing"}
LAWFUL |= {"template": None, "carrier": "cm", "province": "53", "sent_at": NOW}


@st.composite
def alike(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Sends that differ from a first one in few fields, so that some are alike."""
    first = LAWFUL | {name: draw(FIELDS[name]) for name in draw(st.sets(st.sampled_from(sorted(FIELDS)), max_size=4))}
    first |= {"text": draw(TEXTS), "digits": draw(DIGITS)}
    sends = [first]
    for _ in range(draw(st.integers(1, 6))):
        names = draw(st.sets(st.sampled_from(sorted(FIELDS)), max_size=2))
        sends.append(first | {name: draw(FIELDS[name]) for name in names})
    return sends


SPARED = Rulebook(
    RULEBOOK.rules,
    law.load(),
    {
        "G2_SIGNATURE_UNFILED": Setting(
            exceptions=(Exemption(reason="trial", until=date(2026, 6, 11), signature="会员日"),)
        ),
        "C8_NO_OPT_OUT_TEXT": Setting(exceptions=(Exemption(reason="trial", until=date(2026, 6, 10), owner="O2"),)),
    },
)


def filled(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a send, the digits put into its text."""
    given = dict(fields)
    digits, text = given.pop("digits"), given["text"]
    return given | {"text": None if text is None else text.replace("{}", digits)}


def said(verdict: Verdict) -> tuple[object, ...]:
    """A verdict, whatever the order in which its rules were asked."""
    return (
        sorted((flag.rule.id, repr(flag)) for flag in verdict.flags),
        sorted((rule, each.reason) for rule, each in verdict.undecided.items()),
        sorted(verdict.suppressed),
    )


@given(
    sends=alike(),
    own=st.sampled_from([(), ("寄语vip4",)]),
    book=st.sampled_from([RULEBOOK, SPARED]),
)
def test_a_send_is_known_as_if_it_were_the_first(
    sends: list[dict[str, Any]], own: tuple[str, ...], book: Rulebook
) -> None:
    """Facts and verdict of each, after any others that may be like it, are what a first look at it alone gives."""
    registry, parameters = a_registry(ROWS), Parameters(consent_requests=own)
    memory = Memory(registry, parameters, book)
    for number, fields in enumerate(sends):
        send = a_send(f"s{number}", **filled(fields))
        known = memory.of(send)
        facts = known.facts_of(send)

        alone = facts_of_send(send, registry, parameters)
        for name in alone.__struct_fields__:
            assert name == "standing" or getattr(facts, name) == getattr(alone, name), name
        verdict = joined(known.verdict, judge(facts, known.by_clock))
        assert said(verdict) == said(judge(alone, book.in_force(send.at).of_send))
        kept = bool(alone.commercial) or bool(alone.asks) or bool(judge(alone, book.in_force(send.at).of_send).flags)
        assert kept == (known.kept or bool(verdict.flags))


def test_copies_are_looked_at_once() -> None:
    """The millionth code of a sender costs a look into a dictionary; a registry that changes makes it new."""
    registry = a_registry(ROWS)
    memory = Memory(registry, Parameters(), RULEBOOK)
    code = "【云岭商贸】您的验证码是{}，5分钟内有效，请勿泄露。"
    first = memory.of(a_send("s1", text=code.format(824193), category="otp"))

    assert memory.of(a_send("s2", text=code.format(111111), category="otp", sent_at=NOW + 1)) is first
    assert memory.of(a_send("s3", text=code.format(222222), category="otp", port="106900010")) is first
    assert memory.of(a_send("s4", text=code.format(222222), category="otp", sp="sp2")) is not first
    registry.put("ports", "p9", 99, NOW, a_port("p9", port="9"))
    assert memory.of(a_send("s5", text=code.format(333333), category="otp")) is not first


def test_a_copy_that_leads_elsewhere_is_no_copy() -> None:
    """Two texts of a template differ in digits alone: one of them holds a number to call."""
    memory = Memory(a_registry(ROWS), Parameters(), RULEBOOK)
    text = f"【云岭商贸】{PATTERN.replace('{goods}', '详询{}3800000000')}"
    harmless = memory.of(a_send("s1", text=text.format(7), template="t1"))
    diverting = memory.of(a_send("s2", text=text.format(1), template="t1"))

    assert [flag.rule.id for flag in harmless.verdict.flags] == []
    assert [flag.rule.id for flag in diverting.verdict.flags] == ["B7_DIVERSION"]


def test_what_is_remembered_holds_each_name_once_and_nothing_of_a_send_itself() -> None:
    """A hundred thousand shapes are remembered: each send decodes names of its own, which would be held as often."""
    memory = Memory(a_registry(ROWS), Parameters(), RULEBOOK)
    one, other = (
        memory.of(a_send(text=text, sp=b"sp1".decode(), category=b"marketing".decode()))
        for text in (TEXT, TEXT.replace("回复R", "回复T"))
    )
    assert one is not other
    assert (one.facts.sp, one.facts.declared, one.facts.signature) == ("sp1", "marketing", "云岭商贸")
    for name in ("sp", "declared", "signature"):
        assert getattr(one.facts, name) is getattr(other.facts, name), name
    assert (one.facts.id, one.facts.port, one.facts.carrier, one.facts.text) == ("", "", None, None)
