"""Mutants of reference answers: which are made, which are listed as equivalent."""

from pathlib import Path

import pytest

from autograder.course import Refusal
from autograder.source import read_question
from autograder.verify.mutation.equivalents import FILE, read_equivalents
from autograder.verify.mutation.mutants import Mutant, mutants_of
from autograder.verify.mutation.round import Round

QUESTION = '''# %% [markdown] role="text"
# ## 1. A question (1 point)
# ### 1a. A part (code, 1 point)

# %% role="answer" part="1a"
def f(X, w):
    """Weighted sum; 7 + 7."""
    given = X + 1
    ### BEGIN SOLUTION
    {solution}
    ### END SOLUTION
'''


def mutants(tmp_path: Path, solution: str) -> list[Mutant]:
    file = tmp_path / "q1_line.py"
    file.write_text(QUESTION.format(solution=solution), encoding="utf-8")
    question = read_question(file)
    return list(mutants_of(question, {cell.id: cell.source for cell in question.cells}))


@pytest.mark.parametrize(
    ("solution", "mutated"),
    [
        ("return X - w", "return X + w"),
        ("return X - w", "return X"),
        ("return X - w", "return w"),
        ("return X**w", "return X"),
        ("return X > w", "return X >= w"),
        ("return X[2]", "return X[ 3]"),
        ("return X[2]", "return X"),
        ("return -X", "return +X"),
        ("return X.exp().log()", "return X.log()"),
        ("return X.exp().log()", "return X.exp()"),
        ("return X.mT @ w", "return X @ w"),
        ("return X.mT @ w", "return w"),
        ("return X.sum(dim=w, keepdim=True)", "return X.sum(keepdim=True)"),
        ("return X.sum(dim=w, keepdim=True)", "return X.sum(dim=w)"),
        ("return X.sum(dim=w, keepdim=True)", "return X.sum(dim=w, keepdim=False)"),
        ("return g(X, w, k=1)", "return g(w, X, k=1)"),
        ("return ~X", "return X"),
        ("return X & w", "return X | w"),
    ],
)
def test_small_changes_are_tried(tmp_path: Path, solution: str, mutated: str) -> None:
    assert mutated in [mutant.mutated for mutant in mutants(tmp_path, solution)]


def test_only_solutions_are_changed_and_every_mutant_is_another_program(tmp_path: Path) -> None:
    made = mutants(tmp_path, "return (X * 2 + w.T) / len(X)")
    assert len({mutant.source for mutant in made}) == len(made) > 10
    for mutant in made:
        assert mutant.original == "return (X * 2 + w.T) / len(X)"
        assert "given = X + 1" in mutant.source
        assert "7 + 7" in mutant.source


@pytest.mark.parametrize(
    ("solution", "mutated"),
    [
        ("return zip(X, w, strict=True)", "return zip(w, X, strict=True)"),
        ("return X.new_zeros(w, device=X.device)", None),
        ("return torch.minimum(X, w)", None),
        ("return X.transpose(w, w.ndim)", None),
    ],
)
def test_what_values_cannot_show_is_no_change(tmp_path: Path, solution: str, mutated: str | None) -> None:
    changed = [mutant.mutated for mutant in mutants(tmp_path, solution) if mutant.operator != "DropCall"]
    assert changed == ([mutated] if mutated else [])


def test_an_annotation_is_no_value_to_change(tmp_path: Path) -> None:
    made = mutants(tmp_path, "return X\n\ndef g(x: list[int]) -> list[int]:\n    return x")
    assert made == []


def test_a_comment_beside_a_listed_line_may_change(tmp_path: Path) -> None:
    old, new = (mutants(tmp_path, f"return X + w  # {comment}")[0] for comment in ("old", "new"))
    assert old.key == new.key
    assert "old" in old.original


def test_a_listed_mutant_is_explained_and_an_entry_without_survivor_is_stale(tmp_path: Path) -> None:
    alive, dead, *_ = made = mutants(tmp_path, "return X + w")
    entries = "".join(
        f'[[equivalent]]\nquestion = "{m.question}"\noriginal = "{m.original}"\nmutated = "{m.mutated}"\nreason = "r"\n'
        for m in (alive, dead)
    )
    (tmp_path / FILE).write_text(entries, encoding="utf-8")
    result = Round(("q1_line",), read_equivalents(tmp_path), made, [alive, made[2]])
    assert result.unexplained == [made[2]]
    assert result.stale == [f"{FILE}: q1_line: 'return X + w' to {dead.mutated!r} is no survivor; remove the entry."]
    assert (
        result.summary()
        == f"{len(made)} mutants: {len(made) - 2} noticed, 1 equivalent, 1 survive ({100 / len(made):.1f} %)."
    )
    assert Round(("q2_net",), result.equivalents, [], []).stale == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[equivalent]\n", "is not valid TOML"),
        ('[[equivalent]]\nquestion = "q1"\n', "entry 1 must hold the texts question, original, mutated, reason"),
        (
            '[[equivalent]]\nquestion = "q1"\noriginal = "a"\nmutated = "b"\nreason = " "\n',
            "entry 1 gives no reason",
        ),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(Refusal, match=sentence):
        read_equivalents(tmp_path)
