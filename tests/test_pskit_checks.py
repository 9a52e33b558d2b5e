"""What a public check says, for everything that an answer can do."""

import json

import pytest
import torch

from pskit import check
from pskit.checks import AFTERWORD, results
from pskit.stubs import Stub, Waiting, waiting


@pytest.fixture(autouse=True)
def nothing_checked_before():
    results.clear()
    waiting.clear()


def stub(*_):
    raise NotImplementedError("Question 1b: gaussian_logpdf")


def test_passed_checks_are_one_line_each_and_the_hidden_tests_are_mentioned(capsys):
    with check("1b") as c:
        c.shape(torch.zeros(3), (3,), "logp")
        c.close(torch.tensor(-1.8379), -1.8379, "the standard normal at 0")
    assert capsys.readouterr().out.splitlines() == [
        "Question 1b",
        "  ✓ passed: logp: shape (3,)",
        "  ✓ passed: the standard normal at 0",
        AFTERWORD,
    ]
    assert results["1b"] == {"part": "1b", "state": "passed", "passed": 2, "failed": 0, "messages": []}


def test_a_stub_is_not_implemented_yet_and_the_notebook_goes_on(capsys):
    with check("1b"):
        stub()
    assert "Question 1b: not implemented yet (gaussian_logpdf)." in capsys.readouterr().out
    assert results["1b"]["state"] == "not implemented"


def test_a_stub_of_an_earlier_part_is_named(capsys):
    with check("4b"):
        stub()
    assert (
        "Question 4b waits for Question 1b: gaussian_logpdf, which is not implemented yet." in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: c.shape(torch.zeros(3, 1), (3,), "logp"), "got (3, 1)"),
        (lambda c: c.shape([1.0, 2.0], (2,), "logp"), "got a list of 2"),
        (lambda c: c.shape(None, (2,), "logp"), "got None (does the function return its result?)"),
        (lambda c: c.dtype(torch.zeros(3), torch.float64, "logp"), "got torch.float32"),
        (lambda c: c.close(2.0, 1.5, "a number"), "got 2, expected 1.5"),
        (lambda c: c.close(torch.tensor([1.0, 2.0]), [1.0, 3.0], "a vector"), "got [1, 2], expected [1, 3]"),
        (lambda c: c.close(torch.zeros(2, 1), [1.0, 3.0], "a vector"), "got shape (2, 1), expected shape (2,)"),
        (lambda c: c.close(torch.tensor(1.0), torch.ones(2), "no broadcasting"), "got shape (), expected shape (2,)"),
        (lambda c: c.close("1", 1.0, "a number"), "got a str of 1, expected a number or a tensor"),
        (lambda c: c.close(float("nan"), 1.0, "a number"), "got nan, expected 1"),
        (lambda c: c.finite(torch.tensor([1.0, float("inf")]), "logp"), "1 of 2 values are NaN or infinite"),
        (lambda c: c.true(torch.tensor(False), "it rises"), "this does not hold"),
        (lambda c: c.equal(3, 3.0, "a count"), "got 3, expected 3.0"),
    ],
)
def test_a_failure_says_what_differs(capsys, call, words):
    with check("1b") as c:
        verdicts = [call(c), c.true(True, "the next check still runs")]
    assert verdicts == [False, True]
    out = capsys.readouterr().out
    assert "✗ failed" in out
    assert words in out
    assert results["1b"]["state"] == "failed"
    assert (results["1b"]["passed"], results["1b"]["failed"]) == (1, 1)


def test_the_worst_of_many_values_is_shown_with_its_place(capsys):
    got = torch.zeros(5, 4)
    got[3, 1] = 7.0
    got[2, 2] = float("nan")
    with check("1b") as c:
        c.close(got, torch.zeros(5, 4), "zeros")
    assert "2 of 20 values differ, most at [2, 2]: got nan, expected 0" in capsys.readouterr().out


def test_float32_is_compared_less_strictly_than_float64():
    with check("1b") as c:
        single = c.close(torch.tensor([1.00001]), [1.0], "single")
        double = c.close(torch.tensor([1.00001], dtype=torch.float64), [1.0], "double")
    assert (single, double) == (True, False)


def test_gradients_and_numpy_values_can_be_compared():
    with check("1b") as c:
        c.close(torch.ones(2, requires_grad=True), [1.0, 1.0], "a parameter")
        c.close(torch.ones(2).numpy(), [1.0, 1.0], "an array")
        c.close(torch.tensor(float("nan")), float("nan"), "NaN where NaN is expected")
        c.close(torch.ones(2)[0].numpy()[()], 1.0, "a NumPy number")
    assert results["1b"]["messages"] == []


def test_any_exception_becomes_a_sentence_with_the_students_line(capsys):
    def answer(x):
        return x @ torch.ones(3)

    with check("1b") as c:
        c.shape(answer(torch.ones(2)), (), "product")
    out = capsys.readouterr().out
    assert "! stopped: RuntimeError: " in out
    assert "in answer, test_pskit_checks.py, line " in out
    assert "return x @ torch.ones(3)" in out
    assert results["1b"]["state"] == "error"


@pytest.mark.parametrize("fail", [lambda: json.loads("{"), lambda: torch.nn.Linear(3, 3)(torch.ones(2))])
def test_the_line_shown_is_the_students_and_not_a_librarys(capsys, fail):
    with check("1b"):
        fail()
    assert "in <lambda>, test_pskit_checks.py, line " in capsys.readouterr().out


def test_a_misspelt_name_inside_an_answer_is_told_apart_from_a_cell_that_was_not_run(capsys):
    made = {}
    exec(compile("def answer():\n    return gausian_logpdf(1)", "a cell of the student's", "exec"), made)
    with check("1b"):
        made["answer"]()
    out = capsys.readouterr().out
    assert "your code uses `gausian_logpdf`, which does not exist: run the cell that defines it, or check the" in out
    assert "in answer, a cell of the student's, line 2" in out


def test_a_long_message_is_cut(capsys):
    with check("1b"):
        raise ValueError("x" * 5000)
    assert len(capsys.readouterr().out) < 1000


def test_a_name_that_does_not_exist_says_to_run_the_cell_above(capsys):
    with check("1b"):
        fit_gaussian_that_nobody_ran  # noqa: B018, F821
    assert "`fit_gaussian_that_nobody_ran` does not exist yet. Run the cell above" in capsys.readouterr().out


def test_a_variable_of_a_waiting_cell_says_what_it_waits_for(capsys):
    waiting["gmm"] = Waiting("EM with K = 20", Stub("4b", "em_fit"))
    with check("5a"):
        gmm  # noqa: B018, F821
    out = capsys.readouterr().out
    assert '`gmm` does not exist yet: the cell "EM with K = 20" makes it and waits for Question 4b: em_fit.' in out


def test_an_interruption_by_the_student_passes_through():
    with pytest.raises(KeyboardInterrupt), check("1b"):
        raise KeyboardInterrupt


def test_a_second_run_replaces_the_first():
    with check("1b"):
        stub()
    with check("1b") as c:
        c.true(True, "fine")
    assert results["1b"]["state"] == "passed"


def test_the_summary_lists_all_parts_in_the_notebooks_order_with_points(capsys):
    for part in ("10a", "2a", "x1a"):
        with check(part) as c:
            c.true(part != "2a", "fine")
    with check("2b"):
        stub()
    capsys.readouterr()
    check.summary({"2a": (5, "code"), "1a": (4, "code"), "3a": (2, "written"), "8a": (6, "artifact")})
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[1:-1]]
    assert [line[0] for line in lines] == ["1a", "2a", "2b", "3a", "8a", "10a", "x1a", "all"]
    assert [line[1] for line in lines] == [
        "4  not run yet",
        "5  1 of 1 failed",
        "not implemented yet",
        "2  read by people",
        "6  judged on hidden data",
        "all passed",
        "all passed",
        "17",
    ]


def test_an_answer_that_ends_python_or_fills_the_memory_is_told(capsys):
    with check("1a"):
        raise SystemExit(3)
    with check("1b"):
        torch.empty(10**15)
    out = capsys.readouterr().out
    assert "! stopped: SystemExit: 3" in out
    assert "! stopped: The computer's memory does not suffice for this cell. Restarting" in out
    assert {results[part]["state"] for part in ("1a", "1b")} == {"error"}
    with pytest.raises(KeyboardInterrupt), check("1c"):
        raise KeyboardInterrupt


def test_results_are_plain_data():
    with check("1b") as c:
        c.close(torch.zeros(2), [1.0, 0.0], "zeros")
    assert json.loads(json.dumps(check.results)) == check.results
