"""Colab's page: it runs cells, answers its kernel's requests for the notebook, and takes downloads."""

import json
import re
from typing import Any

from nbclient import NotebookClient
from nbformat import NotebookNode

DOWNLOAD = re.compile(r'download\("[^"]*", "([^"]+)", \d+\)')


class Page(NotebookClient):  # type: ignore[misc]
    """A notebook client that speaks to its kernel as Colab's page does."""

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """Answer `colab_request`; everything else as usual."""
        if msg["msg_type"] == "colab_request":
            self._answer(msg)
            return None
        return super().process_message(msg, cell, cell_index)

    def _answer(self, msg: dict[str, Any]) -> None:
        asked = msg["metadata"]
        value = {"type": "colab_reply", "colab_msg_id": asked["colab_msg_id"]}
        value |= {"data": {"ipynb": as_colab_has_it(self.nb)}} if asked["colab_request_type"] == "get_ipynb" else {}
        self.kc.stdin_channel.send(self.kc.session.msg("input_reply", {"value": value}))


def as_colab_has_it(notebook: NotebookNode) -> dict[str, Any]:
    """The notebook in Colab's form: nbformat 4.0, ids in the metadata, widget entries without a state."""
    content = json.loads(json.dumps(notebook))
    for cell in content["cells"]:
        cell["metadata"].setdefault("id", cell.pop("id", ""))
        cell.pop("id", None)
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    content["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    return {**content, "nbformat": 4, "nbformat_minor": 0}


def downloads(notebook: Any) -> list[str]:
    """Names of the files that cells had the browser download."""
    scripts = [
        output.data["application/javascript"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "application/javascript" in output.get("data", {})
    ]
    return [name for script in scripts for name in DOWNLOAD.findall("".join(script))]
