"""Where in the student's own cells an error came from."""

import linecache
import re
import sys
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType

OUR_FOLDER = str(Path(__file__).parent)
LIBRARIES = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), OUR_FOLDER)


def of_students(filename: str) -> bool:
    """Code of a cell or of a file of the student's, not of Python, of a library or of pskit."""
    return not filename.startswith((*LIBRARIES, "<frozen", "<string")) and "site-packages" not in filename


def last_line(trace: TracebackType | None) -> str:
    """The last of the student's lines that ran: "gaussian_logpdf, Cell In[5], line 3: return X @ mu", or ""."""
    frames = [f for f in traceback.extract_tb(trace) if of_students(f.filename)]
    if not frames:
        return ""
    frame = frames[-1]
    inside = "" if frame.name == "<module>" else f"{frame.name}, "
    code = frame.line or linecache.getline(frame.filename, frame.lineno or 0).strip()
    return f"{inside}{place(frame.filename)}, line {frame.lineno}: {code}"


def in_own_cell(trace: TracebackType) -> bool:
    """The error arose in the very cell that was run (a comprehension in it included), not in a function of another."""
    last = trace
    while last.tb_next is not None:
        last = last.tb_next
    return last.tb_frame.f_code.co_filename == trace.tb_frame.f_code.co_filename


def place(filename: str) -> str:
    """What the student calls this file: its cell's execution count where IPython knows it, else the file's name."""
    old_style = re.match(r"<ipython-input-(\d+)-", filename)
    if old_style:
        return f"Cell In[{old_style[1]}]"
    number = getattr(_compiler(), "_filename_map", {}).get(filename)  # the one place that IPython 7 to 9 all have
    if number is not None:
        return f"Cell In[{number}]"
    return "a cell" if "ipykernel_" in filename else Path(filename).name


def _compiler() -> object:
    """IPython's compiler of cells, without importing IPython where it is not in use."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "compile", None)
