"""Staying: what would change a result after the worker has answered, or wait for the next submission."""


def daemon_by_double_fork():
    """A daemon in a session of its own cannot be started."""
    import os

    def affine(x, factor, shift=0.0):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                breach()
        breach()


def daemon_by_subprocess():
    """No program can be started, with or without a shell, by any of Python's ways."""
    import multiprocessing
    import os
    import subprocess

    def affine(x, factor, shift=0.0):
        attempts = [
            lambda: subprocess.Popen(["/bin/sh", "-c", "sleep 100 &"], start_new_session=True),
            lambda: os.posix_spawn("/bin/sh", ["sh", "-c", "sleep 100"], {}),
            lambda: os.execv("/bin/sh", ["sh", "-c", "exit 77"]),
            lambda: multiprocessing.get_context("fork").Process(target=print).start(),
        ]
        for attempt in attempts:
            try:
                attempt()
            except OSError:
                continue
            breach()
        if os.system("exit 7") >> 8 == 7:
            breach()


def thread_that_waits():
    """A thread that goes on after its call ends with the worker and reaches no file and no answer."""
    import threading
    import time

    def rewrite():
        while True:
            time.sleep(0.01)
            try:
                open("/autograder/results/results.json", "w")
            except OSError:
                continue
            breach()

    def affine(x, factor, shift=0.0):
        threading.Thread(target=rewrite, daemon=False).start()
        return x


def actions_at_exit():
    """What is registered for the end of the process does not run in the grader, and does not keep it waiting."""
    import atexit
    import sys
    import threading
    import time
    import weakref

    def affine(x, factor, shift=0.0):
        atexit.register(time.sleep, 1000)
        threading._register_atexit(time.sleep, 1000)
        weakref.finalize(sys.modules["os"], time.sleep, 1000)
        sys.exit(0)


def signal_handlers(seconds=4):
    """A worker that ignores every signal that can be ignored ends all the same."""
    import signal
    import time

    def affine(x, factor, shift=0.0):
        for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            time.sleep(1)


def alarm_and_timers(seconds=4):
    """Timers with handlers cannot interrupt anything but the student's own code."""
    import signal

    def affine(x, factor, shift=0.0):
        signal.signal(signal.SIGALRM, lambda *_: breach.__globals__["os"]._exit(3))
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        signal.alarm(1)
        while True:
            pass


def files_for_the_next_worker():
    """What one worker leaves in its folder is not there for the next, of the same submission or another."""
    import os

    def affine(x, factor, shift=0.0):
        if os.path.exists("left-behind"):
            breach()
        with open("left-behind", "w") as file:
            file.write("1")
        os._exit(0)

    def cipher(text, key):
        return affine(0, 0)


def locks_on_shared_files():
    """A lock that is held on a file of Python's library stays with nobody."""
    import fcntl
    import os

    def affine(x, factor, shift=0.0):
        with open(os.__file__) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            os._exit(1)


def code_planted_for_imports():
    """Modules planted where the next import would look are not imported by anybody but the student."""
    import os
    import sys

    def affine(x, factor, shift=0.0):
        for name in ("msgpack", "autograder", "sitecustomize", "usercustomize", "pytest", "conftest"):
            for folder in (".", *sys.path):
                try:
                    with open(os.path.join(folder, name + ".py"), "w") as file:
                        file.write("import os; os._exit(77)")
                except OSError:
                    continue
        return x


def memory_shared_with_the_next():
    """System V and POSIX shared memory, message queues and memory files cannot be made."""
    import ctypes
    import os

    def affine(x, factor, shift=0.0):
        libc = ctypes.CDLL(None)
        if libc.shmget(1234, 4096, 0o1600) != -1 or libc.msgget(1234, 0o1600) != -1 or libc.semget(1, 1, 0o1600) != -1:
            breach()
        for attempt in (lambda: os.memfd_create("x"), lambda: open("/dev/shm/left", "w"), lambda: os.mkfifo("pipe")):
            try:
                attempt()
            except OSError:
                continue
            breach()


def delayed_by_del():
    """Objects whose __del__ misbehaves at the end of the worker delay nothing."""
    import gc
    import time

    class Late:
        def __del__(self):
            time.sleep(1000)

    KEPT = [Late() for _ in range(10)]

    def affine(x, factor, shift=0.0):
        loop = KEPT
        loop.append(loop)
        gc.enable()
        raise SystemExit(KEPT)
