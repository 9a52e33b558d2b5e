"""Draw the expected figures that need trained networks, from the reference artifacts and the notebook's own cells.

    PSKIT_DATA=<folder with mnist> python solutions/ps3_diffusion_flow/artifacts/figures.py [TITLE ...]

Without titles all experiments named below are drawn, as they are with QUICK = False; "quality against evaluations" is
the headline plot, with the grader's reader and the flow of extension x2, 200 digits a point. About 10 minutes on one
core, most of them for the headline; its numbers are kept in headline.csv, and only those of new networks are made anew.
"""

import csv
import hashlib
import importlib
import os
import re
import sys
from typing import Any

import matplotlib.pyplot as plt
import torch
from reference import NEEDED, SET, definitions, in_bfloat16

from autograder.hidden.digits.distance import frechet, in_unit
from autograder.hidden.digits.reader import read as read_digits
from autograder.release.figures import write_figure
from autograder.source import Namespace, cells, execute
from pskit import data, figures
from pskit.tensors import read

HERE = SET / "artifacts"
weights = importlib.import_module("pskit.data.weights")  # the function of that name hides its module
NUMBER, BUDGETS = 200, (1, 2, 4, 8, 16, 50)
PROVIDED = weights.FOLDER / "ps3_unet.safetensors"
RACERS = {  # the samplers of the headline, and their networks
    "DDIM": PROVIDED,
    "Euler": HERE / "ps3_flow.safetensors",
    "Heun": HERE / "ps3_flow.safetensors",
    "reflow": HERE / "ps3_few.safetensors",
}
FIGURES = {  # experiments, and the names of those of their figures that a text shows
    "digits from noise": {2: "samples", 3: "way_back", 4: "beliefs"},
    "digits in few steps": {1: "few_steps", 2: "walk"},
    "there and back again": {1: "inversion"},
    "guided digits": {1: "guided"},
    "digits with holes": {1: "holes"},
    "SDEdit in the plane and on scribbles": {2: "scribbles"},
    "super-resolution and uncropping": {1: "superresolution", 2: "uncropping"},
    "a diffusion network, followed as a flow": {1: "followed"},
    "two families draw": {1: "family_ddim", 2: "family_euler", 3: "family_heun"},
}
HEADLINE = "quality against evaluations"
ONE_STEP = "reflow on digits"
KNOWN = "known"  # in place of a title: the headline from what headline.csv has already


def save(figure: Any, name: str) -> None:
    """Write a figure and say so."""
    write_figure(figure, SET, name)
    print(f"figures/{name}.png", flush=True)


def network(notebook: Namespace, file: str, times: float) -> torch.nn.Module:
    """A reference artifact as a network."""
    net: torch.nn.Module = notebook["UNet"](width=64, T=times)
    net.load_state_dict({name: tensor.float() for name, tensor in read(HERE / file)[0].items()})
    return net.eval().requires_grad_(False)


def prepared() -> Namespace:
    """The notebook with its data and trained networks; the network of question 3 is the provided one here."""
    notebook = definitions()
    in_bfloat16(notebook["UNet"])
    for split in ("train", "test"):
        images, labels = data.mnist(split)
        notebook |= {f"D_{split}": notebook["as_pm1"](images), f"y_{split}": labels}
    notebook |= {"QUICK": False, "T": 200, "mixture": notebook["pinwheel"]()}
    notebook["betas"], notebook["alpha_bar"] = notebook["make_schedule"]("cosine", 200)
    notebook["eps_model"] = notebook["exact"] = notebook["exact_eps"](notebook["mixture"], notebook["alpha_bar"])
    notebook["unet"] = notebook["own_unet"] = notebook["provided_unet"]()
    notebook["ddpm_net"] = notebook["unet"]  # the headline and "two families draw" show the provided network
    notebook["flow_net"] = network(notebook, "ps3_flow.safetensors", 1.0)
    if (HERE / "ps3_few.safetensors").exists():
        notebook["few_net"] = network(notebook, "ps3_few.safetensors", 1.0)
    return notebook


def run(notebook: Namespace, chosen: list[str]) -> None:
    """Execute the chosen experiments, in order, and keep their figures."""
    state: dict[str, Any] = {"names": {}, "count": 0}

    def show(figure: Any, alt: str) -> None:
        state["count"] += 1
        print(alt, flush=True)
        if name := state["names"].get(state["count"]):
            save(figure, name)
        plt.close(figure)

    figures.show = show
    for file in NEEDED:
        for cell in cells(SET, file, ("run",)):
            title = re.search(r'^with experiment\("(.+?)"[,)]', cell.source, re.MULTILINE)
            if title and title[1] in FIGURES and title[1] in chosen:
                state |= {"names": FIGURES[title[1]], "count": 0}
                execute(cell.source, file, notebook)


def one_step(notebook: Namespace) -> None:
    """The teacher with 1 and 8 evaluations, the student of extension x2 with 1, 2 and 4."""
    labels = torch.arange(10)
    noise = torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(5))
    rows = [notebook["draw_euler"](notebook["flow_net"], noise, labels, n) for n in (1, 8)]
    rows += [student(notebook, noise, labels, n) for n in (1, 2, 4)]
    figures.show = lambda figure, alt: save(figure, "few")
    notebook["show_digits"](torch.cat(rows), "rows: teacher with 1 and 8 evaluations; student with 1, 2, 4", columns=10)


def student(notebook: Namespace, noise: torch.Tensor, labels: torch.Tensor, evaluations: int) -> torch.Tensor:
    """Digits of the few-step flow by Euler's method, without guidance."""
    drawn: torch.Tensor = notebook["ode_solve"](
        lambda x, t: notebook["few_net"](x, t, labels), noise, evaluations, "euler"
    )[-1]
    return drawn


def drawn(notebook: Namespace, name: str, evaluations: int) -> torch.Tensor:
    """NUMBER digits by the sampler of this name, every sampler from the same noise."""
    labels = torch.arange(NUMBER) % 10
    noise = torch.randn(NUMBER, 1, 28, 28, generator=torch.Generator().manual_seed(6))
    if name == "reflow":
        return student(notebook, noise, labels, evaluations)
    net = notebook["ddpm_net" if name == "DDIM" else "flow_net"]
    images: torch.Tensor = notebook[f"draw_{name.lower()}"](net, noise, labels, evaluations)
    return images


def measured(notebook: Namespace, *, anew: bool = True) -> dict[str, dict[int, tuple[float, float]]]:
    """Agreement and distance by sampler and evaluations; what headline.csv has of these networks is not drawn again.

    The cheap points come first, and the table is written after each one. Without `anew` only its points are taken.
    """
    table, known = HERE / "headline.csv", {}
    if table.exists():
        for row in csv.reader(table.read_text().splitlines()[1:]):
            known[row[0], int(row[1]), row[4]] = (float(row[2]), float(row[3]))
    marks = {name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for name, file in RACERS.items()}
    wanted = [(name, n, mark) for n in BUDGETS for name, mark in marks.items() if n > 1 or name != "Heun"]
    for name, n, mark in wanted if anew else []:
        if (name, n, mark) not in known:
            images, labels = in_unit(drawn(notebook, name, n)), torch.arange(NUMBER) % 10
            known[name, n, mark] = (read_digits(images) == labels).double().mean().item(), frechet(images)
            lines = ["{},{},{:.4f},{:.4f},{}".format(*key[:2], *known[key], key[2]) for key in wanted if key in known]
            table.write_text("\n".join(["sampler,evaluations,agreement,distance,network", *lines]) + "\n")
            print(name, n, *known[name, n, mark], flush=True)
    return {
        name: {n: known[key] for key in wanted if key in known and key[0] == name for n in key[1:2]} for name in marks
    }


def headline(notebook: Namespace, *, anew: bool = True) -> None:
    """Agreement and Frechet distance against evaluations."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for (name, rows), dash in zip(measured(notebook, anew=anew).items(), ("-o", "--s", "-.D", ":^"), strict=True):
        for ax, values in zip(axes, zip(*rows.values(), strict=True), strict=bool(rows)):
            ax.plot(list(rows), values, dash, label=name)
    for ax in axes:
        ax.set(xlabel="evaluations", xscale="log", xticks=BUDGETS, xticklabels=BUDGETS)
        ax.minorticks_off()
    axes[0].set(ylabel="agreement with the label", ylim=(0, 1.03))
    axes[1].set(ylabel="Fréchet distance", yscale="log")
    axes[0].legend()
    save(figure, "headline")


@torch.no_grad()
def main(titles: list[str]) -> None:
    """Draw what is asked for, or all of it."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    notebook = prepared()
    run(notebook, titles or list(FIGURES))
    if not titles or ONE_STEP in titles:
        one_step(notebook)
    if not titles or {HEADLINE, KNOWN} & set(titles):
        headline(notebook, anew=KNOWN not in titles)


if __name__ == "__main__":
    main(sys.argv[1:])
