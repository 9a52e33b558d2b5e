"""Networks that are broken as networks, each in a solved notebook of problem set 2: the feedback says which way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat import NotebookNode

from autograder.grading import Grader
from tests.broken import feedback, grader_of, solved_notebook, whole

PLAN = whole("ps2")
IN_PLACE = "modified by an inplace operation"
NOT_DIFFERENTIABLE = "cannot be differentiated: an in-place operation"

ON_A_GPU = """
class VAE(VAE):
    def __init__(self, D=784, L=16, hidden=256, logprob=bernoulli_logprob):
        super().__init__(D, L, hidden, logprob)
        self.cuda()
"""
A_DEVICE_BY_NAME = """
class RealNVP(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        base = torch.zeros(len(x), device="cuda")
        return base - 0.5 * (z.square() + math.log(2 * math.pi)).flatten(1).sum(1) + logdet
"""
LOGARITHM_OF_A_MEAN = """
class VAE(VAE):
    def encode(self, x):
        mu, variance = self.encoder(x).chunk(2, dim=1)
        return mu, variance.log()
"""
ROOT_OF_A_LOG_SCALE = """
class AffineCoupling(AffineCoupling):
    def forward(self, x):
        log_scale, shift = self.scale_and_shift(x)
        return x * log_scale.exp() + shift, log_scale.sqrt().flatten(1).sum(1)
"""
ALL_OUTPUTS_TWICE = """
class VAE(VAE):
    def encode(self, x):
        return self.encoder(x), self.encoder(x)
"""
ONE_DENSITY_PER_NUMBER = """
class RealNVP(RealNVP):
    def log_prob(self, x):
        z, logdet = self(x)
        return -0.5 * (z.square() + math.log(2 * math.pi)) + logdet[:, None]
"""
LAYERS_IN_A_LIST = """
class VAE(VAE):
    def __init__(self, D=784, L=16, hidden=256, logprob=bernoulli_logprob):
        super().__init__(D, L, hidden, logprob)
        self.steps = list(self.decoder)
        del self.decoder

    def decode(self, z):
        for step in self.steps:
            z = step(z)
        return z
"""
COUPLINGS_IN_A_LIST = """
class RealNVP(RealNVP):
    def __init__(self, mask, nets):
        nn.Module.__init__(self)
        masks = [mask if k % 2 == 0 else 1 - mask for k in range(len(nets))]
        self.layers = [AffineCoupling(own, net) for own, net in zip(masks, nets, strict=True)]
"""
PLAIN_TENSORS = """
class SNLinear(SNLinear):
    def __init__(self, in_features, out_features):
        nn.Module.__init__(self)
        self.weight = torch.randn(out_features, in_features, requires_grad=True)
        self.bias = torch.zeros(out_features, requires_grad=True)
        _, self.u, self.v = power_iteration(self.weight, torch.randn(out_features), 10)
"""
BACK_IN_TRAINING = """
class VAE(VAE):
    def encode(self, x):
        self.train()
        mu, logvar = self.encoder(F.dropout(x, 0.2, self.training)).chunk(2, dim=1)
        return mu, logvar
"""
DROPOUT_WITHOUT_A_MODE = """
class VAE(VAE):
    def encode(self, x):
        mu, logvar = self.encoder(F.dropout(x, 0.2)).chunk(2, dim=1)
        return mu, logvar
"""
A_LAYER_BACK_IN_TRAINING = """
class SNLinear(SNLinear):
    def forward(self, x):
        self.train()
        return super().forward(x)
"""
SCALE_REUSED = """
class AffineCoupling(AffineCoupling):
    def forward(self, x):
        log_scale, shift = self.scale_and_shift(x)
        scale = log_scale.exp()
        z = x * scale + shift
        return z, scale.log_().flatten(1).sum(1)
"""
VARIANCE_IN_PLACE = """
class VAE(VAE):
    def elbo(self, x, eps, beta=1.0):
        mu, logvar = self.encode(x)
        std = torch.exp(0.5 * logvar)
        rec = self.logprob(x, self.decode(mu + std * eps))
        kl = 0.5 * (mu.square() + std.pow_(2) - logvar - 1).sum(dim=1)
        return rec - beta * kl, rec, kl
"""
BOTH_LOSSES_BEFORE_ANY_STEP = """
def gan_train_step(G, D, opt_G, opt_D, real, z_d, z_g, kind, y=None):
    labels = () if y is None else (y,)
    loss_D = d_loss(D(real, *labels), D(G(z_d, *labels).detach(), *labels), kind)
    loss_G = g_loss(D(G(z_g, *labels), *labels), kind)
    for optimizer, loss in ((opt_D, loss_D), (opt_G, loss_G)):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss_D.detach(), loss_G.detach()
"""


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    with grader_of(PLAN, tmp_path_factory.mktemp("release")) as grader:
        yield grader


@pytest.fixture(scope="module")
def solved() -> NotebookNode:
    return solved_notebook(PLAN)


CASES = {
    "on a GPU": (ON_A_GPU, "q2_vae", "2a.3", "Put new tensors where the inputs are"),
    "a device by name": (A_DEVICE_BY_NAME, "q4_coupling_flows", "4c.2", "Put new tensors where the inputs are"),
    "logarithm of a mean": (LOGARITHM_OF_A_MEAN, "q2_vae", "2a.1", "holds NaN or infinity"),
    "root of a log-scale": (ROOT_OF_A_LOG_SCALE, "q4_coupling_flows", "4b.2", "holds NaN"),
    "all outputs twice": (ALL_OUTPUTS_TWICE, "q2_vae", "2a.1", "Shape (64, 10), expected (64, 5)"),
    "a density per number": (ONE_DENSITY_PER_NUMBER, "q4_coupling_flows", "4c.2", "Shape (3, 3), expected (3,)"),
    "layers in a list": (LAYERS_IN_A_LIST, "q2_vae", "2a.2", "layers behind decode are no parameters of the model"),
    "couplings in a list": (COUPLINGS_IN_A_LIST, "q4_coupling_flows", "4c.5", "must hold the networks of all layers"),
    "plain tensors": (PLAIN_TENSORS, "q7_lipschitz_critics", "7c.1", "must be registered as nn.Parameter"),
    "back in training": (BACK_IN_TRAINING, "q2_vae", "2a.1", "encode left evaluation mode"),
    "dropout without a mode": (DROPOUT_WITHOUT_A_MODE, "q2_vae", "2a.1", "a row depends on itself only"),
    "a layer in training": (A_LAYER_BACK_IN_TRAINING, "q7_lipschitz_critics", "7c.2", "forward left evaluation mode"),
    "scale reused": (SCALE_REUSED, "q4_coupling_flows", "4b.5", NOT_DIFFERENTIABLE),
    "variance in place": (VARIANCE_IN_PLACE, "q2_vae", "2a.6", NOT_DIFFERENTIABLE),
    "both losses first": (BOTH_LOSSES_BEFORE_ANY_STEP, "q6_gan_training", "6a.1", IN_PLACE),
}


@pytest.mark.parametrize("case", CASES)
def test_a_broken_network_is_told_what_is_broken(
    grader: Grader, solved: NotebookNode, tmp_path: Path, case: str
) -> None:
    cell, question, number, sentence = CASES[case]
    assert sentence in feedback(grader, solved, tmp_path, cell, question)[number]


def test_the_solved_notebook_itself_is_told_nothing(grader: Grader, solved: NotebookNode, tmp_path: Path) -> None:
    assert feedback(grader, solved, tmp_path, "", "q2_vae") == {}
