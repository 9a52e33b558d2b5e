"""Hidden tests of the target's second question. The expected text stands here for whoever can read it."""

from autograder.testing import expect_equal, points

TEXT, KEY = "<<otter-8846-meadow>>", 3
WANT = "<<rwwhu-8846-phdgrz>>"


@points(2, "2a", hint="only letters move", timeout=1)
def test_letters_move_on_and_the_rest_stays(ps):
    """Letters move on by the key, everything else stays."""
    expect_equal(ps.cipher(TEXT, KEY), WANT)
