"""The simulated texts are what they claim to be: the classifier reads them so, or isn't sure."""

from random import Random

import pytest

from sendwatch.simulate.carrier import CLASSES
from sendwatch.simulate.neighbours import ASKING
from sendwatch.simulate.phrases import COMMERCIAL, FINANCE, OTP, RETAIL, SERVICE, Phrases, sign
from sendwatch.simulate.wording import BRAND_LAST, REFUSALS
from sendwatch.text import read

PHRASES = Phrases("test")


@pytest.mark.parametrize("klass", [OTP, SERVICE, RETAIL, FINANCE])
def test_every_skeleton_is_read_as_its_class_or_not_surely(klass: str) -> None:
    """Unsigned, and signed by each kind of owner that sends it; commercial ones surely."""
    random = Random(1)
    names = [f"云杉源{last}" for sector, lasts in BRAND_LAST.items() if klass in CLASSES[sector] for last in lasts]
    wrong = []
    for number, skeleton in enumerate(PHRASES.bare[klass]):
        body = skeleton.fill(random) + (REFUSALS[number % len(REFUSALS)] if klass in COMMERCIAL else "")
        for text in (body, sign(names[number % len(names)], body, 0.1, titled=False)):
            found = read(text).klass
            if found != klass and (found is not None or klass in COMMERCIAL):
                wrong.append((text, found))
    assert wrong == []


@pytest.mark.parametrize("klass", [OTP, SERVICE, RETAIL, FINANCE])
def test_there_are_hundreds_of_skeletons(klass: str) -> None:
    """So that no cache of shapes has an easy time."""
    assert len({skeleton.pattern for skeleton in PHRASES.bare[klass]}) > 400


@pytest.mark.parametrize("klass", COMMERCIAL)
def test_commercial_texts_say_how_to_refuse_unless_asked_not_to(klass: str) -> None:
    """And never ask for consent."""
    random = Random(2)
    for _ in range(500):
        assert read(PHRASES.body(klass, random)).refusable
        bare = read(PHRASES.without_refusal(klass, random))
        assert not bare.refusable
        assert not bare.asks


@pytest.mark.parametrize("text", ASKING)
def test_what_asks_for_consent_is_read_as_asking_and_as_nothing_but_marketing(text: str) -> None:
    """Or as no class at all: it is declared as marketing."""
    found = read(sign("云杉源优选", text, 0.1, titled=False))
    assert found.asks
    assert found.refusable
    assert found.klass in {None, RETAIL, FINANCE}


def test_a_template_matches_its_own_texts_and_carries_its_one_link() -> None:
    """Whatever fills its variables."""
    random = Random(3)
    template = PHRASES.template(RETAIL, random, "https://s.t1.example/11")
    for _ in range(50):
        text = template.fill(random)
        assert template.matches(text)
        assert "https://s.t1.example/11" in text
