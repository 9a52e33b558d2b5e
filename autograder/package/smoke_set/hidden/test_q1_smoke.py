"""Hidden tests of the smoke set: one passes, one runs into its time limit, one loses its process."""

from autograder.testing import expect_close, normal, points


@points(2, part="1a", hint="two times x")
def test_values_come_back(ps, rng):
    """A tensor goes to the worker and its double comes back."""
    x = normal(rng, 3, 2)
    expect_close(ps.double(x), 2 * x)


@points(1, part="1b", hint="the worker is ended", timeout=2.0)
def test_an_endless_loop_ends(ps, rng):
    """An endless loop costs its own points and nothing else."""
    expect_close(ps.forever(normal(rng, 3)), normal(rng, 3))


@points(1, part="1c", hint="the next test gets a fresh worker")
def test_a_lost_process_is_reported(ps, rng):
    """A process that ends costs its own points and nothing else."""
    expect_close(ps.leave(normal(rng, 3)), normal(rng, 3))
