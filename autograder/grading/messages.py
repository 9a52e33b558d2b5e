"""Outcomes in a student's words. No value, no hidden source, no path and no name of a hidden test enters here."""

from functools import singledispatch

from autograder.grading.outcomes import (
    BadAnswer,
    CouldNotBeGraded,
    Different,
    Killed,
    NotDefined,
    NotHandedIn,
    NotImplementedYet,
    Outcome,
    Passed,
    Place,
    ProcessEnded,
    QuestionOutOfTime,
    RaisedError,
    TooMuchMemory,
    TooSlow,
    Unusable,
)

WITHHELD = "Its text is not shown here, because it could carry the hidden inputs out; run your function to see it."

NO_GPU = "Grading has no GPU. Put new tensors where the inputs are (device=x.device), and name no device."
ADVICE = {"Torch not compiled with CUDA enabled": NO_GPU, "Found no NVIDIA driver on your system.": NO_GPU}


def printable(text: str) -> str:
    """Without what moves a terminal's cursor or is no character at all: some of the text is a student's."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


@singledispatch
def render(outcome: Outcome) -> str:
    """What happened, where, and what to do, in one to four lines."""
    raise TypeError(f"no words for {type(outcome).__name__}")


@render.register
def _(outcome: Passed) -> str:
    return "Passed."


@render.register
def _(outcome: NotImplementedYet) -> str:
    return f"Not implemented yet: {outcome.stub}" if outcome.stub else "Not implemented yet (NotImplementedError)."


@render.register
def _(outcome: NotHandedIn) -> str:
    return f"Not handed in yet: the file {outcome.stub} is not in the submission. Its notebook cell writes it."


@render.register
def _(outcome: NotDefined) -> str:
    advice = outcome.note or "Grading runs imports, definitions and constants, and no training or plotting cells."
    where = "" if outcome.place is None else _at(outcome.place)
    return f"The name {outcome.name} is not defined in the code that is graded. {advice}{where}"


@render.register
def _(outcome: RaisedError) -> str:
    when = "The cell that defines it" if outcome.loading else "Your code"
    what = f"{when} raised {outcome.kind}{': ' + outcome.text if outcome.text else ''}{_at(outcome.place)}"
    more = WITHHELD if outcome.text is None else ADVICE.get(outcome.text)
    return f"{what}\n{more}" if more else what


def _at(place: Place | None) -> str:
    if place is None:
        return "."
    inside = f", in {place.function}" if place.function else ""
    line = f"\n    {place.text}" if place.text else ""
    return f"\nat cell {place.cell}, line {place.line}{inside}:{line}"


@render.register
def _(outcome: TooSlow) -> str:
    return f"Took longer than {outcome.seconds:g} s and was stopped. Look for a loop that does not end."


@render.register
def _(outcome: QuestionOutOfTime) -> str:
    return f"Not run: earlier tests used up the {outcome.seconds:.0f} s that this question has."


@render.register
def _(outcome: ProcessEnded) -> str:
    return f"The process that ran your code ended: {outcome.how}."


@render.register
def _(outcome: Killed) -> str:
    return "The system killed the process that ran your code, most likely because memory ran out. Staff see this too."


@render.register
def _(outcome: TooMuchMemory) -> str:
    size = "its process is given" if outcome.megabytes is None else f"{outcome.megabytes} MB"
    return f"Needs more memory than {size}. Look for arrays larger than the shapes ask for."


@render.register
def _(outcome: BadAnswer) -> str:
    return f"Cannot be graded as it is: {outcome.sentence.rstrip('.')}."


@render.register
def _(outcome: Different) -> str:
    return f"{outcome.what[:1].upper()}{outcome.what[1:]}."


@render.register
def _(outcome: Unusable) -> str:
    return f"What your code returned does not have the form that is asked for: it returned {outcome.returned}."


@render.register
def _(outcome: CouldNotBeGraded) -> str:
    return "Could not be graded: a mistake on the course's side. You lose no points for it; staff see this line too."
