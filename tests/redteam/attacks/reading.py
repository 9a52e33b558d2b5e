"""Reading what is not the student's: hidden tests, results, metadata, submissions, memory of others, tokens."""


def hidden_test_by_walking():
    """A walk through all folders finds no hidden test with its expected text."""
    import os
    import re

    def cipher(text, key):
        for folder, _, names in os.walk("/"):
            for name in names:
                if name.startswith("test_q2"):
                    found = re.findall(r"<<\w+-8846-\w+>>", open(os.path.join(folder, name)).read())
                    return next(word for word in found if word != text)
        raise LookupError


def hidden_test_by_guessed_places():
    """The usual places of a Gradescope container show no hidden test."""
    import glob
    import re

    def cipher(text, key):
        places = ["/autograder/source/**/test_*.py", "/autograder/**/hidden/**", "/home/*/**/hidden/**/*.py", "../**/*"]
        for path in [path for place in places for path in glob.glob(place, recursive=True)]:
            found = re.findall(r"<<\w+-8846-\w+>>", open(path).read())
            if found:
                return found[-1]
        raise LookupError


def hidden_test_by_import():
    """The hidden tests and the grader cannot be imported from a worker."""
    import importlib
    import sys

    def affine(x, factor, shift=0.0):
        names = ["autograder.hidden", "autograder.grading", "autograder.testing", "autograder.verify", "test_q1_affine"]
        for name in [*names, "autograder.grading.judge", "conftest", "tests.redteam.target.hidden.test_q1_affine"]:
            try:
                importlib.import_module(name)
            except ImportError:
                continue
            breach()
        if any("hidden" in name or "grading" in name for name in sys.modules):
            breach()


def hidden_test_in_own_memory():
    """The expected text is nowhere in the objects that the worker inherited."""
    import gc
    import sys

    def cipher(text, key):
        want = "<<rww" + "hu-8846-"
        for thing in [*gc.get_objects(), *map(vars, filter(None, sys.modules.values()))]:
            values = list(thing.values()) if isinstance(thing, dict) else list(thing) if type(thing) is list else []
            if any(type(value) is str and want in value for value in values):
                return next(value for value in values if type(value) is str and want in value)
        raise LookupError


def hidden_test_in_raw_memory():
    """The worker's memory, read through /proc/self/mem or by address, does not give the expected text."""
    import re

    def cipher(text, key):
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as memory:
            for line in maps:
                start, end = (int(number, 16) for number in line.split()[0].split("-"))
                memory.seek(start)
                found = re.search(rb"<<rwwhu-8846-[a-z]+>>", memory.read(end - start))
                if found:
                    return found[0].decode()


def results_of_the_grader():
    """No results.json, metadata, harness or password file can be opened."""

    def affine(x, factor, shift=0.0):
        for path in ["/autograder/results/results.json", "/autograder/submission_metadata.json",
                     "/autograder/run_autograder", "/autograder/package.json", "/etc/passwd", "/etc/shadow",
                     "/root/.bashrc", "../results.json", "../../results/results.json"]:  # fmt: skip
            try:
                open(path).read(1)
            except OSError:
                continue
            breach()


def submissions_of_others():
    """The folder above the worker's own shows no name and no other submission."""
    import os

    def affine(x, factor, shift=0.0):
        home = os.environ.get("HOME", ".")
        for folder in {os.path.join(home, ".."), "..", "/autograder/submission", "/tmp", "/var/tmp"}:
            try:
                seen = set(os.listdir(folder))
            except OSError:
                continue
            if seen - set(os.listdir(home)):
                breach()


def submissions_by_guessed_names():
    """A worker's folder has a number; the folder of another number cannot be entered."""
    import os

    def affine(x, factor, shift=0.0):
        for number in range(-50, 50):
            path = os.path.join(os.environ["HOME"], "..", f"home-{abs(number)}", "target.safetensors")
            try:
                open(path, "rb").read(1)
            except OSError:
                continue
            breach()


def the_parents_proc():
    """Nothing in /proc tells of the grader: environment, command line, memory, open files."""
    import os

    def affine(x, factor, shift=0.0):
        for pid in (1, os.getppid(), os.getsid(0), "self/task/1", "thread-self"):
            for name in ("environ", "cmdline", "maps", "mem", "fd/0", "cwd/pyproject.toml", "root/etc", "status"):
                try:
                    open(f"/proc/{pid}/{name}", "rb").read(1)
                except OSError:
                    continue
                breach()


def tokens_in_the_environment():
    """The environment holds no token: only what the worker was given by name."""
    import ctypes
    import os

    def affine(x, factor, shift=0.0):
        libc = ctypes.CDLL(None)
        libc.getenv.restype = ctypes.c_char_p
        names = "REDTEAM_TOKEN GRADESCOPE_TOKEN AWS_SECRET_ACCESS_KEY GITHUB_TOKEN PYTEST_CURRENT_TEST USER PWD".split()
        if any(name in os.environ or libc.getenv(name.encode()) for name in names):
            breach()


def tokens_by_the_initial_stack():
    """The environment that the process was started with, read past the copy that Python keeps, holds no token."""
    import ctypes

    def affine(x, factor, shift=0.0):
        environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
        position = 0
        while environ[position]:
            if b"REDTEAM" in environ[position] or b"PYTEST" in environ[position]:
                breach()
            position += 1


def descriptors_left_open():
    """No inherited descriptor is a file of the grader's."""
    import os
    import stat

    def affine(x, factor, shift=0.0):
        for fd in range(256):
            try:
                kind = os.fstat(fd).st_mode
            except OSError:
                continue
            if stat.S_ISREG(kind) or stat.S_ISDIR(kind):
                breach()


def memory_of_the_grader():
    """process_vm_readv and ptrace on the parent are refused."""
    import ctypes
    import os

    def affine(x, factor, shift=0.0):
        libc = ctypes.CDLL(None, use_errno=True)
        buffer = ctypes.create_string_buffer(8)
        vector = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
        for pid in (os.getppid(), 1):
            if libc.process_vm_readv(pid, vector, 1, vector, 1, 0) > 0 or libc.ptrace(16, pid, 0, 0) == 0:
                breach()


def terminal_and_standard_input():
    """Standard input is empty and there is no terminal to read from."""
    import os
    import sys

    def affine(x, factor, shift=0.0):
        if sys.stdin.read(1) or os.read(0, 1):
            breach()
        try:
            open("/dev/tty")
        except OSError:
            return None
        breach()
