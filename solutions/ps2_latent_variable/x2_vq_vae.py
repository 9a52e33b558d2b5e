# %% [markdown] role="text"
# ## x2. VQ-VAE (10 points)
#
# The latent variables of question 2 are real numbers, and a strong decoder may ignore them. What if the latent variable
# is a *word*? The encoder puts a vector at each place of a small grid, and each vector is replaced by the nearest of
# $K$ code vectors (van den Oord, Vinyals and Kavukcuoglu, *Neural discrete representation learning*, 2017). An image
# becomes a small grid of whole numbers, a text in an alphabet of $K$ letters, and every model of text becomes a model
# of images.
#
# *In this question vectors lie along dimension 1, as convolutions return them: `z` is (B, D, H, W), the codebook
# (K, D).*

# %% [markdown] role="text"
# ### x2a. The nearest code (code, 2 points)
#
# Write `vq_nearest`: for every place the index of the code with the smallest squared distance, and the image of the
# chosen codes. Expand $\lVert z - e_k \rVert^2 = \lVert z \rVert^2 - 2 z^\top e_k + \lVert e_k \rVert^2$: which term
# may be left out, and which may not? (Of equally near codes any will do.) The chosen codes must stay connected to the
# codebook, because x2b differentiates them.


# %% role="answer" part="x2a"
def vq_nearest(z: Tensor, codebook: Tensor) -> tuple[Tensor, Tensor]:
    """Indices (B, H, W) int64 of the codes (K, D) nearest to the vectors of z (B, D, H, W), and the codes, like z."""
    ### BEGIN SOLUTION
    vectors = z.permute(0, 2, 3, 1)  # (B, H, W, D)
    distance = codebook.square().sum(1) - 2 * vectors @ codebook.T  # less |z|^2, which all codes share
    index = distance.argmin(-1)
    return index, codebook[index].permute(0, 3, 1, 2)
    ### END SOLUTION


# %% role="check" part="x2a"
with check("x2a") as c:
    codes = torch.tensor([[0.0, 0.0], [1.0, 1.0], [10.0, 10.0]])
    z = torch.tensor([[[[0.9, 9.0, 0.2]], [[0.8, 7.0, -0.1]]]])  # (1, 2, 1, 3)
    index, z_q = vq_nearest(z, codes)
    c.equal(index.tolist(), [[[1, 2, 0]]], "each place takes the nearest code")
    c.close(z_q, [[[[1.0, 10.0, 0.0]], [[1.0, 10.0, 0.0]]]], "the codes stand where their vectors stood")

# %% [markdown] role="text"
# ### x2b. Gradients where there are none (code, 3 points)
#
# A choice has no gradient. The **straight-through** estimator (Bengio, Léonard and Courville, 2013) pretends that it is
# the identity: forward it gives the code, backward it hands the decoder's gradient to the encoder unchanged. With the
# stop-gradient $\operatorname{sg}$, which is `.detach()`, one line does it.
#
# No gradient reaches the codes that way. Two more terms bring code and encoder together (eq. 3 of the paper),
#
# $$ \underbrace{\lVert \operatorname{sg}[z_e] - z_q \rVert^2}_{\text{codebook: codes follow the encoder}}
# + \beta\, \underbrace{\lVert z_e - \operatorname{sg}[z_q] \rVert^2}_{\text{commitment: the encoder stays near}} . $$
#
# - `straight_through(z_e, z_q)`: the values of `z_q`, the gradient to `z_e`.
# - `vq_losses(z_e, z_q, beta)`: both terms *per example*, (B,) each, summed over all other dimensions, the second one
#   already multiplied by $\beta$.
# - `quantise(z, codebook, beta)`: all together. It returns what the decoder gets, the sum of the two losses (B,), and
#   the indices (B, H, W). In which order do you take the losses and the straight-through step, and what happens
#   otherwise?


# %% role="answer" part="x2b"
def straight_through(z_e: Tensor, z_q: Tensor) -> Tensor:
    """The values of z_q, with gradient one to z_e and none to z_q; all of one shape."""
    ### BEGIN SOLUTION
    return z_e + (z_q - z_e).detach()
    ### END SOLUTION


def vq_losses(z_e: Tensor, z_q: Tensor, beta: float = 0.25) -> tuple[Tensor, Tensor]:
    """Codebook loss (B,) and beta times the commitment loss (B,) of z_e and z_q (B, ...)."""
    ### BEGIN SOLUTION
    codebook = (z_e.detach() - z_q).square().flatten(1).sum(1)
    commitment = (z_e - z_q.detach()).square().flatten(1).sum(1)
    return codebook, beta * commitment
    ### END SOLUTION


def quantise(z: Tensor, codebook: Tensor, beta: float = 0.25) -> tuple[Tensor, Tensor, Tensor]:
    """What the decoder gets, like z (B, D, H, W); the sum of both losses (B,); the indices (B, H, W)."""
    ### BEGIN SOLUTION
    index, z_q = vq_nearest(z, codebook)
    follow, commit = vq_losses(z, z_q, beta)
    return straight_through(z, z_q), follow + commit, index
    ### END SOLUTION


# %% role="check" part="x2b"
with check("x2b") as c:
    z_e = torch.tensor([[1.0, 2.0]], requires_grad=True)
    z_q = torch.tensor([[0.0, 4.0]], requires_grad=True)
    through = straight_through(z_e, z_q)
    c.close(through, [[0.0, 4.0]], "forward: the code")
    c.close(torch.autograd.grad((3 * through).sum(), z_e)[0], [[3.0, 3.0]], "backward: as if it were the identity")
    follow, commit = vq_losses(z_e, z_q, beta=0.5)
    c.close(follow, [5.0], "codebook loss: 1 + 4")
    c.close(commit, [2.5], "commitment: half of it")
    c.close(torch.autograd.grad(follow.sum(), z_q)[0], [[-2.0, 4.0]], "the codebook loss moves the codes")

# %% [markdown] role="text"
# ### x2c. Codes as running means, and how many are in use (code, 2 points)
#
# For fixed assignments the best code is the mean of its vectors, which is one step of k-means. With batches that come
# one after another, keep *running* counts and sums (appendix A.1 of the paper):
#
# $$ N_k \leftarrow \gamma N_k + (1 - \gamma)\, n_k, \qquad m_k \leftarrow \gamma m_k + (1 - \gamma) \sum_{i : k_i = k}
# z_i, \qquad e_k = m_k / N_k , $$
#
# with $n_k$ the number of vectors of this batch that chose $k$. Counts are positive, and $0<\gamma<1$. A code that
# nobody chose keeps its place (why?).
#
# Often many codes are never chosen. The **perplexity** $e^{H}$ of the shares $p_k$ of the codes, $H = -\sum_k p_k \log
# p_k$, says how many are in use: $K$ if all are equally frequent, 1 if there is only one. What is $0 \log 0$ here?


# %% role="answer" part="x2c"
def ema_update(
    counts: Tensor, sums: Tensor, vectors: Tensor, index: Tensor, gamma: float
) -> tuple[Tensor, Tensor, Tensor]:
    """New counts (K,), sums (K, D) and codebook (K, D), from vectors (M, D) and their codes index (M,)."""
    ### BEGIN SOLUTION
    chosen = F.one_hot(index, len(counts)).to(vectors.dtype)  # (M, K)
    counts = gamma * counts + (1 - gamma) * chosen.sum(0)
    sums = gamma * sums + (1 - gamma) * chosen.T @ vectors
    return counts, sums, sums / counts[:, None]
    ### END SOLUTION


def code_perplexity(index: Tensor, K: int) -> Tensor:
    """The exponential of the entropy of the codes' shares among index (any shape, int64), a scalar."""
    ### BEGIN SOLUTION
    shares = torch.bincount(index.flatten(), minlength=K) / index.numel()
    return torch.special.entr(shares).sum().exp()
    ### END SOLUTION


# %% role="check" part="x2c"
with check("x2c") as c:
    vectors = torch.tensor([[2.0], [4.0], [6.0]])
    counts, sums, codes = ema_update(torch.ones(2), torch.zeros(2, 1), vectors, torch.tensor([0, 0, 0]), 0.5)
    c.close(counts, [2.0, 0.5], "the first code gains, the second fades")
    c.close(sums, [[6.0], [0.0]], "half of 0, and half of 2 + 4 + 6")
    c.close(codes, [[3.0], [0.0]], "the quotient")
    c.close(code_perplexity(torch.tensor([[0, 1], [2, 3]]), 4), 4.0, "four codes, equally frequent")
    c.close(code_perplexity(torch.tensor([1, 1, 1]), 4), 1.0, "one code only")

# %% [markdown] role="text"
# ### Look: digits in an alphabet of 32 letters
#
# Two strided convolutions turn a digit into 7 x 7 vectors, each becomes one of 32 codes, and a mirrored network gives
# the logits of the pixels. A digit is thus a text of 49 letters of 5 bits, 245 bits in place of 784.
#
# > **Time.** `QUICK` (200 steps): 5 s on one core of a busy AMD EPYC (measured). Full (4,000 steps): about 2 minutes
# > there, half a minute on a T4 (estimates). Memory: under 1 GB.


# %% role="given"
class DigitVQ(nn.Module):
    """A small VQ-VAE for binarised digits (B, 784)."""

    def __init__(self, K: int = 32, D: int = 8, width: int = 32) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1), nn.ReLU(), nn.Conv2d(width, width, 4, 2, 1), nn.ReLU(), nn.Conv2d(width, D, 1)
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(D, width, 3, 1, 1), nn.ReLU(), nn.ConvTranspose2d(width, width, 4, 2, 1), nn.ReLU(),
            nn.ConvTranspose2d(width, 1, 4, 2, 1),
        )  # fmt: skip
        self.codebook = nn.Parameter(0.3 * torch.randn(K, D))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (B, 784), the losses of the codes (B,) and the indices (B, 7, 7)."""
        z_q, loss, index = quantise(self.encoder(x.reshape(-1, 1, 28, 28)), self.codebook)
        return self.decoder(z_q).flatten(1), loss, index


# %% role="run"
with experiment("digits in 49 letters", smaller="32 digits in a batch"):
    torch.manual_seed(0)
    vq = DigitVQ().to(here.device)
    steps, rate = 200 if QUICK else 4000, 3e-3
    adam = torch.optim.Adam(vq.parameters(), lr=rate)
    training = resumable(
        "checkpoints/vq.safetensors",
        pack(vq=vq, adam=adam),
        made_by=(DigitVQ,),
        settings={"steps": steps, "rate": rate},
    )
    unpack(training.state, vq=vq, adam=adam)
    for step in training.steps(steps, "VQ-VAE"):
        batch = torch.randint(len(B_train), (64,), generator=torch.Generator().manual_seed(step))
        x = B_train[batch].to(here.device)
        logits, code_loss, index = vq(x)
        rec = -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        loss = (code_loss - rec).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        training.state = pack(vq=vq, adam=adam)
        training.log(nats=-rec.mean().item(), codes=code_perplexity(index.cpu(), 32).item())
    with torch.no_grad():
        logits, _, index = vq(B_test[:20].to(here.device))
    figures.curves({"codes in use": training.history["codes"]}, ylabel="perplexity", xlabel="step")
    figures.patches(torch.cat([B_test[:20], logits.sigmoid().cpu()]), "digits, and from their 49 letters", columns=20)
    letters = index.flatten(1).float().cpu()
    figures.patches(letters, "the letters themselves", columns=20)

# %% [markdown] role="text"
# ![What to expect in full mode: a row of digits, and the same rebuilt from 49 letters each](figures/letters.png)
#
# **Look.** Far fewer than 32 codes are in use: a code that nobody chose at first gets no gradient, and no one comes to
# it. What would you do with a dead code, if you were free to put it anywhere? In the third picture, which letter is
# "nothing here", and how often is it used? Perplexity is below 32: by how much could a good code for the letters
# shorten the 245 bits, if letters were independent? They are not: which letters can you guess from their neighbours?
#
# ### x2d. Identity, counting and a critic (written, 3 points)
#
# 1. Write down the gradients that encoder, codebook and decoder get from reconstruction error, codebook loss and
#    commitment loss: a table of nine entries, zero or not. Why is the straight-through gradient wrong in general, and
#    when is it nearly right? What would happen without the commitment term, if codes are learnt more slowly than the
#    encoder? (1 point)
# 2. A VQ-VAE is a variational autoencoder with a posterior that puts all its mass on one code at each place. Give the
#    KL term of its ELBO under a prior that is uniform over the $K$ codes of each of $H \times W$ places. Why does it
#    not appear in the loss, why can the posterior not collapse in the sense of question 2, and what is gained by
#    learning the prior afterwards? (1 point)
# 3. VQ-GAN (Esser, Rombach and Ommer, 2021) adds an adversarial loss for the decoder's images, $L = L_\text{rec} +
#    L_\text{codes} + \lambda L_\text{adv}$, with $\lambda = \lVert \nabla_{w} L_\text{rec} \rVert / (\lVert \nabla_{w}
#    L_\text{adv} \rVert + \delta)$ for the weights $w$ of the decoder's last layer. What does the adversarial term
#    change in the images that a squared error alone would give, and why is $\lambda$ computed from gradients, rather
#    than from the values of the losses? Is $\lambda$ itself differentiated? (1 point)

# %% [markdown] role="written" part="x2d"
# ### BEGIN SOLUTION
# **1.** Reconstruction: decoder yes, encoder yes (through the straight-through step), codebook no. Codebook loss: only
# the codebook. Commitment loss: only the encoder. The true derivative of the chosen code with respect to $z_e$ is zero
# almost everywhere; the estimator replaces it by the identity. It is the decoder's gradient at $z_q$, applied at $z_e$:
# wrong where the two are far apart or the decoder bends in between, nearly right when quantisation error is small.
# Without commitment nothing keeps $z_e$ near its code: the encoder's outputs may grow or wander faster than the codes
# can follow, assignments keep changing and quantisation error grows.
#
# **2.** With $q$ a point mass at each place and $p(k) = 1/K$, $\mathrm{KL}(q \Vert p) = \sum_{\text{places}} \log
# \frac{1}{1/K} = HW \log K$. It is the same for every $x$ and all parameters, so its gradient is zero. Collapse in
# question 2 was the optimiser's choice of making the KL term small by $q(z \mid x) = p(z)$; here $q$ is a point mass by
# construction and nothing is gained by ignoring $x$. (Codes may still die: that is another kind of loss.) The letters
# of real images are neither uniform nor independent: a learnt prior pays $-\log p(k_1, \dots, k_{HW} )$ on average,
# less than $HW \log K$, so both the code length falls and samples from the prior look like digits.
#
# **3.** A squared error is least for the mean of all images that are compatible with the codes, which is blurred where
# the codes leave detail open; the critic makes blurred images recognisable as wrong, so that the decoder draws *some*
# sharp detail. What competes in a step are gradients, not values: a loss may be large with a tiny gradient or the
# reverse, adding a constant to a loss changes nothing, and the scale of a critic's output is arbitrary. With this
# $\lambda$ both push with equal strength on the last layer, through which all their influence on the decoder passes. It
# is a weight, held constant (detached): nothing flows through it. $\delta$ avoids a division by zero.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: which term trains what; identity for a zero derivative, good for small error; what commitment prevents
# - 1 point: the KL is HW log K, a constant; no incentive to ignore x; a learnt prior shortens codes and makes samples
# - 1 point: sharp detail for blurred means; gradients compete, values and scales are arbitrary; lambda is detached
# ### END MARK SCHEME
