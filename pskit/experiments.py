"""Run cells: they time themselves, and they wait politely for answers that are not written yet."""

import time
from types import TracebackType

from pskit import figures, memory
from pskit.origin import in_own_cell
from pskit.stubs import Stub, remember_unmade, stub_of, waiting


class experiment:
    """A cell that uses the student's answers: `with experiment("EM with K = 20"): ...`.

    A stub inside it, a variable that an earlier waiting cell would have made, or memory that does not suffice becomes a
    sentence and the notebook goes on. Every other exception is the student's to see, with its traceback. `smaller`
    names a setting that needs less memory: "batch = 64".
    """

    def __init__(self, title: str, smaller: str = "QUICK = True, or fewer examples") -> None:
        self.title, self.smaller, self.seconds = title, smaller, 0.0

    def __enter__(self) -> "experiment":
        self._start, self._drawn_before = time.perf_counter(), figures.unfinished()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.seconds = time.perf_counter() - self._start
        if error is None:
            print(f"{self.title}: {_duration(self.seconds)}")
            return True
        assert trace is not None  # an error that reached a with block has passed through its frame
        stub: Stub | str | None = stub_of(error)
        if memory.is_full(error):
            stub = "more memory"
            print(memory.advice(error, self.smaller))
        elif stub is not None:
            print(f"This cell waits for {stub}. Solve it, run its cell, then run this cell again.")
        elif isinstance(error, NameError) and in_own_cell(trace) and error.name in waiting:
            cause = waiting[error.name]
            stub = cause.stub
            print(
                f'This cell waits for `{error.name}`, which the cell "{cause.cell}" makes. '
                f"That cell waits for {stub}. Solve it, run its cell and the cells after it again."
            )
        else:
            return False
        figures.forget(figures.unfinished() - self._drawn_before)  # Jupyter would show them, half empty
        remember_unmade(self.title, stub, trace)
        return True


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
