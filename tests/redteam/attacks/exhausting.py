"""Using up memory, processes, threads, disk, descriptors and the reader's patience."""


def memory_at_once():
    """An enormous allocation fails in its own worker."""
    import torch

    def affine(x, factor, shift=0.0):
        return torch.ones(2**36)

    def cipher(text, key):
        return text * 2**40


def memory_slowly(seconds=4):
    """Memory that grows bit by bit ends at the limit."""

    def affine(x, factor, shift=0.0):
        kept = []
        while True:
            kept.append(bytearray(2**22))


def memory_shared(seconds=4):
    """Shared anonymous memory, which no resource limit counts, ends at the watch."""
    import mmap

    def affine(x, factor, shift=0.0):
        kept = []
        while True:
            kept.append(mmap.mmap(-1, 2**24))
            for position in range(0, 2**24, 4096):
                kept[-1][position] = 1


def memory_in_many_mappings(seconds=4):
    """Many small mappings end at the kernel's or the watch's limit, and nobody else notices."""
    import ctypes

    def affine(x, factor, shift=0.0):
        libc = ctypes.CDLL(None)
        libc.mmap.restype = ctypes.c_void_p
        while libc.mmap(None, 4096, 3, 0x22, -1, 0) not in (None, 2**64 - 1):
            pass


def memory_while_reporting():
    """An error that is reported when no memory is left is reported all the same."""

    KEPT = []

    class Full(Exception):
        def __str__(self):
            return "x" * 2**40

    def affine(x, factor, shift=0.0):
        try:
            while True:
                KEPT.append(bytearray(2**20))
        except MemoryError:
            raise Full from None


def fork_bomb():
    """Processes cannot be started, however often it is tried."""
    import os

    def affine(x, factor, shift=0.0):
        started = 0
        for _ in range(1000):
            try:
                if os.fork() >= 0:
                    breach()
            except OSError:
                started += 0
        return x


def thread_bomb(seconds=4):
    """Threads end at their limit."""
    import threading
    import time

    def affine(x, factor, shift=0.0):
        while True:
            threading.Thread(target=time.sleep, args=(1000,)).start()


def native_thread_bomb():
    """Threads that are made without Python end at their limit."""
    import ctypes

    def affine(x, factor, shift=0.0):
        libc = ctypes.CDLL(None)
        made = 0
        while libc.pthread_create(ctypes.byref(ctypes.c_ulong()), None, libc.pause, None) == 0:
            made += 1
            if made > 5000:
                breach()


def disk_in_one_file():
    """One file ends at its limit."""

    def affine(x, factor, shift=0.0):
        with open("large", "wb") as file:
            while True:
                file.write(bytes(2**20))


def disk_in_many_files(seconds=4):
    """Many files and folders end at the folder's limit."""
    import itertools
    import os

    def affine(x, factor, shift=0.0):
        for number in itertools.count():
            os.mkdir(f"folder{number}")
            with open(f"folder{number}/file", "wb") as file:
                file.write(bytes(2**16))


def disk_in_an_unlinked_file():
    """The count of files without a name ends with the count of descriptors."""
    import os
    import tempfile

    def affine(x, factor, shift=0.0):
        kept = []
        while len(kept) < 300:
            kept.append(tempfile.TemporaryFile())
            kept[-1].truncate(2**20)
        breach()


def folders_nested_deeply():
    """Folders nested beyond the longest path are removed with the rest."""
    import os

    def affine(x, factor, shift=0.0):
        for _ in range(900):
            os.mkdir("nested")
            os.chdir("nested")
        return x


def odd_names_of_files():
    """Files whose names are no text, or options of a shell, are removed with the rest."""
    import os

    def affine(x, factor, shift=0.0):
        for name in (b"\xff\xfe", b"-rf", b"a\nb", b"*", b" ", b"\x1b[2J", b"~", b"n" * 255):
            with open(name, "wb"):
                pass
            os.makedirs(name + b".d" if len(name) < 200 else b"d")
        os.chdir("-rf.d")
        return x


def descriptors_all_open():
    """Descriptors end at their limit."""
    import os

    def affine(x, factor, shift=0.0):
        while True:
            os.dup(0)


def output_flood(seconds=4):
    """A flood of output on both streams costs its test at most, and no memory of the grader."""
    import os

    def affine(x, factor, shift=0.0):
        while True:
            os.write(1, b"x" * 2**20)
            os.write(2, b"y" * 2**20)


def output_flood_between_calls():
    """A thread that floods between calls does not hold the grader up."""
    import os
    import threading

    def flood():
        while True:
            os.write(1, b"z" * 2**16)

    def affine(x, factor, shift=0.0):
        threading.Thread(target=flood, daemon=True).start()
        return x


def pipes_filled(seconds=4):
    """Pipes and events that are filled block their own worker only."""
    import os

    def affine(x, factor, shift=0.0):
        read, write = os.pipe()
        while True:
            os.write(write, bytes(2**16))


def large_results():
    """Results that are too large, too deep or too many are refused with a sentence."""

    def affine(x, factor, shift=0.0):
        return bytes(2**27)

    def cipher(text, key):
        return [0] * 3_000_000

    class Scaler:
        def __init__(self, width):
            self.width = width
            self.width = [self]
            self.width.append(self.width)


def large_errors():
    """Errors with megabytes of text, names and frames are cut."""

    def affine(x, factor, shift=0.0):
        raise type("E" * 10**6, (Exception,), {})("x" * 10**8)

    def cipher(text, key, depth=0):
        if depth > 900:
            raise KeyError("y" * 10**7)
        return cipher(text, key, depth + 1)


def keys_that_collide():
    """A dict whose keys share one hash does not keep the grader busy."""

    def affine(x, factor, shift=0.0):
        return {i * (2**61 - 1): 0 for i in range(2000)}
