"""What problem set 3 says to networks that are broken in PyTorch's ways, and to the famous silent bugs of diffusion.

Each stands in an otherwise solved notebook. The feedback names the way: another device, NaN, a wrong shape, layers that
nobody registered, a mode left on, a graph that was cut or kept, memory shared with the caller; and the idea of the bug.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat import NotebookNode

from autograder.grading import Grader
from autograder.source import page, read_set
from autograder.verify.bank import read_variants
from tests.broken import COURSE, feedback, grader_of, solved_notebook, whole

PLAN = whole("ps3")


ON_A_GPU = """
class DiTBlock(DiTBlock):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)
        self.cuda()
"""
TIME_ON_A_GPU = """
def ode_solve(v, x, n, method="euler", start=0.0, end=1.0):
    h, states = (end - start) / n, [x]
    for i in range(n):
        t = torch.full((len(x),), start + i * h, device="cuda")
        states.append(states[-1] + h * v(states[-1], t))
    return torch.stack(states)
"""
NAN_AT_TIME_ZERO = """
def q_posterior(x0, xt, t, alpha_bar):
    share, earlier = alpha_bar_at(alpha_bar, t, xt), alpha_bar_at(alpha_bar, t - 1, xt)
    beta = 1 - share / earlier
    variance = 1 / ((1 - beta) / beta + 1 / (1 - earlier))
    mean = variance * ((1 - beta).sqrt() / beta * xt + earlier.sqrt() / (1 - earlier) * x0)
    return mean, variance
"""
ROOT_OF_A_NEGATIVE = """
def ddim_step(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    now, then = alpha_bar_at(alpha_bar, t, xt), alpha_bar_at(alpha_bar, t_prev, xt)
    sigma = ((1 - then) / (1 - now) * (1 - now / then)).sqrt()
    x0 = x0_from_eps(xt, t, eps_hat, alpha_bar)
    back = then.sqrt() * x0 + (1 - then - (eta * sigma) ** 2).sqrt() * eps_hat
    return back if noise is None else back + eta * sigma * noise
"""
POOLED_TOKENS = """
class DiTBlock(DiTBlock):
    def forward(self, h, c):
        return super().forward(h, c).mean(1)
"""
LAYERS_IN_A_LIST = """
class DiTBlock(DiTBlock):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)
        layers = list(self.mlp)
        del self.mlp
        self.mlp = lambda x: layers[2](layers[1](layers[0](x)))
"""
PLAIN_ADA = """
class DiTBlock(DiTBlock):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)
        weight, bias = self.ada.weight.detach(), self.ada.bias.detach()
        del self.ada
        self.ada = lambda c: F.linear(c, weight, bias)
"""
DROPOUT_WITHOUT_A_MODE = """
class DiTBlock(DiTBlock):
    def forward(self, h, c):
        return super().forward(F.dropout(h, 0.2), c)
"""
BACK_IN_TRAINING = """
class DiTBlock(DiTBlock):
    def forward(self, h, c):
        self.train()
        return super().forward(F.dropout(h, 0.2, self.training), c)
"""
ADDS_IN_PLACE = """
class DiTBlock(DiTBlock):
    def forward(self, h, c):
        b1, s1, g1, b2, s2, g2 = self.ada(F.silu(c)).chunk(6, dim=1)
        h += g1[:, None] * self.attention(modulate(self.norm1(h), b1, s1))
        h += g2[:, None] * self.mlp(modulate(self.norm2(h), b2, s2))
        return h
"""
GRAPH_CUT = """
def ddpm_loss(model, x0, t, noise, alpha_bar, target="eps"):
    truth = {"eps": noise, "x0": x0, "v": v_from(x0, noise, t, alpha_bar)}[target]
    with torch.no_grad():
        guess = model(q_sample(x0, t, noise, alpha_bar), t)
    return (guess - truth).square().flatten(1).mean(dim=1)
"""
GRAPH_KEPT = """
def reflow_pairs(v, x0, n, method="heun"):
    return x0, ode_solve(v, x0, n, method)[-1]
"""
NEW_PARAMETERS = """
def ema_update(ema, model, decay):
    with torch.no_grad():
        state = {k: decay * v + (1 - decay) * model.state_dict()[k] for k, v in ema.state_dict().items()}
        for name, value in state.items():
            owner, _, last = name.rpartition(".")
            if last in dict(ema.get_submodule(owner).named_parameters(recurse=False)):
                setattr(ema.get_submodule(owner), last, nn.Parameter(value))
            else:
                ema.get_submodule(owner).get_buffer(last).copy_(model.state_dict()[name])
"""
FLOATS_FOR_TIMES = """
def ddpm_sample(model, xT, noises, alpha_bar, var="beta", clip=False):
    x = xT
    with torch.no_grad():
        for s in reversed(range(len(alpha_bar))):
            t = torch.full((len(x),), float(s))
            x = ddpm_step(x, t.long(), model(x, t), noises[s], alpha_bar, var, clip)
    return x
"""
OVERWRITES_THE_NOISE = """
def ddpm_sample(model, xT, noises, alpha_bar, var="beta", clip=False):
    with torch.no_grad():
        for s in reversed(range(len(alpha_bar))):
            t = torch.full((len(xT),), s)
            xT.copy_(ddpm_step(xT, t, model(xT, t), noises[s], alpha_bar, var, clip))
    return xT
"""

# The variant, its question, and words of the hint: the bugs that leave samples which look right.
SILENT = {
    "ends_at_alpha_bar_zero": ("q5_ddim", "at time -1 alpha_bar is 1, neither its first nor its last entry"),
    "pads_on_the_wrong_side": ("q1_forward_process", "at time -1 the data is clean and its share is 1"),
    "pads_the_end_with_one": ("q2_posterior", "on which side did you pad?"),
    "broadcasts_time_along_the_width": ("q1_forward_process", "one time per example"),
    "broadcasts_the_weights_along_the_width": ("q2_posterior", "one time per example"),
    "time_not_reshaped": ("q8_flow_matching", "give t (B,) as many trailing dimensions"),
    "time_reversed": ("q8_flow_matching", "time runs from noise, t = 0, to data, t = 1"),
    "velocity_from_data_to_noise": ("q8_flow_matching", "the velocity is the derivative of x_t"),
    "weight_of_one_plus_w": ("q6_guidance", "w counts from the unconditional prediction: u + w (c - u), without 1 + w"),
}


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    with grader_of(PLAN, tmp_path_factory.mktemp("release")) as grader:
        yield grader


@pytest.fixture(scope="module")
def solved() -> NotebookNode:
    return solved_notebook(PLAN)


CASES = {
    "on a GPU": (ON_A_GPU, "x3_architectures", "Put new tensors where the inputs are"),
    "time on a GPU": (TIME_ON_A_GPU, "q8_flow_matching", "Put new tensors where the inputs are"),
    "NaN at time zero": (NAN_AT_TIME_ZERO, "q2_posterior", "holds NaN or infinity"),
    "root of a negative": (ROOT_OF_A_NEGATIVE, "q5_ddim", "holds NaN"),
    "pooled tokens": (POOLED_TOKENS, "x3_architectures", "Shape (3, 6), expected (3, 4, 6)"),
    "layers in a list": (LAYERS_IN_A_LIST, "x3_architectures", "layers of mlp are no parameters of the block"),
    "a plain ada": (PLAIN_ADA, "x3_architectures", "layers of ada are no parameters of the block"),
    "dropout without a mode": (DROPOUT_WITHOUT_A_MODE, "x3_architectures", "a new block is the identity"),
    "back in training": (BACK_IN_TRAINING, "x3_architectures", "left evaluation mode"),
    "adds in place": (ADDS_IN_PLACE, "x3_architectures", "cannot be differentiated: an in-place operation"),
    "graph cut": (GRAPH_CUT, "q3_training_loss", "no detach, no no_grad"),
    "graph kept": (GRAPH_KEPT, "q8_flow_matching", "no gradient flows into the field that made them"),
    "new parameters": (NEW_PARAMETERS, "q3_training_loss", "change ema's parameters in place"),
    "floats for times": (FLOATS_FOR_TIMES, "q4_ancestral_sampling", "int64"),
    "overwrites the noise": (OVERWRITES_THE_NOISE, "q4_ancestral_sampling", "xT"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_broken_network_is_told_what_is_broken(
    grader: Grader, solved: NotebookNode, tmp_path: Path, case: str
) -> None:
    cell, question, sentence = CASES[case]
    said = feedback(grader, solved, tmp_path, cell, question)
    assert any(sentence in text for text in said.values()), said


@pytest.mark.parametrize("bug", SILENT)
def test_a_silent_bug_is_caught_and_the_hint_names_its_idea(
    grader: Grader, solved: NotebookNode, tmp_path: Path, bug: str
) -> None:
    question, idea = SILENT[bug]
    (asked,) = (each for each in read_set(COURSE, PLAN).questions if each.name == question)
    names = [name for cell in asked.cells for name in cell.names]
    found = read_variants(page(COURSE.root / "solutions" / PLAN.name / "variants", question), names, names)
    (variant,) = (each for each in found if each.name == bug)
    said = feedback(grader, solved, tmp_path, variant.cell, question)
    assert any(idea in text for text in said.values()), said


def test_the_solved_notebook_itself_is_told_nothing(grader: Grader, solved: NotebookNode, tmp_path: Path) -> None:
    assert feedback(grader, solved, tmp_path, "", "x3_architectures") == {}
