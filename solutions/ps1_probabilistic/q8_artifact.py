# %% [markdown] role="text"
# ## 8. Your mixture (6 points)
#
# A likelihood is an honest judge: a model that wastes probability on patches that do not occur has less left for those
# that do. So the last question has no function to write. Train the best mixture you can, look at what it believes, and
# hand it in. It is judged by the mean log-likelihood of patches from photographs that you do not have, taken by another
# camera than the Berkeley ones.
#
# What you may change: the number of components (50 at most), the number of patches (`data.patches("train", n)` gives
# more), the rounds, the start, the ridge. What you should not do: train on the test patches. They are your only way
# to see whether you are learning photographs or just these 60,000 patches.
#
# | | components, patches, rounds | time on two busy cores of an AMD EPYC | memory (estimate) |
# | --- | --- | --- | --- |
# | QUICK | 8, 10,000, 15 | 3 s | 0.5 GB |
# | full | 40, 60,000, 50 | 2 minutes | 1 GB |
#
# Progress is saved in `checkpoints/`, and a second run goes on where the first stopped.

# %% role="run"
with experiment("your mixture", smaller="K_best = 20"):
    K_best, best_blocks = (8, 3) if QUICK else (40, 10)
    best = resumable(
        f"checkpoints/best_{K_best}.safetensors",
        dict(zip(names, m_step(X_em, groups_by_contrast(X_em, K_best), ridge=1e-6), strict=True)),
        made_by=(gmm_log_joint, e_step, m_step, em_fit),
        settings={"K": K_best, "N": len(X_em)},
    )
    for _ in best.steps(best_blocks, f"EM, K = {K_best}, blocks of 5 rounds"):
        log_resp = e_step(X_em, *(best.state[name] for name in names))[0]
        params, trace = em_fit(X_em, log_resp, 5, ridge=1e-6)
        best.state = dict(zip(names, params, strict=True))
        best.log(train=trace[-1].item(), test=e_step(X_test, *params)[1].mean().item())
    best_mixture = tuple(best.state[name] for name in names)
    nats = {"training patches": best.history["train"], "test patches": best.history["test"]}
    figures.curves(nats, xlabel="block of 5 rounds", ylabel="nats per patch", title=f"EM, K = {K_best}")

# %% [markdown] role="text"
# ![What to expect in full mode: two curves that flatten, three to four nats apart](figures/learning.png)
#
# **Look** at the gap between the two curves. A mixture of 40 has 80,000 free numbers, more than there are patches, and
# yet the test curve never turns down. How much of the gap is overfitting at all? One Gaussian, which cannot overfit
# 60,000 patches, has a gap of about two nats: what else tells the two sets apart? (Train on 2,000 patches, and
# you will see a curve that does turn down.)
#
# Likelihood is one judge, the photograph is another. Do they agree?

# %% role="run"
with experiment("two judges"):
    rungs = {
        "one Gaussian": tuple(part[None] for part in (torch.zeros((), dtype=torch.float64), *fit_gaussian(X_em))),
        f"mixture, K = {len(log_pi)}": (log_pi, mus, Sigmas),
        f"mixture, K = {K_best}": best_mixture,
    }
    likelihood = {name: e_step(X_test, *model)[1].mean().item() for name, model in rungs.items()}
    denoised = {name: figures.psnr(gmm_denoise(Y_test, *model, sigma), X_test) for name, model in rungs.items()}
    figures.ladder(likelihood, xlabel="nats per test patch")
    figures.ladder(denoised, xlabel="PSNR in dB of denoised test patches")

# %% [markdown] role="text"
# On the Berkeley photographs expect 97, 155 and 157 nats, and 25.8, 27.5 and 27.6 dB. **Look:** the step from one
# Gaussian to the mixture is large for both judges, the step from 20 to 40 components is not. Which patches could the
# additional components be for, if they gain nats but hardly any decibels? (At a noise of 25 grey levels, can a denoiser
# tell apart two components whose standard deviations are both below 5 grey levels?)
#
# Finally, what a *generative* model is for: draw a component by its weight, then a patch. Real patches are above, your
# samples in the middle, those of one Gaussian below.

# %% role="run"
with experiment("patches that do not exist"):
    generator = torch.Generator().manual_seed(8)
    best_log_pi, best_mus, best_Sigmas = best_mixture
    drawn = torch.multinomial(best_log_pi.exp(), 48, replacement=True, generator=generator)
    normal_numbers = torch.randn(48, 63, 1, generator=generator, dtype=torch.float64)
    sampled = best_mus[drawn] + (torch.linalg.cholesky(best_Sigmas)[drawn] @ normal_numbers)[..., 0]
    gaussian_mu, gaussian_Sigma = fit_gaussian(X_em)
    blurred = gaussian_mu + normal_numbers[..., 0] @ torch.linalg.cholesky(gaussian_Sigma).T
    figures.patches(torch.cat([X_test[:48], sampled, blurred]) @ basis.T, "real, mixture, one Gaussian", 24, scale=0.5)

# %% [markdown] role="text"
# ![What to expect: flat and striped patches above and in the middle, clouds below](figures/samples.png)
#
# **Look.** Your samples are flat as often as real patches are, and some have stripes. What do real patches have that no
# sample has? (Look for *sharp* edges, and for corners.) No Gaussian, in a mixture or not, can place an edge at a random
# position with all its frequencies in phase. Problem sets 2 and 3 build models that can.
#
# A last surprise, for free: set every off-diagonal element of your 63 x 63 covariances to zero and compute the test
# likelihood again. You lose about one nat. Why are the cosines such a good basis for *every* component, and which file
# format that you use daily lives on this fact?
#
# ### 8a. Hand it in (artifact, 6 points)
#
# The cell saves `ps1_gmm.safetensors` with `log_pi` (K,), `mus` (K, 63) and `Sigmas` (K, 63, 63) in float64 or float32,
# K at most 50, over the coefficients `to_ac` of 8 x 8 patches with grey values in [0, 1].
#
# - 1 point for a valid mixture: weights that sum to one, symmetric covariances with positive eigenvalues, nothing
#   infinite.
# - 2 points when unseen patches are *likely*: far above one Gaussian. Ten contrast levels of one Gaussian get here.
# - 3 points when they are *very likely*: a mixture of 20, trained for 50 rounds on 60,000 Berkeley patches with a ridge
#   of $10^{-6}$, passes with a margin. A larger ridge may not: it blurs the flattest patches, which are many.
#
# Train with `QUICK = False` before you hand in.

# %% role="artifact" part="8a" file="ps1_gmm.safetensors"
with experiment("saving your mixture"):
    save_artifact("ps1_gmm.safetensors", dict(zip(names, best_mixture, strict=True)))
