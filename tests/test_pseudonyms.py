"""Recipients under keys."""

from __future__ import annotations

from sendwatch.pseudonyms import Pseudonyms

INTERNAL, PUBLIC = bytes(range(32)), bytes(range(32, 64))
NUMBER = "13800000000"


def test_a_number_is_published_as_a_keyed_hash_of_128_bits() -> None:
    """Lower-case hex; a golden value, since published tokens must not change by themselves."""
    token = Pseudonyms(INTERNAL, PUBLIC, "number").token(NUMBER)
    assert token == "cf5ae0dde2f375256d9161636776c2d3"


def test_a_token_that_the_carrier_made_is_published_as_it_is() -> None:
    """Whatever it looks like."""
    assert Pseudonyms(INTERNAL, PUBLIC, "token").token("Ab+/用户 1") == "Ab+/用户 1"


def test_rotating_the_public_key_changes_tokens_and_no_state() -> None:
    """State and flag ids hang on the internal key alone."""
    before, after = (Pseudonyms(INTERNAL, key, "number") for key in (PUBLIC, PUBLIC[::-1]))
    assert before.token(NUMBER) != after.token(NUMBER)
    assert before.internal(NUMBER) == after.internal(NUMBER)


def test_the_internal_pseudonym_is_of_another_key_and_never_published() -> None:
    """16 bytes, in both forms of recipient."""
    for form in ("number", "token"):
        pseudonyms = Pseudonyms(INTERNAL, PUBLIC, form)
        assert len(pseudonyms.internal(NUMBER)) == 16
        assert pseudonyms.internal(NUMBER).hex() != pseudonyms.token(NUMBER)
        assert pseudonyms.key == INTERNAL
