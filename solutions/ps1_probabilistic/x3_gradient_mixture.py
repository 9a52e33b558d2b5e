# %% [markdown] role="text"
# ## x3. The same mixture by gradient descent (6 points)
#
# EM needs an M-step with a closed form. Put a neural network anywhere into the model and there is none; what
# remains is the gradient, and from the second problem set on you will use nothing else. So it is worth seeing once,
# on a model where both work, what is lost and what is gained.
#
# Gradient descent changes every parameter freely, but weights must be positive and sum to one, and covariances must
# be positive definite. The way out is the one of every later model: **choose coordinates in which everything is
# allowed.**

# %% [markdown] role="text"
# ### x3a. Unconstrained parameters (code, 1 point)
#
# A mixture of $K$ Gaussians in $D$ dimensions gets three free tensors: `a` (K,), `mus` (K, D) and `R` (K, D, D), with
#
# $$ \log \pi = \operatorname{log\,softmax}(a), \qquad \Sigma_k = L_k L_k^\top, \qquad
# (L_k)_{ij} = \begin{cases} (R_k)_{ij} & i > j, \\ e^{(R_k)_{ii}} & i = j, \\ 0 & i < j. \end{cases} $$
#
# Every lower triangular matrix with a positive diagonal is the Cholesky factor of exactly one covariance, and the
# other way round: nothing is excluded, and nothing is counted twice. The upper triangles of `R` are not used. Gradients
# must pass: x3c descends in `a` and `R`.

# %% role="answer" part="x3a"
def mixture_from_free(a: Tensor, R: Tensor) -> tuple[Tensor, Tensor]:
    """Log-weights log_pi (K,) and Cholesky factors L (K, D, D) from free numbers a (K,) and R (K, D, D)."""
    ### BEGIN SOLUTION
    diagonal = R.diagonal(dim1=-2, dim2=-1).exp()
    return a.log_softmax(0), R.tril(-1) + torch.diag_embed(diagonal)
    ### END SOLUTION


# %% role="check" part="x3a"
with check("x3a") as c:
    free_R = torch.tensor([[[0.0, 9.0], [3.0, math.log(2.0)]]], dtype=torch.float64)
    free_log_pi, free_L = mixture_from_free(torch.tensor([5.0], dtype=torch.float64), free_R)
    c.close(free_log_pi, [0.0], "a single component has weight one, whatever a is")
    c.close(free_L, [[[1.0, 0.0], [3.0, 2.0]]], "exp on the diagonal, R below it, zero above it")

# %% [markdown] role="text"
# ### x3b. Log-likelihood from Cholesky factors (code, 2 points)
#
# With the factor at hand, neither an inverse nor a determinant is needed:
#
# $$ \log N(x \mid \mu, LL^\top)
# = -\tfrac12 \bigl\| L^{-1}(x - \mu) \bigr\|^2 - \sum_i \log L_{ii} - \tfrac D2 \log 2\pi . $$
#
# The norm comes from one triangular solve. Return the log-likelihood of each example under the mixture. Use
# operations that autograd can differentiate, and no loop over examples.


# %% role="answer" part="x3b"
def free_loglik(X: Tensor, a: Tensor, mus: Tensor, R: Tensor) -> Tensor:
    """Log-likelihood (N,) of the rows of X (N, D) under the mixture of free numbers a (K,), mus (K, D), R (K, D, D)."""
    ### BEGIN SOLUTION
    log_pi, L = mixture_from_free(a, R)
    centred = (X - mus[:, None]).mT  # (K, D, N)
    Z = torch.linalg.solve_triangular(L, centred, upper=False)
    log_norm = L.diagonal(dim1=-2, dim2=-1).log().sum(1) + X.shape[1] / 2 * math.log(2 * math.pi)  # (K,)
    log_joint = (log_pi - log_norm)[:, None] - (Z**2).sum(1) / 2  # (K, N)
    return log_joint.logsumexp(0)
    ### END SOLUTION


# %% role="check" part="x3b"
with check("x3b") as c:
    toy_X = torch.tensor([[0.0], [3.0]], dtype=torch.float64)
    toy_mus, toy_R = torch.tensor([[0.0], [3.0]]).double(), torch.tensor([0.0, math.log(2.0)]).double()[:, None, None]
    loglik = free_loglik(toy_X, torch.zeros(2).double(), toy_mus, toy_R)
    c.shape(loglik, (2,), "loglik")
    at_0 = 0.5 * math.exp(0) / math.sqrt(2 * math.pi) + 0.5 * math.exp(-9 / 8) / (2 * math.sqrt(2 * math.pi))
    c.close(loglik[0].exp(), at_0, "half of N(0; 0, 1) and half of N(0; 3, 4)")

# %% [markdown] role="text"
# ### x3c. One step (code, 1 point)
#
# Write one step of plain gradient descent with learning rate `lr` on the **mean negative log-likelihood** of `X`, for
# all three tensors at once. Return new tensors that carry no graph, and leave the arguments as they were.


# %% role="answer" part="x3c"
def gradient_step(X: Tensor, a: Tensor, mus: Tensor, R: Tensor, lr: float) -> tuple[Tensor, Tensor, Tensor]:
    """Free numbers a (K,), mus (K, D), R (K, D, D) after one step of gradient descent on the mean NLL of X (N, D)."""
    ### BEGIN SOLUTION
    free = [t.detach().clone().requires_grad_() for t in (a, mus, R)]
    grads = torch.autograd.grad(-free_loglik(X, *free).mean(), free)
    return tuple((t - lr * grad).detach() for t, grad in zip(free, grads, strict=True))
    ### END SOLUTION


# %% role="check" part="x3c"
with check("x3c") as c:
    one = torch.zeros(1, dtype=torch.float64)
    points = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    new_a, new_mus, new_R = gradient_step(points, one, one[:, None], one[:, None, None], lr=0.1)
    c.close(new_mus, [[0.2]], "the mean of the data is 2; at mean 0 and variance 1 the gradient is their difference")
    c.close(new_R, [[[0.4]]], "for the logarithm of the scale it is the mean square, 5, minus 1")
    c.close(new_a, [0.0], "a single weight has nowhere to go")

# %% [markdown] role="text"
# **A race on image patches.** EM and gradient descent start from the same mixture and see the same patches; each step
# of either one looks at all of them once. Plain descent would need a different learning rate for every direction, so
# the cell uses Adam (Kingma and Ba, 2015), which adapts it for each number, and your `free_loglik`. Adam runs twice:
#
# - on the patches as they are, 63 coefficients whose standard deviations differ by a factor of about 25;
# - on *whitened* patches, $z = L^{-1}(x - \mu)$ with mean and Cholesky factor of all patches. By the affine rule,
#   $\log p(x) = \log p(z) - \log|\det L|$, the numbers remain comparable.
#
# *Time box*, on two CPU cores that other jobs kept busy: with `QUICK`, 2,000 patches, $K = 5$, 60 passes, 20 seconds;
# in full, 6,000 patches, $K = 10$, 150 passes, 2 minutes.
#
# Before you run it: whitening the patches first changes the curve of Adam. Would it change that of EM?

# %% role="run"
with experiment("x3: EM against Adam on image patches"):
    K_race, N_race, steps = (5, 2000, 60) if QUICK else (10, 6000, 150)
    X_race = X_train[:N_race]
    rank = X_race.norm(dim=1).argsort().argsort()  # K groups of equal size, by contrast, as in question 4
    group = torch.nn.functional.one_hot(rank * K_race // N_race, K_race).double()
    start = m_step(X_race, (0.9 * group + 0.1 / K_race).log(), ridge=1e-6)

    def free_from(log_pi: Tensor, mus: Tensor, Sigmas: Tensor) -> list[Tensor]:
        """The free numbers of a mixture, ready for an optimiser."""
        L = torch.linalg.cholesky(Sigmas)
        R = L.tril(-1) + torch.diag_embed(L.diagonal(dim1=-2, dim2=-1).log())
        return [t.clone().requires_grad_() for t in (log_pi, mus, R)]

    def adam(X: Tensor, free: list[Tensor], lr: float) -> Tensor:
        """The mean log-likelihood of X (N, D) before each of the steps."""
        optimizer, trace = torch.optim.Adam(free, lr), []
        for _ in range(steps):
            loss = -free_loglik(X, *free).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            trace.append(-loss.item())
        return torch.tensor(trace)

    log_resp_start = e_step(X_race, *start)[0]
    mean, whiten = X_race.mean(0), torch.linalg.inv(torch.linalg.cholesky(fit_gaussian(X_race)[1]))
    white_start = (start[0], (start[1] - mean) @ whiten.T, whiten @ start[2] @ whiten.T)
    race = {
        "EM": em_fit(X_race, log_resp_start, steps, ridge=1e-6)[1],
        "Adam, patches as they are": adam(X_race, free_from(*start), lr=0.001),
        "Adam, whitened patches": adam((X_race - mean) @ whiten.T, free_from(*white_start), lr=0.02)
        + whiten.diagonal().log().sum(),
    }
    figures.curves(race, xlabel="passes over the patches", ylabel="nats per patch", title=f"one mixture, K = {K_race}")
    for name, trace in race.items():
        print(f"{name:26s} in pass 10: {trace[9]:7.2f}   in pass {steps}: {trace[-1]:7.2f} nats")

# %% [markdown] role="text"
# ![What to expect in full mode: EM is there at once, whitened Adam arrives, plain Adam crawls](figures/race.png)
#
# ### x3d. What EM knows that the gradient does not (written, 2 points)
#
# 1. Let $\ell$ be the mean log-likelihood, $r_{nk}$ the responsibilities, $N_k = \sum_n r_{nk}$, and
#    $\mu_k^{\text{EM}}$ the mean that the next M-step would choose. Show that $\nabla_{\mu_k} \ell =
#    \frac{N_k}{N}\, \Sigma_k^{-1} (\mu_k^{\text{EM}} - \mu_k)$. Which matrix times the gradient is EM's step, and
#    why is there no learning rate to choose?
# 2. Use this to explain the race: why does whitening help Adam, and why would it leave EM's curve exactly as it is
#    (with ridge 0)? Then name two situations in which you would take the gradient all the same.

# %% [markdown] role="written" part="x3d"
# ### BEGIN SOLUTION
# 1. $\nabla_{\mu_k} \log p(x_n) = \frac{\pi_k N(x_n \mid \mu_k, \Sigma_k)}{p(x_n)}\, \nabla_{\mu_k} \log N(x_n \mid
#    \mu_k, \Sigma_k) = r_{nk}\, \Sigma_k^{-1} (x_n - \mu_k)$. The mean over $n$ is $\frac1N \Sigma_k^{-1}
#    \bigl(\sum_n r_{nk} x_n - N_k \mu_k\bigr) = \frac{N_k}{N}\, \Sigma_k^{-1} (\mu_k^{\text{EM}} - \mu_k)$, because
#    $\mu_k^{\text{EM}} = \sum_n r_{nk} x_n / N_k$. So EM's step is the gradient times $\frac{N}{N_k} \Sigma_k$, a
#    positive definite matrix (Xu and Jordan, 1996, show the same for weights and covariances). Its length is fixed
#    because the M-step goes to the *maximum* of the lower bound $\mathcal F(q, \cdot)$; as the bound lies below
#    $\ell$ and touches it, $\ell$ cannot fall.
# 2. The gradient of a component is measured in units of $\Sigma_k^{-1}$: along a coefficient with a small variance
#    it is huge although the way to go is short, and along one with a large variance it is the other way round. A
#    single learning rate has to be small enough for the worst direction. Adam rescales every coordinate by itself,
#    but not their correlations, and its steps have about the length lr in every coordinate, too large where
#    standard deviations are small. Whitening makes all directions alike. EM's preconditioner does this for every
#    component: if $x$ is replaced by $Ax + b$, the responsibilities stay the same, the new means and covariances
#    are $A\mu_k + b$ and $A\Sigma_kA^\top$, and $\ell$ changes by the constant $-\log|\det A|$. The gradient is the
#    choice if there is no closed M-step (a network in the likelihood, as in a VAE), if there are too many data for
#    passes over all of them (mini-batches), if parameters are tied or constrained in unusual ways, or if the
#    likelihood is one term of a larger loss.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the gradient by the responsibilities, summed to the new mean
# - 0.5 points: the preconditioner N / N_k Sigma_k, and the step to the maximum of a bound
# - 0.5 points: one learning rate against many scales; EM does not change under affine maps
# - 0.5 points: two situations, such as no closed M-step and mini-batches
# ### END MARK SCHEME
