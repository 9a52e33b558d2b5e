"""Which of the red team's attacks apply to graders that run the tests in the student's own process."""

import re
from dataclasses import dataclass, replace

from tests.redteam.roster import Attack, roster

# One for every way in which a result can be forged, read, lost or kept waiting; the default, because each takes as
# long as a whole grading run of the others.
CHOSEN = (
    "torch_patched", "equality_that_always_holds", "hidden_test_by_walking", "tokens_in_the_environment",
    "results_of_the_grader", "the_parents_proc", "exit_at_once", "exit_while_loading", "system_exit",
    "sleep_in_a_call", "daemon_by_subprocess", "signals_to_the_parent", "internet_by_every_family",
    "writes_results_json", "arguments_returned",
)  # fmt: skip
UNSAFE = re.compile(
    "memory_|fork_bomb|thread_bomb|disk_in|output_flood$|pipes_filled|descriptors_all|recursion|classes_made|"
    "writes_the_harness|code_planted|folders_nested|odd_names|locks_on"
)
OURS = re.compile(
    r"autograder\.|os\.(?:write|read|close|dup)\(3|fileno=3|_objects|pskit|msgpack|linecache|\"sequence\"|\"seen\"|"
    r"test_q1_affine|REDTEAM_TOKEN'|worker"
)
FEEDBACK = "feedback_channels"
# What the other graders' layout needs: a walk that starts at the folder of the run, and their names of test files.
ADAPTED = {
    "hidden_test_by_walking": (
        ('os.walk("/")', 'os.walk(os.path.expanduser("~"))'),
        ('name.startswith("test_q2")', 'name.endswith((".py", ".ipynb"))'),
    ),
}
HARNESS_TOKENS = {"REDTEAM_TOKEN": "heron-5307-lagoon"}


@dataclass(frozen=True)
class Choice:
    """An attack as it is run there, or the reason why it is not."""

    attack: Attack
    reason: str = ""


def choices() -> list[Choice]:
    """Every attack of the red team."""
    return [Choice(_adapted(attack), _reason(attack)) for attack in roster()]


def _reason(attack: Attack) -> str:
    if attack.threat == "artifacts" or OURS.search(attack.source):
        return "not applicable: they attack the worker, the artifacts or the checks of this grader alone"
    if attack.threat == FEEDBACK:
        return "not applicable: the others show a student's own output, or none at all"
    if UNSAFE.search(attack.name):
        return "not run: without walls they would use up or damage the machine that grades"
    return ""


def _adapted(attack: Attack) -> Attack:
    source = attack.source
    for old, new in ADAPTED.get(attack.name, ()):
        assert old in source, f"{attack.name} has changed; {old!r} is not in it"
        source = source.replace(old, new)
    return replace(attack, source=source)
