# %% [markdown] role="text"
# ## 6. Guidance (8 points)
#
# So far you took what came. Who wants a seven asks a *conditional* model, `model(x, t, y)`, which was trained with
# labels. That works, but its samples are as varied as the data: some sevens look like ones, because some people write
# them so. **Guidance** asks for more, a seven that *nothing else* could be.
#
# The wish has a formula. Take the density of noisy images, and raise the label's probability to a power:
#
# $$ \tilde p_t(x)\;\propto\;p_t(x)\;p_t(y\mid x)^w . $$
#
# For $w=0$ this is the unconditional density, for $w=1$ (by Bayes' rule) the conditional one, and for $w>1$ places
# where the label is in doubt lose more. A sampler needs only the score, where the powers become factors,
#
# $$ \nabla\log\tilde p_t=\nabla\log p_t(x)+w\,\nabla\log p_t(y\mid x) . $$
#
# The first method took $p_t(y\mid x)$ from a classifier for noisy images (Dhariwal and Nichol, *Diffusion models beat
# GANs*, 2021). **Classifier-free** guidance (Ho and Salimans, 2022) gets it from the network itself: by Bayes' rule
# $\nabla\log p_t(y\mid x)=\nabla\log p_t(x\mid y)-\nabla\log p_t(x)$, so that, with the noise predictions $c$ with
# label and $u$ without,
#
# $$ \hat\epsilon=u+w\,(c-u) . $$
#
# Some papers write $1+w$ for our $w$. With their formula and our number, or the other way around, samples are merely
# too strong or too weak, and nothing tells you.
#
# ### 6a. One network for both (code, 2 points)
#
# Where does $u$ come from? Two networks would do, but one is enough: in training, replace the label by a further
# number, `null`, in a share $p$ of the *examples*. Write `drop_labels`. An example with uniform number $u_i<p$ loses
# its label; the others keep theirs. One line.


# %% role="answer" part="6a"
def drop_labels(y: Tensor, null: int, p: float, u: Tensor) -> Tensor:
    """Labels (B,) int64: null where the uniform number u (B,) is below p, else the label of y (B,)."""
    ### BEGIN SOLUTION
    return torch.where(u < p, null, y)
    ### END SOLUTION


# %% role="check" part="6a"
with check("6a") as c:
    kept = drop_labels(torch.tensor([3, 1, 4, 1]), 10, 0.25, torch.tensor([0.9, 0.1, 0.3, 0.24]))
    c.equal(kept.tolist(), [3, 10, 4, 10], "the second and the fourth example lose their labels")
    c.equal(drop_labels(torch.tensor([3, 1]), 10, 0.0, torch.zeros(2)).tolist(), [3, 1], "p = 0 drops nothing")

# %% [markdown] role="text"
# ### 6b. Guided prediction (code, 4 points)
#
# Write `cfg`. The two predictions need one call of the model: a batch of 2B examples, in which `xt` and `t` occur
# twice, once with the labels and once with `null`. A GPU does that in less time than two calls. (Two calls are
# accepted, three are not.)


# %% role="answer" part="6b"
def cfg(model: Callable[..., Tensor], xt: Tensor, t: Tensor, y: Tensor, null: int, w: float) -> Tensor:
    """Guided prediction (B, ...) of model(x, t, y) at xt (B, ...), t (B,), labels y (B,): w = 1 is conditional."""
    ### BEGIN SOLUTION
    labels = torch.cat([y, torch.full_like(y, null)])
    conditional, unconditional = model(torch.cat([xt, xt]), torch.cat([t, t]), labels).chunk(2)
    return unconditional + w * (conditional - unconditional)
    ### END SOLUTION


# %% role="check" part="6b"
with check("6b") as c:
    tells_its_label = lambda x, t, y: y[:, None].to(x) * torch.ones_like(x)  # noqa: E731
    xt, t, y = torch.zeros(2, 3), torch.tensor([5, 7]), torch.tensor([2, 4])
    c.shape(cfg(tells_its_label, xt, t, y, 10, 1.0), (2, 3), "the guided prediction")
    c.close(cfg(tells_its_label, xt, t, y, 10, 1.0)[:, 0], [2.0, 4.0], "w = 1 is the conditional prediction")
    c.close(cfg(tells_its_label, xt, t, y, 10, 0.0)[:, 0], [10.0, 10.0], "w = 0 is the unconditional one")
    c.close(cfg(tells_its_label, xt, t, y, 10, 3.0)[:, 0], [-14.0, -8.0], "w = 3 goes three times as far from null")
    calls = []
    tells_its_time = lambda x, t, y: calls.append(len(y)) or x + t[:, None]  # noqa: E731
    c.close(cfg(tells_its_time, xt, t, y, 10, 5.0)[:, 0], [5.0, 7.0], "x and t stay in their order")
    c.true(calls in ([4], [2, 2]), "one call of the model with all four questions, or two calls")

# %% [markdown] role="text"
# **Look: what guidance does to a density.** The exact model of the pinwheel, 40 steps of DDIM from the same 400 noises,
# asked for one arm. Grey lines are the whole data. In the second row is the density that the formula promises at
# $t=-1$, $p(x)\,p(y\mid x)^w$.

# %% role="run"
with experiment("guidance in the plane"):
    exact = exact_eps(mixture, alpha_bar)
    noises = torch.randn(400, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    asked = torch.full((400,), 1)
    line = torch.linspace(-2.6, 2.6, 160, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=2).reshape(-1, 2)
    log_p, log_joint = mixture.logpdf(grid), mixture.logpdf(grid, y=torch.ones(len(grid), dtype=torch.int64))
    log_joint = log_joint + mixture.log_pi[mixture.owner == 1].logsumexp(0)
    weights = (0.0, 1.0, 2.0, 4.0, 8.0)
    figure, axes = plt.subplots(2, 5, figsize=(14, 5.8), layout="constrained")
    for (above, below), w in zip(axes.T, weights, strict=True):
        guided = lambda x, t, w=w: cfg(exact, x, t, asked, mixture.null, w)  # noqa: E731
        x = ddim_sample(guided, noises, alpha_bar, ddim_timesteps(T, 40))[-1]
        plane(above, mixture)
        above.scatter(*x.T, s=4, color=figures.COLOURS[1], linewidths=0)
        above.set_title(f"w = {w:g}: spread {x.var(dim=0).sum().sqrt():.2f}")
        plane(below, mixture)
        tilted = (log_p + w * (log_joint - log_p)).softmax(0).reshape(160, 160)
        below.pcolormesh(line, line, tilted.sqrt(), cmap="Oranges", shading="nearest")
        mean = (tilted.flatten()[:, None] * grid).sum(0)
        spread = (tilted.flatten() * (grid - mean).square().sum(1)).sum().sqrt()
        below.set_title(f"promised: spread {spread:.2f}")
    figures.show(figure, "With growing w, samples of one arm gather at its outer end, more than the promised density.")

# %% [markdown] role="text"
# **Look.** Which part of the arm is given up first, and why is the label in doubt there *at noisy times*? The promised
# density hardly changes from $w=1$ on, as clean points leave little doubt; the samples go on shrinking. You derive the
# difference in 6c.
#
# **Look: digits.** The provided network, DDIM, and every row starts from the same noises. Extrapolated noise
# predictions may stand for images far out of the range from -1 to 1, so the guess of the clean image is cut to that
# range at each step, by `clipped` of question 5 (Saharia et al., *Imagen*, 2022, section 2.3, explain why guidance
# needs it). Without it, strong guidance ends in black and white.

# %% role="run"
with experiment("guided digits"), torch.no_grad():
    asked = torch.arange(10, device=here.device).repeat_interleave(2)
    noises = torch.randn(20, 1, 28, 28, generator=torch.Generator().manual_seed(1)).to(here.device)
    rows, times = [], ddim_timesteps(T, 10 if QUICK else 20)
    for w in (0.0, 1.0, 2.0, 5.0):
        guided = lambda x, t, w=w: cfg(unet, x, t, asked, unet.null, w)  # noqa: E731
        rows.append(ddim_sample(clipped(guided, alpha_bar), noises, alpha_bar, times)[-1])
    show_digits(torch.cat(rows), "rows: w = 0, 1, 2 and 5; two digits for each label", columns=20)

# %% [markdown] role="text"
# ![What to expect in full mode: any digits in the first row, then the label's, ever bolder](figures/guided.png)
#
# **Look.** In the first row the label is not asked for, and the digits are any digits. Compare the two digits of each
# label down the rows: what do they gain, and in what do they become alike? Which of the rows would you show on a
# poster, and which would you use as training data for somebody else's classifier?
#
# ### 6c. What guidance samples from (written, 2 points)
#
# 1. At one fixed noise level, show that $u+w(c-u)$ is the noise prediction that belongs to
#    $\tilde p_t(x)\propto p_t(x)\,p_t(y\mid x)^w$. Where do you use that the network was trained with dropped labels?
#    What would a network learn for `null` if the labels of a whole *batch* were dropped or kept together, and what if
#    $p=0$, or $p=1$? (1 point)
# 2. Let the data be Gaussian and centred, with variance $a$ given the label and variance $b>a$ without. Use noise that
#    adds up, $x_\sigma=x+\sigma\epsilon$, for which the deterministic sampler follows
#    $\frac{dx}{d\sigma}=-\sigma\,s_\sigma(x)$ with the score $s_\sigma$, from $\sigma$ very large to 0. Show that with
#    the guided score its samples have variance $a^wb^{1-w}$. What variance has $p(x)\,p(y\mid x)^w$? Evaluate both for
#    $a=1$, $b=4$, $w=2$. What does that say about the sentence "guidance samples from $p(x)\,p(y\mid x)^w$", and where
#    does its derivation fail? (1 point)

# %% [markdown] role="written" part="6c"
# ### BEGIN SOLUTION
# **1.** The noise prediction and the score at one level differ by a factor, $\hat\epsilon=-b_t\nabla\log p_t$ with
# $b_t=\sqrt{1-\bar\alpha_t}$ (question 2). So $u+w(c-u)=-b_t\big(\nabla\log p_t(x)+w[\nabla\log p_t(x\mid y)-
# \nabla\log p_t(x)]\big)$. By Bayes' rule $\log p_t(x\mid y)=\log p_t(y\mid x)+\log p_t(x)-\log p(y)$, and $\log p(y)$
# does not depend on $x$, so the bracket is $\nabla\log p_t(y\mid x)$, and the whole is $-b_t\nabla\log\tilde p_t(x)$;
# the normaliser of $\tilde p_t$ has no gradient either. Dropped labels make `null` a label that says nothing: examples
# with `null` are a random draw from all data, so the best prediction for it is $\mathbb E[\epsilon\mid x_t]$, the
# unconditional one. If whole batches are dropped or kept, the expected loss is the same, and so is the optimum; but a
# gradient step then sees only one of the two tasks, the variance of the gradient is larger, and the two tasks pull in
# turn. With $p=0$ the embedding of `null` is never trained, and $u$ is arbitrary; with $p=1$ the
# embeddings of the labels are never trained, and $c$ is arbitrary.
#
# **2.** Given the label, $x_\sigma\sim\mathcal N(0,a+\sigma^2)$, with score $-x/(a+\sigma^2)$; without,
# $-x/(b+\sigma^2)$. The guided equation is
#
# $$ \frac{dx}{d\sigma}=\sigma x\Big(\frac w{a+\sigma^2}+\frac{1-w}{b+\sigma^2}\Big),\qquad\text{so}\quad
# x(\sigma)=\text{const}\cdot(a+\sigma^2)^{w/2}\,(b+\sigma^2)^{(1-w)/2}. $$
#
# For large $\sigma$ this is $\text{const}\cdot\sigma$ and must have standard deviation $\sigma$, so the constant is a
# standard normal number $z$, and $x(0)=z\,a^{w/2}b^{(1-w)/2}$: variance $a^wb^{1-w}$, a *geometric* mean. The density
# $p(x)^{1-w}p(x\mid y)^w$ has the exponent $-\frac{x^2}2\big(\frac wa+\frac{1-w}b\big)$, hence the variance
# $\big(\frac wa+\frac{1-w}b\big)^{-1}$, a *harmonic* mean. For the numbers: $1\cdot4^{-1}=0.25$ against $1/(2-0.25)=4/7
# \approx0.57$. The sentence is false: the samples are more concentrated. At every level the score is that of
# $\tilde p_\sigma$, tilted *after* the noise; a sampler for the tilted data would need the score of the tilted data
# *with noise added*. The two operations do not commute: the family $\tilde p_\sigma$ does not solve the diffusion's
# equation, so that particles spread as $\tilde p_\sigma$ at one level are not spread as $\tilde p_{\sigma'}$ at the
# next.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: Bayes' rule for the gradients and the factor between score and noise; constants drop out
# - 0.5 points: null stands for all data because dropping is random per example; p = 0 and p = 1 leave u or c untrained
# - 0.5 points: solves the guided equation and finds the variance of its samples
# - 0.5 points: the variance of the tilted density, both numbers, and that tilting and adding noise do not commute
# ### END MARK SCHEME
