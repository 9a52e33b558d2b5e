# %% [markdown] role="text"
# ## 5. What a discriminator knows (14 points)
#
# An autoencoder bounds $\log p(x)$, a flow computes it. A **generative adversarial network** (Goodfellow et al.,
# *Generative adversarial nets*, NeurIPS 2014) has no $\log p(x)$ at all. A generator $G$ turns noise $z$ into an image,
# and that is the whole model: the distribution $q$ of $G(z)$ can be sampled and nothing else. How do you fit a model
# whose likelihood you cannot write down?
#
# By a two-sample test that learns. A second network, the **discriminator** $D$, sees images, some real and some from
# $G$, and gives each of them a number, the **logit** $a = D(x)$; $\sigma(a) = 1/(1+e^{-a})$ is its probability that
# $x$ is real. It is trained to be right. The generator is trained to make it wrong:
#
# $$
# \min_G \max_D \; V(D, G) = \mathbb E_{x\sim p}\big[\log \sigma(D(x))\big]
#     + \mathbb E_{z}\big[\log\big(1 - \sigma(D(G(z)))\big)\big]
# \qquad\text{(Goodfellow et al., eq. 1).}
# $$
#
# You show in 5c what this game computes: a good discriminator's logit is the **log-density ratio** $\log p(x)/q(x)$,
# and its success is a divergence between $p$ and $q$. Neither density was ever written down.
#
# In practice the game is played with other payoffs, too. Each is a pair of losses, one for each player, that both
# *minimise*. Averages are over the batch; $r$ are the logits of real examples, $f$ those of fakes:
#
# | `kind` | the discriminator minimises | the generator minimises |
# | --- | --- | --- |
# | `"minimax"` | $-\overline{\log\sigma(r)} - \overline{\log(1-\sigma(f))}$ | $\overline{\log(1-\sigma(f))}$ |
# | `"non_saturating"` | the same | $-\overline{\log\sigma(f)}$ |
# | `"least_squares"` | $\tfrac12\overline{(r-1)^2} + \tfrac12\overline{f^2}$ | $\tfrac12\overline{(f-1)^2}$ |
# | `"wasserstein"` | $\overline{f} - \overline{r}$ | $-\overline{f}$ |
# | `"hinge"` | $\overline{\max(0, 1-r)} + \overline{\max(0, 1+f)}$ | $-\overline{f}$ |
#
# Least squares is Mao et al. (ICCV 2017, eq. 2, with their labels $a=0$, $b=c=1$), Wasserstein is Arjovsky, Chintala
# and Bottou (ICML 2017), and the hinge is what spectrally normalised GANs and BigGAN use (Miyato et al., ICLR 2018, eq.
# 16 and 17). For the last three the "logit" is any real number, called a *critic's score*: no sigmoid is applied.

# %% [markdown] role="text"
# ### 5a. The discriminator's loss (code, 4 points)
#
# Write `d_loss` for the five kinds. Three things decide whether it trains:
#
# * **Never form the probability.** A good discriminator has logits like $-200$, and early in training they are often on
#   the wrong side. Then $\sigma(a)$ rounds to 0 or 1 and $\log 0 = -\infty$. With $\operatorname{softplus}(t) =
#   \log(1+e^t)$, which `F.softplus` computes safely, $-\log\sigma(a) = \operatorname{softplus}(-a)$ and
#   $-\log(1-\sigma(a)) = \operatorname{softplus}(a)$. (`F.binary_cross_entropy_with_logits` is the same thing.)
# * **Two averages.** Real and fake batches may differ in size, and each expectation has its own mean.
# * **Any shape.** A discriminator may return (B,), (B, 1), or a map of logits (B, 1, H, W). All of them count alike;
#   the loss is a scalar, a tensor without dimensions.


# %% role="answer" part="5a"
def d_loss(real_logits: Tensor, fake_logits: Tensor, kind: str) -> Tensor:
    """What the discriminator minimises, a scalar; the logits of real and of fake examples have any shapes."""
    ### BEGIN SOLUTION
    losses = {
        "minimax": lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(),
        "non_saturating": lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(),
        "least_squares": lambda r, f: 0.5 * (r - 1).square().mean() + 0.5 * f.square().mean(),
        "wasserstein": lambda r, f: f.mean() - r.mean(),
        "hinge": lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(),
    }
    return losses[kind](real_logits, fake_logits)
    ### END SOLUTION


# %% role="check" part="5a"
with check("5a") as c:
    real = torch.tensor([0.0, 2.0], dtype=torch.float64)
    fake = torch.tensor([[0.0], [-3.0], [3.0]], dtype=torch.float64)
    c.shape(d_loss(real, fake, "minimax"), (), "the loss")
    undecided = torch.zeros(4, dtype=torch.float64)
    for kind in ("minimax", "non_saturating"):
        c.close(d_loss(undecided, undecided[:3], kind), 2 * math.log(2), f"{kind}: without an opinion, 2 ln 2")
    c.close(d_loss(real, fake, "least_squares"), 0.5 + 3.0, "least squares: (1 + 1) / 4 and (0 + 9 + 9) / 6")
    c.close(d_loss(real, fake, "wasserstein"), -1.0, "Wasserstein: mean of the fakes minus mean of the real")
    c.close(d_loss(real, fake + 1, "hinge"), 0.5 + 7 / 3, "hinge: (1 + 0) / 2 and (2 + 0 + 5) / 3")
    sure = torch.full((2,), 90.0)
    c.close(d_loss(-sure, sure, "minimax"), 180.0, "surely wrong on both: 90 nats each, in float32")

# %% [markdown] role="text"
# ### 5b. The generator's loss (code, 4 points)
#
# Write `g_loss`, the third column of the table. The generator sees only the logits of its fakes. The rules of 5a hold.
# Watch the sign of `"minimax"`: the generator *minimises* $\log(1-\sigma(f))$, which is negative and unbounded below.


# %% role="answer" part="5b"
def g_loss(fake_logits: Tensor, kind: str) -> Tensor:
    """What the generator minimises, a scalar; the logits of its fakes have any shape."""
    ### BEGIN SOLUTION
    losses = {
        "minimax": lambda f: -F.softplus(f).mean(),
        "non_saturating": lambda f: F.softplus(-f).mean(),
        "least_squares": lambda f: 0.5 * (f - 1).square().mean(),
        "wasserstein": lambda f: -f.mean(),
        "hinge": lambda f: -f.mean(),
    }
    return losses[kind](fake_logits)
    ### END SOLUTION


# %% role="check" part="5b"
with check("5b") as c:
    fake = torch.tensor([[0.0], [-3.0], [3.0]], dtype=torch.float64)
    c.shape(g_loss(fake, "hinge"), (), "the loss")
    c.close(g_loss(0 * fake, "minimax"), -math.log(2), "minimax: log 1/2 when the discriminator cannot tell")
    c.close(g_loss(0 * fake, "non_saturating"), math.log(2), "non-saturating: its negative there")
    c.close(g_loss(fake, "least_squares"), 0.5 * (1 + 16 + 4) / 3, "least squares: distances to 1")
    for kind in ("wasserstein", "hinge"):
        c.close(g_loss(fake + 1, kind), -1.0, f"{kind}: minus the mean score")
    for kind in ("minimax", "non_saturating", "wasserstein", "hinge"):
        c.true(g_loss(fake + 0.1, kind) < g_loss(fake, kind), f"{kind}: looking more real is better")
    far = torch.full((2, 3), 300.0)
    c.close(g_loss(-far, "non_saturating"), 300.0, "non-saturating: a logit of -300 costs 300 nats, in float32")
    c.close(g_loss(far, "minimax"), -300.0, "minimax: a logit of 300 gains 300 nats")

# %% [markdown] role="text"
# ### Look: five games, seen from the generator
#
# On the left the loss of a single fake as its logit goes from "surely fake" to "surely real", on the right the
# *negative slope*: how strongly the generator is pushed towards larger logits. At the beginning of training
# all fakes are far on the left. There are four curves: the hinge equals Wasserstein here.

# %% role="run"
with experiment("the generator's losses and their slopes"):
    logits = torch.linspace(-6, 6, 241, dtype=torch.float64, requires_grad=True)
    fig, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    kinds = ("minimax", "non_saturating", "least_squares", "wasserstein")
    for kind, dash in zip(kinds, figures.DASHES, strict=True):
        losses = torch.stack([g_loss(a[None], kind) for a in logits])
        slopes = torch.autograd.grad(losses.sum(), logits)[0]
        axes[0].plot(logits.detach(), losses.detach(), dash, label=kind)
        axes[1].plot(logits.detach(), -slopes, dash, label=kind)
    axes[0].set(ylim=(-6.5, 8), xlabel="logit of a fake", ylabel="the generator's loss")
    axes[1].set(ylim=(-1, 3), xlabel="logit of a fake", ylabel="push: minus the slope")
    axes[0].legend()
    figures.show(fig, "Minimax is flat for surely fake logits, non-saturating for surely real ones.")

# %% [markdown] role="text"
# **Look.** Which curve pushes hardest when the discriminator has won, and which one hardly pushes at all? Least squares
# pushes a fake with logit 4 *back*. Towards what, and could that be useful?
#
# ### Look: a discriminator recovers a density ratio
#
# The densities below are known to us, not to the discriminator: it sees 20,000 samples of each, sorted into 60 bins,
# and has one free logit per bin. The first and the last bin are open: they hold all that lies beyond. Gradient descent
# on your `d_loss` fits the 60 numbers. The dashed line is $\log p(x)/q(x)$.

# %% role="run"
with experiment("a table for a discriminator"):
    generator = torch.Generator().manual_seed(0)
    p = torch.distributions.Normal(torch.tensor(0.0, dtype=torch.float64), 1.0)
    q = torch.distributions.Normal(torch.tensor(1.0, dtype=torch.float64), 1.5)
    noise = torch.randn(2, 20_000, generator=generator, dtype=torch.float64)
    edges = torch.linspace(-2.5, 3.5, 61, dtype=torch.float64)
    bins = [torch.bucketize(x, edges[1:-1]) for x in (noise[0], 1 + 1.5 * noise[1])]
    table = torch.zeros(60, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([table], lr=0.1)
    for _ in range(80):
        optimizer.zero_grad()
        loss = d_loss(table[bins[0]], table[bins[1]], "minimax")
        loss.backward()
        optimizer.step()
    middle = (edges[1:] + edges[:-1]) / 2
    fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    ax.plot(middle, table.detach(), "o", label="fitted logit")
    ax.plot(middle, p.log_prob(middle) - q.log_prob(middle), "--", label="log p(x) / q(x)")
    ax.set(xlabel="x", ylabel="logit", title=f"the discriminator's loss: {loss:.3f} (2 ln 2 is {2 * math.log(2):.3f})")
    ax.legend()
    figures.show(
        fig, "The logits lie on the log-density ratio, up to noise where samples are rare, and but for the open bins."
    )

# %% [markdown] role="text"
# **Look.** The dots scatter most at the ends. Who is rare there, and why does that matter for a generator that only
# learns through $D$? By how much is the loss below $2\ln 2$, and what is that number (5c)?
#
# ### Look: a discriminator that is too good
#
# The data are $p=\mathcal N(0,1)$, the generator is $G(z)=\theta+z$, and the discriminator is *perfect*: its logit is
# $\log p(x)/q(x)=\tfrac12\theta^2-\theta x$. How strongly is $\theta$ pulled to 0, for a generator that is $\theta$
# away? The expectation over $z$ is a sum over 4001 points, so that there is no noise in the picture.

# %% role="run"
with experiment("how a perfect discriminator pulls"):
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    weight = torch.distributions.Normal(torch.tensor(0.0, dtype=torch.float64), 1.0).log_prob(z).exp() * (z[1] - z[0])
    distances = torch.linspace(0.25, 8, 32, dtype=torch.float64)
    pulls: dict[str, list[float]] = {"minimax": [], "non_saturating": []}
    for theta in distances:
        a = (theta**2 / 2 - theta * (theta + z)).requires_grad_()  # perfect logits of the fakes theta + z
        for kind, pull in pulls.items():
            slope = len(a) * torch.autograd.grad(g_loss(a, kind), a)[0]  # of each logit's own loss
            pull.append(float((weight * slope * -theta).sum()))  # dx/dtheta = 1, da/dx = -theta
    fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    for (kind, pull), dash in zip(pulls.items(), figures.DASHES, strict=False):
        ax.semilogy(distances, pull, dash, label=kind)
    ax.set(xlabel="distance of the generator from the data", ylabel="derivative of its loss", ylim=(1e-4, 20))
    ax.legend()
    figures.show(fig, "The minimax pull rises, then falls faster than exponentially; the other one grows linearly.")

# %% [markdown] role="text"
# **Look.** At which distance is the minimax generator pulled most? A gradient that says "you are a little off" loudly
# and "you are far off" in a whisper trains backwards. You explain both curves in 5d.
#
# ### 5c. The optimal discriminator (written, 3 points)
#
# Let $p$ be the density of the data and $q$ that of $G(z)$, in 1 and 2 both positive everywhere.
#
# 1. Let $D$ be free to take any value at any $x$. Show that $V(D,G)$ is largest for $D^\star(x)=\log p(x)/q(x)$, and
#    that it is a maximum. (1 point)
# 2. Show that $V(D^\star,G) = -2\ln 2 + 2\,\mathrm{JSD}(p\,\|\,q)$ with $\mathrm{JSD}(p\,\|\,q)=\frac12\mathrm{KL}(p\,
#    \|\,m)+\frac12\mathrm{KL}(q\,\|\,m)$ and $m=\frac12(p+q)$. For which $q$ is it smallest? (1 point)
# 3. Do 1 and the value in 2 again for the hinge: show that $D^\star=\operatorname{sign}(p-q)$ and that the
#    discriminator's loss is then $2-2\,\mathrm{TV}(p,q)$, with $\mathrm{TV}=\frac12\int|p-q|$. What do this loss and
#    the one in 2 become when $p$ and $q$ do not overlap, and what does that say about learning from them? (1 point)

# %% [markdown] role="written" part="5c"
# ### BEGIN SOLUTION
# **1.** $V=\int p(x)\log\sigma(D(x))+q(x)\log(1-\sigma(D(x)))\,dx$, so each $x$ can be treated alone. With $a=D(x)$,
# $\frac{d}{da}\log\sigma(a)=1-\sigma(a)$ and $\frac{d}{da}\log(1-\sigma(a))=-\sigma(a)$, hence the derivative of the
# integrand is $p\,(1-\sigma(a))-q\,\sigma(a)=p-(p+q)\,\sigma(a)$. It vanishes for $\sigma(a)=\frac{p}{p+q}$, that is
# $a=\log\frac pq$. Its derivative $-(p+q)\,\sigma(a)(1-\sigma(a))$ is negative everywhere: the integrand is concave
# in $a$, and this is its only maximum.
#
# **2.** Insert $\sigma(D^\star)=\frac{p}{p+q}=\frac{p}{2m}$ and $1-\sigma(D^\star)=\frac{q}{2m}$:
#
# $$V(D^\star,G)=\int p\log\frac{p}{2m}+q\log\frac{q}{2m}\,dx
# =-2\ln2+\mathrm{KL}(p\,\|\,m)+\mathrm{KL}(q\,\|\,m)=-2\ln2+2\,\mathrm{JSD}(p\,\|\,q).$$
#
# Both divergences are at least 0, and both are 0 only if $p=m=q$. The smallest value is $-2\ln2$, at $q=p$ alone.
#
# **3.** At one $x$ the loss is $h(a)=p\max(0,1-a)+q\max(0,1+a)$. It decreases up to $a=-1$ (slope $-p$) and
# increases from $a=1$ (slope $q$), so the minimum lies in $[-1,1]$, where $h(a)=p+q-(p-q)\,a$ is linear: it is at
# $a=\operatorname{sign}(p-q)$ (anywhere in between if $p=q$), with the value $p+q-|p-q|$. The integral is
# $2-\int|p-q|=2-2\,\mathrm{TV}(p,q)$.
#
# Without overlap $\mathrm{JSD}=\ln2$ and $\mathrm{TV}=1$, so both losses are 0, *however far apart* $p$ and $q$ are.
# Moving $q$ changes nothing as long as they do not touch: with an optimal discriminator, neither number tells
# the generator which way to go.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: maximises pointwise, finds sigma(D) = p / (p + q) or D = log p / q, with a reason why it is a maximum
# - 1 point: inserts it, gets -2 ln 2 + 2 JSD with the factors of m right, and concludes q = p from KL >= 0
# - 1 point: the hinge's minimiser and 2 - 2 TV; both are constant for disjoint supports, hence no direction to learn
# ### END MARK SCHEME

# %% [markdown] role="text"
# ### 5d. Saturation, and what the heuristic really minimises (written, 3 points)
#
# 1. Compute the derivative of both generator losses, `"minimax"` and `"non_saturating"`, with respect to the logit $f$
#    of one fake. What happens to each as $f\to-\infty$? Explain the two curves of the last figure for large $\theta$.
#    (1 point)
# 2. Let the discriminator be optimal for the current generator $q_{\theta_0}$ and then held fixed. Show that
#    $$\nabla_\theta\,\mathbb E_{x\sim q_\theta}\big[-\log\sigma(D^\star(x))\big]\Big|_{\theta_0}
#    = \nabla_\theta\big[\mathrm{KL}(q_\theta\,\|\,p) - 2\,\mathrm{JSD}(p\,\|\,q_\theta)\big]\Big|_{\theta_0}$$
#    (Arjovsky and Bottou, ICLR 2017, theorem 2.5). *Hint:* $-\log\sigma(a)=-a-\log(1-\sigma(a))$. (1 point)
# 3. Read the result: what does each of the two terms prefer, and which well-known failure of GANs does it lead you to
#    expect? (1 point)

# %% [markdown] role="written" part="5d"
# ### BEGIN SOLUTION
# **1.** $\frac{d}{df}\log(1-\sigma(f))=-\sigma(f)$, which vanishes like $e^{f}$ as $f\to-\infty$;
# $\frac{d}{df}\big(-\log\sigma(f)\big)=-(1-\sigma(f))=-\sigma(-f)$, which tends to $-1$. In the figure a fake
# $\theta+z$ has the logit $-\frac12\theta^2-\theta z$, far on the left for large $\theta$, and
# $\left|\frac{df}{dx}\right|=\theta$. So the non-saturating pull approaches $\theta\cdot1$, a straight line, and the
# minimax pull is $\theta\,\mathbb E[\sigma(f)]$. As $\mathbb E[\sigma(f)]=\int\frac{pq}{p+q}\le\frac12\int\sqrt{pq}
# =\frac12e^{-\theta^2/8}$, it dies like a Gaussian.
#
# **2.** With the hint, $-\log\sigma(D^\star)=-D^\star-\log(1-\sigma(D^\star))$ with
# $D^\star=\log\frac{p}{q_{\theta_0}}$ held fixed.
#
# *First term.* $\mathrm{KL}(q_\theta\,\|\,p)=\mathbb E_{q_\theta}\big[\log\frac{q_\theta}{q_{\theta_0}}\big]+\mathbb
# E_{q_\theta}\big[\log\frac{q_{\theta_0}}{p}\big]$. The first summand is $\mathrm{KL}(q_\theta\,\|\,q_{\theta_0})$,
# which is smallest at $\theta_0$ and therefore has gradient 0 there. The second is $\mathbb E_{q_\theta}[-D^\star]$.
# Hence $\nabla\mathbb E_{q_\theta}[-D^\star]=\nabla\mathrm{KL}(q_\theta\,\|\,p)$ at $\theta_0$.
#
# *Second term.* By 5c, $2\,\mathrm{JSD}(p\,\|\,q_\theta)-2\ln2=\max_D V(D,G_\theta)$. Where the maximum is attained,
# $D$'s own change contributes nothing to first order (the envelope theorem), so $\nabla 2\,\mathrm{JSD}=\nabla\mathbb
# E_{q_\theta}[\log(1-\sigma(D^\star))]$ with $D^\star$ fixed. The second term enters with a minus sign: $-2\nabla
# \mathrm{JSD}$. The sum is the claim.
#
# **3.** $\mathrm{KL}(q\,\|\,p)$ punishes samples where the data have no density and does not punish missing parts of
# the data: it seeks modes. The second term, with its *minus* sign, even pushes $q$ away from $p$ in the sense of
# JSD. Nothing here asks the generator to cover all of the data: expect sharp, plausible samples and **mode
# collapse**.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: slopes -sigma(f) and -sigma(-f), their limits 0 and -1, and why one curve dies and the other is linear
# - 1 point: both terms, with the reason why differentiating with D held fixed gives KL and 2 JSD
# - 1 point: reverse KL seeks modes and tolerates missing ones, the JSD has the wrong sign; mode collapse
# ### END MARK SCHEME
