"""The glossary: letters, quantities, notations."""

import re

import pytest
from sympy import Integer

from symcost.errors import UnknownSymbol
from symcost.symbols import (
    GIB,
    GLOSSARY,
    KB,
    NAME,
    NOTATIONS,
    QUANTITIES,
    TB,
    TIB,
    b,
    c,
    d,
    length,
    letter,
    letter_for,
    symbol,
)

# The letters and quantities whose names are promised to scripts.
LETTERS = (
    "b",
    "c",
    "d",
    "d_ff",
    "h",
    "h_kv",
    "d_k",
    "L",
    "v",
    "N",
    "D",
    "epochs",
    "n",
    "MFU",
    "peak",
    "M",
    "price",
    "c_max",
    "E",
    "k",
    "d_expert",
    "dp",
    "tp",
    "pp",
    "cp",
    "ep",
    "chunks",
)


def test_a_gigabyte_is_not_a_gibibyte():
    assert (KB, TB, GIB, TIB) == (1_000, 1_000_000_000_000, 1_073_741_824, 1_099_511_627_776)


@pytest.mark.parametrize("name", LETTERS)
def test_every_promised_letter_is_there_with_a_meaning(name):
    assert GLOSSARY[name].meaning


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_promised_quantity_is_there_with_a_unit_and_a_meaning(name):
    assert QUANTITIES[name].unit and QUANTITIES[name].meaning


@pytest.mark.parametrize("name", GLOSSARY)
def test_a_letter_is_positive_but_never_declared_whole(name):
    """An integer symbol would let floors and ceilings be simplified away while solving."""
    made = symbol(name)
    assert made is symbol(name)
    assert made.is_positive and made.is_integer is None
    assert NAME.match(name) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)


@pytest.mark.parametrize("name", ["", "1b", "_b", "b c", "b-1", "ß", "b\n", "__import__('os')"])
def test_what_is_no_name_never_becomes_a_symbol(name):
    assert not NAME.match(name)
    with pytest.raises(UnknownSymbol):
        symbol(name)


def test_no_word_stands_for_two_letters():
    words = [word for entry in GLOSSARY.values() for word in entry.words]
    assert len(words) == len(set(words))
    assert not set(words) & set(GLOSSARY)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("hidden_size", "d"), ("seq_len", "c"), ("n_layer", "L"), ("b", "b"), ("colour", None)],
)
def test_words_of_configs_and_code_lead_to_letters(word, meant):
    assert letter_for(word) == meant


def test_a_word_in_place_of_a_letter_is_answered_with_the_letter():
    with pytest.raises(
        UnknownSymbol, match=r"^'hidden_size' is not a letter of the glossary. Write 'd' \(model width\)\.$"
    ):
        letter("hidden_size")


def test_an_unknown_letter_is_answered_with_its_place_and_the_nearest():
    with pytest.raises(
        UnknownSymbol, match=r"^notes\.md:142: 'd_f' is not in the glossary\. Did you mean 'd_ff'"
    ):
        letter("d_f", "notes.md:142")


def test_a_prime_marks_a_second_axis_of_the_same_length():
    assert length("c'") == length("c") == c
    assert length("1") == Integer(1) and length("2") == Integer(2)
    assert length("b") == b and length("d") == d


@pytest.mark.parametrize("name", NOTATIONS)
def test_a_notation_names_its_source_and_maps_letters_of_the_glossary(name):
    notation = NOTATIONS[name]
    assert notation.source
    assert set(notation.letters) <= set(GLOSSARY)
    assert set(notation.factors) <= set(GLOSSARY)


@pytest.mark.parametrize("name", NOTATIONS)
def test_a_notation_never_writes_two_letters_alike(name):
    notation = NOTATIONS[name]
    written = [notation.letters.get(each, each) for each in ("b", "c", "d", "d_ff", "h", "d_k", "L", "v")]
    assert len(set(written)) == len(written)


def test_megatron_writes_s_for_the_context_h_for_the_width_and_a_for_heads():
    """Korthikanti et al. 2022, table 1."""
    letters = NOTATIONS["megatron"].letters
    assert [letters[each] for each in ("c", "d", "h", "L", "v", "b")] == ["s", "h", "a", "l", "V", "b"]
