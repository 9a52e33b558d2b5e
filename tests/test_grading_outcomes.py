"""What a student is told, outcome by outcome, with a tiny set: the real worker, the real pytest, no mock."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from autograder.grading import Grader, GradingBroke, Report, TestReport, hidden_tests
from autograder.grading.outcomes import (
    BadAnswer,
    CouldNotBeGraded,
    Different,
    NotDefined,
    NotHandedIn,
    NotImplementedYet,
    Passed,
    ProcessEnded,
    QuestionOutOfTime,
    RaisedError,
    TooMuchMemory,
    TooSlow,
    Unusable,
)
from autograder.grading.results import headline, output_of, results_of
from autograder.worker import ForkServer, IsolationError, Limits
from pskit.notebook import Cell, Submission, read_submission

TINY = Path(__file__).parent / "fixtures" / "tiny_set"
LINE = "def line(x, slope, intercept=0.0):\n    return slope * x + intercept\n"
SCALER = """class Scaler:
    def __init__(self, width):
        self.width = width
    def apply(self, x):
        return self.width * x
"""
CURVE = "def curve(x):\n    return line(x * x, 1.0, 1.0)\n"
WEIGHTS = {"tiny.safetensors": save({"w": torch.ones(3)})}


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    limits = Limits(memory=400 * 2**20)
    with Grader("ps0_tiny", TINY / "tiny.ipynb", TINY / "hidden", 1, limits, checks=True) as grader:
        yield grader


@pytest.fixture(scope="module")
def faulty() -> Iterator[Grader]:
    with Grader("ps0_tiny", TINY / "tiny.ipynb", TINY / "hidden_faulty", 1) as grader:
        yield grader


def submit(*sources: str, artifacts: dict[str, bytes] | None = None) -> Submission:
    cells = tuple(Cell(number, source, "code") for number, source in enumerate(sources, start=1))
    return Submission(cells, artifacts or {}, (), "0" * 64)


def line_test(grader: Grader, source: str) -> TestReport:
    """How the first test of question 1 ends with this cell."""
    return grader.grade(submit(source), ["q1_line"]).tests[0]


def test_a_right_answer_gets_all_points(grader: Grader) -> None:
    report = grader.grade(submit(LINE, SCALER, CURVE, artifacts=WEIGHTS))
    assert (report.score, report.max_score) == (9, 9)
    assert all(isinstance(test.outcome, Passed) for test in report.tests)
    assert output_of(report.tests[0]) == "Passed."


def test_tests_are_numbered_by_part_in_the_order_of_the_release(grader: Grader) -> None:
    report = grader.grade(submit(LINE))
    assert [test.number for test in report.tests] == ["1a.1", "1a.2", "1b.1", "2a.1", "3a.1"]
    assert [part.part for part in report.written] == ["1c"]
    assert report.max_score == 9, "written points are not among the hidden tests' points"


def test_the_stub_scores_nothing_and_names_every_part(grader: Grader) -> None:
    report = grader.grade(read_submission(TINY / "tiny.ipynb", grader.names))
    assert report.score == 0
    assert all(isinstance(test.outcome, NotImplementedYet) for test in report.tests)
    said = [output_of(test) for test in report.tests]
    assert said[:3] == [
        "Not implemented yet: Question 1a: line",
        "Not implemented yet: Question 1a: line",
        "Not implemented yet: Question 1b: Scaler.apply",
    ]
    assert isinstance(report.tests[4].outcome, NotHandedIn)
    assert "tiny.safetensors is not in the submission" in said[4]


def test_a_forged_stub_text_is_not_repeated(grader: Grader) -> None:
    test = line_test(
        grader, "def line(x, slope, intercept=0.0):\n    raise NotImplementedError(f'Question 1a: {slope}')"
    )
    assert output_of(test) == "Not implemented yet (NotImplementedError)."


def test_a_wrong_value_is_told_with_the_hint_and_without_the_value(grader: Grader) -> None:
    test = line_test(grader, LINE.replace("+ intercept", "- intercept"))
    assert isinstance(test.outcome, Different)
    assert test.score == 0
    assert output_of(test) == (
        "Wrong value.\n"
        "Called with: line(x: float64 (5,), slope: float, intercept: float)\n"
        "Hint: the intercept is added once, to every entry"
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[float(v) for v in x]", "Returned a list of 5, expected a tensor."),
        ("(slope * x)[None]", "Shape (1, 5), expected (5,)."),
        ("(slope * x).float()", "Dtype torch.float32, expected torch.float64."),
        ("x * float('nan')", "The result holds NaN."),
        ("None", "Returned None, expected a tensor."),
    ],
)
def test_type_shape_dtype_and_nan_are_told_apart(grader: Grader, body: str, said: str) -> None:
    source = f"def line(x, slope, intercept=0.0):\n    return {body}\n"
    assert output_of(line_test(grader, source)).splitlines()[0] == said


def test_an_error_of_torch_is_shown_with_cell_line_and_source(grader: Grader) -> None:
    source = "import torch\n\ndef line(x, slope, intercept=0.0):\n    return x + torch.zeros(3)\n"
    test = grader.grade(submit("# a first cell", source), ["q1_line"]).tests[0]
    assert isinstance(test.outcome, RaisedError)
    assert output_of(test).splitlines()[:3] == [
        "Your code raised RuntimeError: The size of tensor a (5) must match the size of tensor b (3) at "
        "non-singleton dimension 0",
        "at cell 2, line 4, in line:",
        "    return x + torch.zeros(3)",
    ]


def test_a_text_of_the_students_own_is_withheld(grader: Grader) -> None:
    source = "def line(x, slope, intercept=0.0):\n    raise ValueError(f'secret {x}')\n"
    said = output_of(line_test(grader, source))
    assert said.startswith("Your code raised ValueError\nat cell 1, line 2, in line:\n    raise ValueError(")
    assert "tensor(" not in said
    assert "Its text is not shown here" in said


def test_an_exception_class_named_after_the_data_is_not_repeated(grader: Grader) -> None:
    source = "def line(x, slope, intercept=0.0):\n    raise type(f'E{x[0].item():.4f}', (Exception,), {})()\n"
    assert output_of(line_test(grader, source)).startswith("Your code raised an exception\nat cell 1")


def test_an_error_in_a_cell_that_is_loaded_is_told_for_every_test(grader: Grader) -> None:
    report = grader.grade(submit("TABLE = [1, 2][5]\n" + LINE.replace("slope *", "TABLE * slope *")), ["q1_line"])
    said = output_of(report.tests[0]).splitlines()
    assert said[:2] == ["The cell that defines it raised IndexError: list index out of range", "at cell 1, line 1:"]
    assert type(report.tests[1].outcome) is RaisedError


def test_a_runaway_is_stopped_and_the_next_test_runs(grader: Grader) -> None:
    source = LINE.replace("    return", "    while slope == 4.0: pass\n    return")
    report = grader.grade(submit(source, SCALER), ["q1_line"])
    assert report.tests[1].outcome == TooSlow(2)
    assert "Took longer than 2 s" in output_of(report.tests[1])
    assert [test.score for test in report.tests] == [2, 0, 1]


def test_an_exit_is_told_and_the_next_test_runs_in_a_fresh_process(grader: Grader) -> None:
    source = "import os\n" + LINE.replace("    return", "    if slope == 3.0: os._exit(3)\n    return")
    report = grader.grade(submit(source, SCALER), ["q1_line"])
    assert isinstance(report.tests[0].outcome, ProcessEnded)
    assert "exit code 3" in output_of(report.tests[0])
    assert [test.score for test in report.tests] == [0, 1, 1]


def test_a_segmentation_fault_is_told(grader: Grader) -> None:
    source = "import ctypes\n" + LINE.replace("    return", "    ctypes.string_at(0)\n    return")
    assert "segmentation fault" in output_of(line_test(grader, source))


def test_too_much_memory_is_told(grader: Grader) -> None:
    test = line_test(grader, "import torch\n" + LINE.replace("    return", "    torch.ones(2**28).sum()\n    return"))
    assert isinstance(test.outcome, TooMuchMemory)
    assert "Needs more memory" in output_of(test)


def test_a_result_that_is_too_large_is_told(grader: Grader) -> None:
    test = line_test(grader, LINE.replace("slope * x + intercept", "b'0' * 2**27"))
    assert isinstance(test.outcome, BadAnswer)
    assert output_of(test).startswith("Cannot be graded as it is: ")


def test_a_name_that_only_a_training_cell_binds_is_explained(grader: Grader) -> None:
    report = grader.grade(
        submit("for step in range(3):\n    OFFSET = step", LINE.replace("slope *", "OFFSET *")), ["q1_line"]
    )
    outcome = report.tests[0].outcome
    assert isinstance(outcome, NotDefined)
    assert outcome.name == "OFFSET"
    said = output_of(report.tests[0])
    assert "OFFSET is not defined in the code that is graded" in said
    assert "cell 1" in said
    assert "cell 2" in said


def test_a_deleted_function_is_told(grader: Grader) -> None:
    test = line_test(grader, "x = 1")
    assert isinstance(test.outcome, NotDefined)
    assert output_of(test).startswith("The name line is not defined in the code that is graded. It is asked for")


def test_a_broken_earlier_question_does_not_cost_the_next(grader: Grader) -> None:
    report = grader.grade(submit(LINE.replace("slope *", "7 *"), CURVE), ["q1_line", "q2_curve"])
    assert report.tests[0].score == 0
    assert report.tests[3].score == 3


def test_what_the_notebook_says_twice_is_noted(grader: Grader) -> None:
    report = grader.grade(submit(LINE.replace("slope *", "7 *"), LINE), ["q1_line"])
    assert report.tests[0].score == 2
    assert any("line is defined 2 times" in note for note in report.notes)
    assert "Note: line is defined 2 times" in headline(report)


def test_a_damaged_artifact_is_told(grader: Grader) -> None:
    test = grader.grade(submit(LINE, artifacts={"tiny.safetensors": b"\x80\x04pickle"}), ["q3_weights"]).tests[0]
    assert isinstance(test.outcome, BadAnswer)
    assert "is a pickle" in output_of(test)


def test_a_question_that_hangs_leaves_the_next_its_time(grader: Grader) -> None:
    hangs = LINE.replace("    return", "    while True: pass\n    return")
    limited = Grader("ps0_tiny", TINY / "tiny.ipynb", TINY / "hidden", 1, time_limit=4.0)
    with limited:
        assert limited.walls, "the server is up before the clock runs"
        report = limited.grade(submit(hangs, CURVE), ["q1_line", "q2_curve"])
    assert isinstance(report.tests[0].outcome, QuestionOutOfTime | TooSlow)
    assert isinstance(report.tests[1].outcome, QuestionOutOfTime)
    assert "Not run: earlier tests used up" in output_of(report.tests[1])
    assert isinstance(report.tests[3].outcome, Passed)


def test_one_seed_gives_one_report_and_another_seed_moves_the_draws(grader: Grader) -> None:
    peeks = "SEEN = []\n" + LINE.replace("    return", "    if float(x[0]) > 0: raise ValueError\n    return")

    def verdicts(seed: int) -> list[float]:
        return [test.score for test in grader.grade(submit(peeks), ["q1_line"], seed=seed).tests]

    assert verdicts(5) == verdicts(5)
    assert len({tuple(verdicts(seed)) for seed in range(8)}) > 1


def test_a_regrade_is_identical_but_for_its_times(grader: Grader) -> None:
    def graded() -> dict[str, Any]:
        results = results_of(grader.grade(submit(LINE.replace("slope *", "7 *"), SCALER)))
        del results["execution_time"], results["extra_data"]["memory_mb"]
        for test in results["extra_data"]["tests"].values():
            del test["seconds"]
        return results

    assert graded() == graded()


def test_a_course_mistake_costs_no_points_and_is_loud(faulty: Grader) -> None:
    report = faulty.grade(submit(LINE, SCALER))
    tests = {test.name: test for test in report.tests}
    ungraded = [test for test in report.tests if isinstance(test.outcome, CouldNotBeGraded)]
    assert {test.name for test in ungraded} == {
        "test_fixture_is_broken",
        "test_raises_before_any_call",
        "test_misspells_a_name_after_a_call",
        "test_probe_is_a_closure",
        "test_has_no_points",
        "test_asks_for_what_the_release_lacks",
        "test_is_skipped",
        "2a",
        "3a",
    }
    assert all(test.score == test.points for test in ungraded)
    assert "COULD NOT BE GRADED" in headline(report)
    assert tests["2a"].points == 3, "a file that cannot be imported counts with its part's points"
    attention = "\n".join(report.attention)
    for detail in ("no_such_module_of_the_course", "secret_data.pt", "wnat", "no @points", "neither asks for lin"):
        assert detail in attention


def test_a_course_mistake_tells_students_nothing_of_the_hidden_test(faulty: Grader) -> None:
    report = faulty.grade(submit(LINE, SCALER))
    told = headline(report) + "".join(output_of(test) for test in report.tests)
    for secret in ("secret_data", "wnat", "no_such_module", "hidden_faulty", "Traceback", "test_"):
        assert secret not in told


def test_a_result_that_the_test_cannot_use_is_not_the_courses_fault(faulty: Grader) -> None:
    """Otherwise a student would get full points for an answer that makes the test stumble."""
    report = faulty.grade(submit(LINE, SCALER), ["q1_line"])
    test = next(test for test in report.tests if test.name == "test_cannot_continue_with_the_result")
    assert isinstance(test.outcome, Unusable)
    assert test.score == 0
    assert "it returned a tensor of shape (3,)" in output_of(test)
    assert any("test_cannot_continue" in line for line in report.attention)


@pytest.mark.parametrize(
    ("source", "state", "said"),
    [
        (LINE, "passed", ""),
        (LINE.replace("+ intercept", "- intercept"), "failed", "2 + 1 is 3"),
        ("x = 1", "error", "line"),
        (LINE.replace("    return", "    import os; os._exit(0)\n    return"), "error", "did not run to their end"),
        ("def line(x, slope, b=0):\n    raise NotImplementedError('Question 1a: line')", "not implemented", ""),
    ],
)
def test_public_checks_run_on_the_code_that_is_graded(grader: Grader, source: str, state: str, said: str) -> None:
    report = grader.grade(submit(source), ["q1_line"])
    assert [(check.part, check.state) for check in report.checks] == [("1a", state)]
    assert said in " ".join(report.checks[0].messages)
    assert f"Public checks passed: {int(state == 'passed')} of 1 parts" in headline(report)


def test_public_checks_run_before_any_hidden_call(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they say is shown in full, so there must be nothing yet that a hidden call could have left for them."""
    forks: list[bool] = []
    fork = ForkServer.fork

    def noted(server: ForkServer, files: Any = None, *, sealed: bool = False) -> Any:
        forks.append(sealed)
        return fork(server, files, sealed=sealed)

    monkeypatch.setattr(ForkServer, "fork", noted)
    report = grader.grade(submit(LINE, SCALER, CURVE))
    assert report.checks[0].state == "passed"
    assert forks == sorted(forks, reverse=True), "the sealed workers of the checks come first"
    assert set(forks) == {True, False}


def test_checks_that_hang_leave_the_hidden_tests_their_time() -> None:
    hangs = LINE.replace("    return", "    while len(x) == 2: pass\n    return")
    with Grader("ps0_tiny", TINY / "tiny.ipynb", TINY / "hidden", 1, time_limit=8.0, checks=True) as limited:
        assert limited.walls
        report = limited.grade(submit(hangs, SCALER), ["q1_line"])
    assert [check.state for check in report.checks] == ["error"]
    assert report.score == 4


def test_a_hidden_test_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs no points, unless the student's result may be what it waits for."""
    monkeypatch.setattr(hidden_tests, "OWN_SECONDS", 1.0)
    with Grader("ps0_tiny", TINY / "tiny.ipynb", TINY / "hidden_endless", 1) as endless:
        report = endless.grade(submit("def curve(x):\n    return 0.0"), ["q2_curve"])
    assert [type(test.outcome) for test in report.tests] == [CouldNotBeGraded, Unusable]
    assert report.score == 1


def test_a_fork_server_that_is_gone_is_started_again() -> None:
    with Grader("ps0_tiny", TINY / "tiny.ipynb", TINY / "hidden", 1) as shaken:
        assert shaken.walls
        os.kill(shaken._server.pid, signal.SIGKILL)
        assert shaken.grade(submit(LINE, SCALER), ["q1_line"]).score == 4


def test_a_machine_that_fails_twice_judges_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_fork(*args: object, **kwargs: object) -> None:
        raise IsolationError("no more processes")

    with Grader("ps0_tiny", TINY / "tiny.ipynb", TINY / "hidden", 1) as failing:
        monkeypatch.setattr(ForkServer, "fork", no_fork)
        with pytest.raises(GradingBroke, match="no more processes"):
            failing.grade(submit(LINE), ["q1_line"])


def told(report: Report) -> str:
    return "\n".join([headline(report), *map(output_of, report.tests)])


def test_prints_of_the_students_code_reach_nobody(grader: Grader, capfd: pytest.CaptureFixture[str]) -> None:
    report = grader.grade(submit(LINE.replace("    return", "    print('INPUT', x)\n    return")), ["q1_line"])
    out, err = capfd.readouterr()
    assert "INPUT" not in told(report) + out + err
