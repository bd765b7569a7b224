"""Words that have an explanation."""

from __future__ import annotations

from mlxc_app.widgets.glossary import MEANINGS, explained, meaning_of


def test_a_word_is_explained_where_it_occurs_first_and_only_in_text() -> None:
    html = explained('<p title="k mesh">The k mesh, a k mesh, in Ha and not in Hall.</p>')
    assert html.startswith('<p title="k mesh">The <abbr')
    assert html.count("<abbr") == 2
    assert 'tabindex="0"' in html
    assert ">Ha</abbr> and not in Hall." in html


def test_each_meaning_is_one_or_two_sentences_that_need_no_escape() -> None:
    for meaning in MEANINGS.values():
        assert meaning.endswith(".")
        assert len(meaning) < 180
        assert not set(meaning) & set('<>&"')


def test_labels_know_their_words() -> None:
    assert meaning_of("Cutoff (Ha)") == MEANINGS["Ha"]
    assert meaning_of("Seed") is None
