"""Memory that does not suffice, as a sentence with a way out."""

import torch

FULL = ("out of memory", "can't allocate memory", "not enough memory", "unable to allocate", "status_alloc_failed")


def is_full(error: BaseException) -> bool:
    """Whether a GPU's or the computer's memory could not hold what was asked for."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in FULL)


def advice(error: BaseException, smaller: str = "") -> str:
    """What happened and what to do; frees what the failed cell left on the GPU. `smaller` names a smaller setting."""
    on_gpu = "cuda" in str(error).lower() and torch.cuda.is_available()
    where = "The computer's memory does not suffice for this cell."
    if on_gpu:
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(0).total_memory / 2**30
        where = f"The GPU's memory ({total:.0f} GB) does not suffice for this cell."
    setting = f" A smaller setting: {smaller}." if smaller else ""
    return (
        f"{where}{setting} Restarting the session frees what earlier cells hold; a training goes on from its last "
        "checkpoint where its settings stayed the same."
    )
