"""Hunting through frames, the garbage collector and inspect for something to use."""


def frames_of_the_caller():
    """The frames above a call hold its request, and no expected value, test name or path of the grader."""
    import sys

    def affine(x, factor, shift=0.0):
        frame = sys._getframe()
        while frame is not None:
            seen = [frame.f_code.co_filename, *map(repr, frame.f_locals.values()), *frame.f_globals]
            if any("hidden" in text or "test_q" in text or "expect_" in text for text in seen):
                breach()
            frame = frame.f_back


def which_test_is_calling():
    """No stack, thread name or variable says which test is calling."""
    import inspect
    import sys
    import threading

    def affine(x, factor, shift=0.0):
        names = [frame.function for frame in inspect.stack()] + [thread.name for thread in threading.enumerate()]
        if any(name.startswith("test_") for name in [*names, *sys.argv]) or "PYTEST" in str(vars(sys)):
            breach()


def objects_of_the_collector():
    """The collector knows no generator, no Worth, no Grader and no release."""
    import gc

    def affine(x, factor, shift=0.0):
        names = {type(thing).__name__ for thing in gc.get_objects()}
        names |= {str(getattr(thing, "__name__", "")) for thing in gc.get_objects() if type(thing) is type(affine)}
        if names & {"Grader", "Worth", "Sitting", "Release", "Student", "Desk", "expect_close", "ForkServer", "Judge"}:
            breach()


def subclasses_of_object():
    """Walking the subclasses of object finds no class of the grader."""

    def affine(x, factor, shift=0.0):
        pending, seen = [object], set()
        while pending:
            cls = pending.pop()
            found = [each for each in type.__subclasses__(cls) if each not in seen] if cls is not type else []
            seen.update(found)
            pending += found
        if any(cls.__module__.startswith(("autograder.grading", "autograder.testing", "_pytest")) for cls in seen):
            breach()


def sockets_of_the_worker():
    """The worker's socket is a pair: it has no address, and no other socket can be reached through it."""
    import socket

    def affine(x, factor, shift=0.0):
        connection = socket.socket(fileno=3)
        if connection.getsockname() or connection.getpeername():
            breach()
        for attempt in (lambda: connection.connect("\0grader"), connection.listen, lambda: connection.bind("\0x")):
            try:
                attempt()
            except OSError:
                continue
            breach()
        connection.detach()


def requests_peeked():
    """Reading the socket ahead finds no request that was not asked yet."""
    import os
    import socket
    import threading

    def peek(found):
        found.append(socket.socket(fileno=os.dup(3)).recv(65536, socket.MSG_PEEK))

    def affine(x, factor, shift=0.0):
        found = []
        thread = threading.Thread(target=peek, args=(found,), daemon=True)
        thread.start()
        thread.join(0.3)
        if found:
            breach()
        return x


def the_boot_configuration():
    """What the fork server was started with names no folder of the course, no test and no seed."""
    import sys

    def texts(value, depth=0):
        if type(value) is str:
            yield value
        elif depth < 3 and type(value) in (list, tuple, set, frozenset, dict):
            for each in [*value, *(value.values() if type(value) is dict else ())]:
                yield from texts(each, depth + 1)

    def affine(x, factor, shift=0.0):
        frame, found = sys._getframe(), [sys.path, sys.argv, sys.orig_argv]
        while frame.f_back is not None:
            frame = frame.f_back
            found += [dict(frame.f_locals), *(getattr(each, "__dict__", {}) for each in frame.f_locals.values())]
        for text in texts(found):
            if len(text) < 300 and any(word in text for word in ("redteam", "/hidden", "hidden_seed")):
                breach()


def probes_recorded():
    """The source of a probe, as the worker gets it, holds no expected value and no name of its test."""
    import builtins
    import sys

    COMPILE = builtins.compile

    def spy(source, *args, **kwargs):
        if isinstance(source, str) and ("expect" in source or "test_" in source or "full((3,)" in source):
            breach()
        return COMPILE(source, *args, **kwargs)

    builtins_of_worker = sys.modules["builtins"]

    class Scaler:
        def __init__(self, width):
            builtins_of_worker.compile = spy
            self.width = width


def tracing_and_profiling():
    """Tracing, profiling, monitoring and audit hooks see the worker's own code and nothing else."""
    import sys
    import threading

    def spy(frame, event, arg):
        if "hidden" in frame.f_code.co_filename or "grading" in frame.f_code.co_filename:
            breach()
        return spy

    def hook(event, args):
        if event == "open" and "test_q" in str(args):
            breach()

    def affine(x, factor, shift=0.0):
        sys.addaudithook(hook)
        threading.settrace(spy)
        sys.setprofile(spy)
        sys.settrace(spy)
        return x


def hooks_that_raise():
    """Audit, trace and profile hooks that raise at everything break their own worker and no other."""
    import sys

    def affine(x, factor, shift=0.0):
        def refuse(*args):
            raise SystemExit

        sys.addaudithook(refuse)
        sys.settrace(refuse)
        sys.setprofile(refuse)
        return x


def debugger_hooks():
    """faulthandler, breakpoints and pdb open no way in and write nothing that is read."""
    import faulthandler
    import sys

    def affine(x, factor, shift=0.0):
        faulthandler.enable(file=sys.stderr)
        faulthandler.dump_traceback_later(0.1, repeat=True, file=sys.stderr)
        sys.breakpointhook = sys.__breakpointhook__
        breakpoint()
