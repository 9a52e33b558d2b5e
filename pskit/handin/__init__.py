"""The file that is handed in: the notebook and its trained models in one zip, tried out before it goes, with a receipt.

Whatever is found is said and never stops the submission: the grader, not this, decides about points.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pskit import artifact
from pskit.handin.notebook_here import bytes_of_notebook, offer_download, quiet_bytes

if TYPE_CHECKING:
    from pskit.handin.pack import Packed


def submit(name: str, notebook: str | Path | None = None) -> None:
    """Write `<name>_submission.zip` with the notebook, its trained models and a receipt, try it out, and offer it.

    In Colab the notebook comes from the page itself; elsewhere it is the saved file, so save before you run this. The
    models are those that the problem set asks for, and what `save_artifact` saved. Without a notebook nothing is
    written, and a sentence says what to do.
    """
    from pskit.handin.pack import pack  # the reader of notebooks loads when it is needed

    content = bytes_of_notebook(name, notebook)
    if content is None:
        return
    packed = pack(name, content, artifact.saved)
    print(packed.described)
    _look_at(packed)
    print(packed.receipt_in_words)
    offer_download(packed.path)


def points_of(name: str) -> dict[str, tuple[float, str]]:
    """What each part of this notebook is worth and its kind, as the release wrote; {} where that cannot be read."""
    try:
        questions = json.loads(quiet_bytes(name))["metadata"]["pskit"]["questions"]
        return {part["part"]: (part["points"], part["kind"]) for q in questions for part in q["parts"]}
    except (ValueError, KeyError, TypeError):
        return {}


def _look_at(packed: "Packed") -> None:
    """The rehearsal and the warnings. An error of ours in them is one more sentence; interrupting them skips them."""
    from pskit.handin.findings import findings
    from pskit.handin.rehearsal import rehearse
    from pskit.handin.session import out_of_step

    sentences: list[str] = []
    try:
        for look in (out_of_step, rehearse, findings):
            sentences += _safely(look, packed)
    except KeyboardInterrupt:
        sentences.append("Trying it out was interrupted.")
    listed = list(dict.fromkeys(sentences))
    print("Nothing looks wrong." if not listed else "Please look at this; you can hand the file in as it is:")
    for sentence in listed:
        print(f"  - {sentence}")


def _safely(look: Callable[["Packed"], Iterable[str]], packed: "Packed") -> Iterator[str]:
    try:
        yield from look(packed)
    except Exception as error:
        yield f"Not everything could be tried out here ({type(error).__name__}: {error})."
