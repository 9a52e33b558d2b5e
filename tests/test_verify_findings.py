"""A sentence for everything that a matrix of verdicts does not prove."""

from collections.abc import Sequence

from autograder.verify.findings import Finding, findings
from autograder.verify.matrix import Row, Verdict

STUB = ("stub", "stub", {"t1": "stub", "t2": "stub"})
GOOD = [
    ("reference", "reference", {"t1": "passed", "t2": "passed"}),
    STUB,
    ("loop", "right", {"t1": "passed", "t2": "passed"}),
    ("einsum", "right", {"t1": "passed", "t2": "passed"}),
    *((f"mistake {i}", "wrong", {"t1": "lost", "t2": "lost"}) for i in range(3)),
]


def row(paper: str, verdict: str, kinds: dict[str, str], seed: int = 1) -> Row:
    verdicts = tuple(
        Verdict("q1", f"1a.{i}", test, 2.0, 2.0 if kind in ("passed", "course") else 0.0, kind, f"{kind}.")
        for i, (test, kind) in enumerate(kinds.items(), start=1)
    )
    return Row(paper, verdict, "f", "q1", seed, verdicts)


def found(*extra: tuple[str, str, dict[str, str]], without: Sequence[str] = ()) -> list[Finding]:
    papers = [paper for paper in GOOD if paper[0] not in without]
    return findings("q1", [row(*paper) for paper in [*papers, *extra]])


def failures(*extra: tuple[str, str, dict[str, str]], without: Sequence[str] = ()) -> list[str]:
    return [finding.sentence for finding in found(*extra, without=without) if finding.failure]


def warnings(*extra: tuple[str, str, dict[str, str]], without: Sequence[str] = ()) -> list[str]:
    return [finding.sentence for finding in found(*extra, without=without) if not finding.failure]


def test_good_graders_have_no_findings() -> None:
    assert found() == []


def test_the_reference_must_pass() -> None:
    broken = ("reference", "reference", {"t1": "passed", "t2": "lost"})
    assert failures(broken, without=["reference"]) == ["the reference answer does not pass t2: lost."]


def test_a_right_answer_must_pass() -> None:
    assert failures(("unfold", "right", {"t1": "lost", "t2": "passed"})) == [
        "the right answer unfold does not pass t1: lost."
    ]


def test_a_mistake_must_cost_points() -> None:
    assert failures(("subtle", "wrong", {"t1": "passed", "t2": "passed"})) == [
        "the mistake subtle in f gets full marks."
    ]


def test_a_mistake_that_does_not_run_proves_nothing() -> None:
    (sentence,) = failures(("misspelt", "wrong", {"t1": "broken", "t2": "broken"}))
    assert sentence == "the mistake misspelt does not run, so it proves nothing: broken."


def test_the_untouched_release_says_not_implemented_yet_everywhere() -> None:
    (sentence,) = failures(("stub", "stub", {"t1": "stub", "t2": "lost"}), without=["stub"])
    assert sentence == 'the untouched release gets "lost." from t2, not "not implemented yet".'


def test_two_right_variants_are_needed() -> None:
    (sentence,) = failures(without=["loop"])
    assert sentence.startswith("1 right variants; a question needs 2")


def test_every_test_must_be_failed_by_some_mistake() -> None:
    blind = [(f"mistake {i}", "wrong", {"t1": "lost", "t2": "passed"}) for i in range(3)]
    assert failures(*blind, without=[paper for paper, _, _ in blind]) == [
        "no wrong variant fails t2, so nothing shows that it tests anything."
    ]


def test_a_test_that_few_mistakes_fail_is_a_warning() -> None:
    assert warnings(without=["mistake 0"]) == ["only 2 wrong variants fail t1.", "only 2 wrong variants fail t2."]


def test_the_courses_own_mistake_is_a_failure() -> None:
    (sentence,) = failures(("loops", "right", {"t1": "course", "t2": "passed"}))[1:]
    assert sentence == "t1 could not grade loops: course."


def test_a_test_that_stops_at_what_came_back_is_a_warning() -> None:
    (sentence,) = warnings(("list", "wrong", {"t1": "unusable", "t2": "lost"}))
    assert sentence == "t1 stopped at what list returned; let it check type and shape first."


def test_verdicts_that_depend_on_the_seed_are_told() -> None:
    twice = [row(*paper, seed=seed) for paper in GOOD for seed in (1, 2)]
    lucky = [row("lucky", "wrong", {"t1": "lost", "t2": kind}, seed) for seed, kind in ((1, "lost"), (2, "passed"))]
    (finding,) = findings("q1", twice + lucky)
    assert finding == Finding("q1", "t2 fails the mistake lucky at 1 of 2 seeds.", failure=False)
    escapes = [row("escapes", "wrong", {"t1": k, "t2": k}, seed) for seed, k in ((1, "lost"), (2, "passed"))]
    assert findings("q1", twice + escapes)[0].sentence == "the mistake escapes in f gets full marks at seed 2."
