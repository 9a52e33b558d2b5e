"""Forging a result: writing results, and speaking the worker's protocol in its place."""


def writes_results_json():
    """results.json cannot be written or replaced, whatever path is tried."""
    import os

    def affine(x, factor, shift=0.0):
        forged = '{"score": 99, "tests": []}'
        for folder in ("/autograder/results", "..", "../..", "../results", "/tmp", "/"):
            for name in ("results.json", ".results.json.partial"):
                path = os.path.join(folder, name)
                try:
                    open(path, "w").write(forged)
                    inside = os.path.realpath(path).startswith(os.path.realpath(os.environ["HOME"]))
                except OSError:
                    continue
                if not inside:
                    breach()


def writes_the_harness():
    """run_autograder, the hidden tests and Python's library cannot be changed or put elsewhere."""
    import os
    import random
    import sys

    def affine(x, factor, shift=0.0):
        for path in ("/autograder/run_autograder", random.__file__, sys.executable, "/autograder/source/setup.sh",
                     "/etc/ld.so.preload", os.path.join(sys.prefix, "sitecustomize.py")):  # fmt: skip
            for attempt in (lambda: open(path, "ab"), lambda: os.rename(path, path + "~"), lambda: os.unlink(path)):
                try:
                    attempt()
                except OSError:
                    continue
                breach()


def prints_a_result():
    """A result printed to standard output and standard error is not taken for one."""
    import os
    import sys

    def affine(x, factor, shift=0.0):
        text = '{"score": 99, "tests": [{"score": 99, "max_score": 1, "status": "passed"}]}\n'
        print(text, "1 passed in 0.01s")
        sys.stderr.write(text)
        os.write(1, text.encode())
        os.write(2, text.encode())


def sends_a_forged_reply():
    """A well-formed reply written to the worker's socket is only a wrong answer: the worker knows no right one."""
    import os

    def affine(x, factor, shift=0.0):
        import struct

        import msgpack

        tokens = [b"t", 3, 2, "ok", None]
        body = b"".join(map(msgpack.packb, tokens))
        os.write(3, struct.pack("!QQ", len(body), 0) + body)


def sends_replies_for_the_future():
    """Replies sent ahead of their requests, for every number that may come, are answers that are wrong."""

    def affine(x, factor, shift=0.0):
        import os
        import struct

        import msgpack

        for number in range(2, 40):
            body = b"".join(map(msgpack.packb, [b"t", 3, number, "ok", True]))
            os.write(3, struct.pack("!QQ", len(body), 0) + body)
        return x


def claims_that_the_test_is_at_fault():
    """An error of the course's kinds, raised by the student, is not the course's fault and gives no points."""

    def affine(x, factor, shift=0.0):
        raise ImportError("No module named 'autograder.testing'", name="autograder.testing")

    def cipher(text, key):
        raise FileNotFoundError(2, "No such file or directory", "hidden/data.pt")

    class Scaler:
        def __init__(self, width):
            HiddenTestError = type("HiddenTestError", (NameError,), {})
            raise HiddenTestError("name 'expect_close' is not defined")


def claims_that_the_probe_raised():
    """A forged origin, "probe", costs the test all the same."""
    import sys

    def affine(x, factor, shift=0.0):
        sys.modules["autograder.worker.faults"].describe = lambda error, cells: {
            "kind": "ImportError", "text": "no data", "frames": [], "origin": "probe", "not_implemented": None,
        }  # fmt: skip
        raise ImportError


def claims_that_a_wall_fell():
    """The exit code of a fallen wall, taken by the student, is an exit like any other."""
    import os

    def affine(x, factor, shift=0.0):
        os.write(2, b"a wall could not be raised")
        os._exit(70)


def answers_with_what_cannot_be_sent_back(seconds=4):
    """A forged value that the grader can read and not send does not make the next call the test's mistake."""
    import sys

    def halve(scaler, x):
        import os
        import struct

        import msgpack

        frame = sys._getframe()
        while "sequence" not in frame.f_locals:
            frame = frame.f_back
        body = b"".join(map(msgpack.packb, [b"t", 3, frame.f_locals["sequence"], "ok", b"i", 1024]))
        os.write(3, struct.pack("!QQ", len(body), 1024) + body + b"\x80" + bytes(1023))
        while True:
            pass

    class Scaler:
        def __init__(self, width):
            pass


def answers_with_the_deepest_value():
    """A value as deep as the protocol allows, which is too deep inside another call's arguments, costs the test."""

    def halve(scaler, x):
        value = []
        for _ in range(31):
            value = [value]
        return value

    class Scaler:
        def __init__(self, width):
            pass


def answers_with_a_stranger_handle():
    """A handle that the worker never gave is an object that does not exist, and no way into the grader."""
    import sys

    class Scaler:
        def __init__(self, width):
            service = sys._getframe()
            while "self" not in service.f_locals or not hasattr(service.f_locals["self"], "_objects"):
                service = service.f_back
            service.f_locals["self"]._keep = None
            type(service.f_locals["self"])._keep = lambda self, value: (2**53, "../../etc/passwd")


def answers_an_endless_reply(seconds=4):
    """A reply that announces more than it carries ends with its deadline."""

    def affine(x, factor, shift=0.0):
        import os
        import struct
        import time

        os.write(3, struct.pack("!QQ", 1000, 0))
        while True:
            os.write(3, b"\xc0")
            time.sleep(0.05)


def announces_an_enormous_reply(seconds=4):
    """A header of exabytes is refused before memory is set aside for it."""

    def affine(x, factor, shift=0.0):
        import os

        os.write(3, b"\xff" * 16)
        os.read(3, 1)


def closes_the_connection():
    """Without its connection the worker is gone: the test fails, the next one starts afresh."""

    def affine(x, factor, shift=0.0):
        import os

        os.close(3)


def answers_from_a_child():
    """No child can be forked that would answer in the place of the worker."""
    import os

    def affine(x, factor, shift=0.0):
        if os.fork() == 0:
            breach()
        breach()


def passes_descriptors_to_the_grader():
    """Descriptors sent over the socket do not fill the grader's table, and the reply among them is garbage."""

    def affine(x, factor, shift=0.0):
        import array
        import os
        import socket

        connection = socket.socket(fileno=os.dup(3))
        for _ in range(50):
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2] * 20))
            connection.sendmsg([b"\0"], [rights])
