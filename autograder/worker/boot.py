"""The first code of the fork server, handed to `python -c`.

It reads its configuration from the socket that it inherits and imports the modules that came with it from memory: the
server learns no path of ours, on disk or in its arguments.
"""

import importlib.abc
import importlib.util
import json
import socket
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Carried(importlib.abc.InspectLoader, importlib.abc.MetaPathFinder):
    """Import `modules`: name -> [source, whether it is a package]."""

    def __init__(self, modules: dict[str, list[Any]]) -> None:
        self.modules = modules

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The spec of a carried module."""
        if name not in self.modules:
            return None
        origin = "<" + name + ">"
        return importlib.util.spec_from_loader(name, self, origin=origin, is_package=self.modules[name][1])

    def exec_module(self, module: ModuleType) -> None:
        """Run the source; `__file__` is a name, not a path that exists."""
        module.__file__ = module.__name__.replace(".", "/") + ".py"
        exec(compile(self.modules[module.__name__][0], "<" + module.__name__ + ">", "exec"), module.__dict__)

    def is_package(self, name: str) -> bool:
        """Whether the carried module is a package."""
        return bool(self.modules[name][1])

    def get_source(self, name: str) -> str:
        """The carried source."""
        return str(self.modules[name][0])


def boot(fd: int) -> None:
    """Serve on this descriptor until the parent closes it."""
    control = socket.socket(fileno=fd)
    size = int.from_bytes(control.recv(8, socket.MSG_WAITALL), "big")
    config = json.loads(control.recv(size, socket.MSG_WAITALL))
    sys.path[:] = [p for p in sys.path if p] + config["site"]
    sys.meta_path.insert(0, Carried(config.pop("modules")))
    from autograder.worker.server import serve

    serve(control, config)


boot(int(sys.argv[1]))
