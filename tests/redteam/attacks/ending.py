"""Ending the worker, the fork server or the grader: exits, signals, crashes, hangs."""


def system_exit():
    """SystemExit, raised in a call, is an exception of the student's."""
    import sys

    def affine(x, factor, shift=0.0):
        sys.exit(0)

    def cipher(text, key):
        raise KeyboardInterrupt

    class Scaler:
        def __init__(self, width):
            raise GeneratorExit


def exit_at_once():
    """os._exit and os.abort lose their own test, not the report."""
    import os

    def affine(x, factor, shift=0.0):
        os._exit(0)

    def cipher(text, key):
        os.abort()

    class Scaler:
        def __init__(self, width):
            quit()


def exit_while_loading():
    """A definition that ends the process as it is loaded fails its question and no other."""
    import os

    LOADED = os._exit(0)

    def affine(x, factor, shift=0.0):
        return LOADED


def crashes():
    """A segmentation fault, a jump to nowhere and an overflowing C stack end their own worker."""
    import ctypes

    def affine(x, factor, shift=0.0):
        ctypes.string_at(0)

    def cipher(text, key):
        ctypes.CFUNCTYPE(None)(1)()

    class Scaler:
        def __init__(self, width):
            ctypes.memset(id(None), 0, 64)


def recursion_without_end(seconds=4):
    """Recursion ends as an error or a crash, with the limit raised too."""
    import sys

    def affine(x, factor, shift=0.0):
        return affine(x, factor, shift)

    def cipher(text, key):
        sys.setrecursionlimit(2**31 - 1)

        class Deep:
            __getattr__ = lambda self, name: getattr(self, name + "x")
            __repr__ = lambda self: repr([self])

        return repr(Deep()) + Deep().a

    class Scaler:
        def __init__(self, width):
            value = []
            for _ in range(10**6):
                value = [value]
            self.width = value


def recursion_in_an_exception():
    """An exception whose text, traceback or causes never end is reported in bounded time."""

    class Endless(Exception):
        def __str__(self):
            return str(self)

    def affine(x, factor, shift=0.0):
        error = Endless()
        error.__cause__ = error.__context__ = error
        raise error

    def cipher(text, key):
        raise ExceptionGroup("a" * 10**7, [ValueError("b" * 10**7)] * 1000)


def signals_to_the_parent():
    """No signal reaches the parent, the server or any other process; to itself a worker may send what it likes."""
    import os
    import signal

    def affine(x, factor, shift=0.0):
        for pid in (os.getppid(), 1, -1, 0, -os.getpgrp(), -os.getppid(), *range(os.getpid() - 20, os.getpid())):
            for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
                try:
                    os.kill(pid, number)
                except OSError:
                    continue
                breach()


def signals_to_the_group():
    """killpg, sigqueue, pidfd and tgkill reach nobody else."""
    import ctypes
    import os
    import signal

    def affine(x, factor, shift=0.0):
        libc = ctypes.CDLL(None)
        parent = os.getppid()
        if libc.killpg(os.getpgid(0) or 1, 0) == 0 and os.getpgid(0) != os.getpid():
            breach()
        if libc.syscall(234, parent, parent, 9) == 0 or libc.syscall(129, parent, 9, None) == 0:
            breach()
        try:
            signal.pidfd_send_signal(os.pidfd_open(parent), signal.SIGKILL)
        except OSError:
            return x
        breach()


def signals_to_itself(seconds=4):
    """Stopped, the worker is late; killed by any signal, it is dead: never in the way."""
    import os
    import signal

    def affine(x, factor, shift=0.0):
        os.kill(os.getpid(), signal.SIGSTOP)

    def cipher(text, key):
        os.kill(os.getpid(), signal.SIGKILL)

    class Scaler:
        def __init__(self, width):
            os.kill(os.getpid(), signal.SIGUSR1)


def sleep_in_a_call(seconds=4):
    """A call that sleeps ends with its deadline."""
    import time

    def affine(x, factor, shift=0.0):
        time.sleep(10**6)


def sleep_while_loading(seconds=4):
    """Definitions that sleep while they are loaded use up their own question's time."""
    import time

    LOADED = time.sleep(10**6)

    def affine(x, factor, shift=0.0):
        return LOADED


def loops_while_loading(seconds=4):
    """Decorators, default arguments, metaclasses and class bodies that loop as they are loaded end with their time."""

    def forever(function):
        while True:
            pass

    @forever
    def affine(x, factor, shift=0.0):
        return x


def a_loop_in_c(seconds=4):
    """A computation in C that lets no Python signal in ends with its deadline."""

    def affine(x, factor, shift=0.0):
        return 10 ** (10**9)

    def cipher(text, key):
        import re

        return re.match(r"(a+)+$", "a" * 60 + "b")

    class Scaler:
        def __init__(self, width):
            self.width = sum(iter(int, 1))


def a_deadlock_in_a_native_thread(seconds=4):
    """Locks and native threads that wait for each other without the interpreter's lock end with the deadline."""
    import ctypes
    import threading

    def affine(x, factor, shift=0.0):
        libc = ctypes.CDLL(None)
        mutex = ctypes.create_string_buffer(64)
        libc.pthread_mutex_lock(mutex)
        libc.pthread_mutex_lock(mutex)

    def cipher(text, key):
        lock = threading.Lock()
        lock.acquire()
        thread = threading.Thread(target=lock.acquire)
        thread.start()
        thread.join()


def the_interpreters_lock_held(seconds=4):
    """A C call that keeps the interpreter's lock for ever ends with the deadline."""
    import ctypes

    def affine(x, factor, shift=0.0):
        ctypes.PyDLL(None).pause()


def input_that_never_comes(seconds=4):
    """Reading standard input or the own socket does not wait for ever."""
    import os

    def affine(x, factor, shift=0.0):
        return input()

    def cipher(text, key):
        return os.read(3, 1)


def limits_lowered():
    """Limits, priority and umask that a worker changes are its own."""
    import os
    import resource

    def affine(x, factor, shift=0.0):
        os.umask(0o777)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        finally:
            os.nice(19)


def limits_raised():
    """No limit can be raised, and no priority gained."""
    import os
    import resource

    def affine(x, factor, shift=0.0):
        for name in ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_CPU", "RLIMIT_NOFILE"):
            number = getattr(resource, name)
            try:
                resource.setrlimit(number, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except (OSError, ValueError):
                continue
            breach()
        try:
            os.nice(-5)
        except OSError:
            return x
        breach()
