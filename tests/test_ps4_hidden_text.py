"""The text that judges models of problem set 4: of the right form, and not in tiny Shakespeare."""

import hashlib
import re
from pathlib import Path

from autograder.hidden.ps4_language_models.data import make_plays
from autograder.hidden.ps4_language_models.handed_in import ALPHABET, PLAYS, hidden_text
from pskit import data


def test_the_text_is_the_one_whose_hash_is_written_down():
    written = re.search(r"plays\.txt \| [\d,]+ \| `([0-9a-f]{64})`", (PLAYS.parent / "README.md").read_text())
    assert written is not None
    assert hashlib.sha256(PLAYS.read_bytes()).hexdigest() == written[1]


def test_it_has_the_form_and_the_characters_of_tiny_shakespeare():
    speeches = hidden_text().removesuffix("\n\n").split("\n\n")
    assert len(speeches) > 500
    assert all(re.match(r"[A-Za-z' .,&-]+:\n\S", speech) for speech in speeches)
    assert set(hidden_text()) <= set(ALPHABET) == set(make_plays.ALPHABET)


def test_nothing_of_it_is_in_the_bundled_text():
    assert make_plays.shared(hidden_text(), data.text.BUNDLED.read_text()) == 0


def test_a_text_that_is_known_would_be_noticed():
    known = data.text.BUNDLED.read_text()
    assert make_plays.shared(known[1000:3000], known) == 1
    assert 0.3 < make_plays.shared(hidden_text()[:1000] + known[500:1500], known) < 0.7


def test_speeches_lose_directions_and_headings():
    play = "## ACT II\n\n**A**  \n_Aside_ Well,  \nsaid.\n\n_Exit_\n\n### SCENE II.\n\n**B C**  \nYes_ or no_.\n"
    assert make_plays.speeches(play) == ["A:\nWell,\nsaid.\n\n", "B C:\nYes.\n\n"]


def test_the_alphabet_is_the_notebooks():
    intro = Path(__file__).parents[1] / "solutions" / "ps4_language_models" / "intro.py"
    assert repr(ALPHABET)[1:-1] in intro.read_text()
