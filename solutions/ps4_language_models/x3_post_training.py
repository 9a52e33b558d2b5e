# %% [markdown] role="text"
# ## x3. Post-training (8 points)
#
# A model that has read everything continues everything: asked a question, it may well ask three more, as exam papers
# do. Between this and an assistant lie three steps, each with a loss of a few lines: imitate good answers, prefer
# better ones to worse ones, and try, be judged, and do more of what was judged well. The model stays the same, and so
# does your code: here the "answers" are lines of Shakespeare, and the judge has a simple taste.
#
# ### x3a. The answer only (code, 2 points)
#
# **Supervised fine-tuning** is the training of question 5 on pairs of a prompt and an answer, with one change: only the
# answer's tokens count. The prompt is given; nobody wants the model to learn to ask.
#
# Sequences of different lengths share a batch: row $b$ of `idx` holds `prompt[b]` tokens of the prompt, then the
# answer, up to `length[b]` tokens in all, then padding (any tokens). Write
#
# - `sft_labels`: for each position $t$ the token at $t+1$ if that one belongs to the *answer*, else $-100$, which
#   `lm_loss` ignores. Remember what the logits at $t$ are about: the prompt's last position has to say the answer's
#   first token. At the last position nothing follows. (With `prompt[b] = 0` the first token has no label: no logits
#   come before it.)
# - `seq_logprob`: the log-probability of each row's answer in nats, $\log\pi(y\mid x)=\sum_t\log\pi(y_t\mid x,y_{<t})$:
#   the sum over labels that are not $-100$. Not the mean: a sequence is an event, and its probability is a product.


# %% role="answer" part="x3a"
def sft_labels(idx: Tensor, prompt: Tensor, length: Tensor) -> Tensor:
    """Labels (B, T) for logits of idx (B, T): the next token where it is the answer's, else -100.

    The answer of row b stands at positions prompt[b] to length[b] - 1; prompt and length are (B,) int64.
    """
    ### BEGIN SOLUTION
    after = torch.arange(1, idx.shape[1] + 1, device=idx.device)  # the position of the next token
    answer = (after >= prompt[:, None]) & (after < length[:, None])
    return torch.where(answer, idx.roll(-1, dims=1), -100)
    ### END SOLUTION


def seq_logprob(logits: Tensor, labels: Tensor) -> Tensor:
    """Log-probabilities (B,) in nats of the labels (B, T) that are not -100, summed, under logits (B, T, V)."""
    ### BEGIN SOLUTION
    return -F.cross_entropy(logits.mT, labels, ignore_index=-100, reduction="none").sum(dim=1)
    ### END SOLUTION


# %% role="check" part="x3a"
with check("x3a") as c:
    idx = torch.tensor([[7, 8, 1, 2, 3, 0], [7, 8, 9, 4, 0, 0]])
    labels = sft_labels(idx, torch.tensor([2, 3]), torch.tensor([5, 4]))
    c.equal(
        labels.tolist(), [[-100, 1, 2, 3, -100, -100], [-100, -100, 4, -100, -100, -100]], "answers, shifted by one"
    )
    three_to_one = torch.tensor([3.0, 1.0]).log().expand(2, 3, 2)  # probabilities 3/4 and 1/4 everywhere
    got = seq_logprob(three_to_one, torch.tensor([[-100, 0, 1], [-100, -100, 0]]))
    c.close(got, [math.log(3 / 16), math.log(3 / 4)], "a product of probabilities for each row")

# %% [markdown] role="text"
# ### x3b. Better than (code, 2 points)
#
# People find it hard to write the best answer, and easy to say which of two is better. Let $y_w$ be the answer that
# won and $y_l$ the one that lost. Reinforcement learning from human feedback (Ouyang et al., 2022) fits a reward to
# such pairs, and then trains the model to earn much of it without moving far from where it started, the reference
# $\pi_\text{ref}$. Rafailov et al. (*Direct preference optimization*, 2023, equation 7) showed that the reward in the
# middle is not needed: the trained model *is* one, $\beta\log\frac{\pi(y\mid x)}{\pi_\text{ref}(y\mid x)}$ (you derive
# it in x3d). What remains is a classifier of pairs,
#
# $$ \mathcal L=-\log\sigma\Big(\beta\Big[\log\frac{\pi(y_w\mid x)}{\pi_\text{ref}(y_w\mid x)}-
# \log\frac{\pi(y_l\mid x)}{\pi_\text{ref}(y_l\mid x)}\Big]\Big) . $$
#
# Write `dpo_loss` from the four log-probabilities. One value per pair, in one line. The differences are sums over whole
# answers, so they may be in the hundreds: what is $\log(\sigma(-200))$ in float32, and which function of torch knows
# it?


# %% role="answer" part="x3b"
def dpo_loss(pi_w: Tensor, pi_l: Tensor, ref_w: Tensor, ref_l: Tensor, beta: float) -> Tensor:
    """The loss (B,) of pairs: log-probabilities (B,) of winners and losers under the policy and the reference."""
    ### BEGIN SOLUTION
    return -F.logsigmoid(beta * ((pi_w - ref_w) - (pi_l - ref_l)))
    ### END SOLUTION


# %% role="check" part="x3b"
with check("x3b") as c:
    same = torch.tensor([-20.0, -31.0])
    c.close(dpo_loss(same, same - 4, same, same - 4, 0.1), [math.log(2)] * 2, "a policy that is the reference: log 2")
    better = dpo_loss(same + math.log(3), same, same, same, 1.0)
    c.close(better, [math.log(4 / 3)] * 2, "a winner that became three times as probable: 3 to 1")
    worse = dpo_loss(same, same + math.log(3), same, same, 1.0)
    c.close(worse, [math.log(4)] * 2, "a loser that did: 1 to 3")

# %% [markdown] role="text"
# ### x3c. Better than the others (code, 2 points)
#
# Where a program can judge an answer (does the proof check, does the code run?), the model may learn from its own
# tries. The **policy gradient** (Williams, 1992) makes what was rewarded more probable,
# $\nabla\,\mathbb E_{y\sim\pi}[r(y)]=\mathbb E[r(y)\,\nabla\log\pi(y)]$, and works far better with $r$ minus a
# baseline, so that what is worse than usual becomes less probable. What is usual *for this prompt*? Ask $N$ times, and
# compare with the others of the group (Shao et al., *DeepSeekMath*, 2024, call it GRPO):
#
# $$ A_{gi}=\frac{r_{gi}-\text{mean}_g}{\text{std}_g},\qquad\text{std}_g^2=\frac1N\sum_i(r_{gi}-\text{mean}_g)^2 . $$
#
# Write `group_advantages`, with N in the variance as above and nothing added to the denominator. If all rewards of a
# group are *equal*, nothing can be learnt from it: its advantages are 0. (Decide by comparing the rewards: the computed
# mean of equal numbers may be off by one rounding, and a tiny number divided by a tiny number is not tiny.)


# %% role="answer" part="x3c"
def group_advantages(rewards: Tensor) -> Tensor:
    """Advantages (G, N): float rewards (G, N) of N answers to each of G prompts, standardised within their group."""
    ### BEGIN SOLUTION
    away = rewards - rewards.mean(dim=1, keepdim=True)
    spread = away.square().mean(dim=1, keepdim=True).sqrt()
    equal = rewards.amax(dim=1, keepdim=True) == rewards.amin(dim=1, keepdim=True)
    return torch.where(equal, 0.0, away / spread)
    ### END SOLUTION


# %% role="check" part="x3c"
with check("x3c") as c:
    got = group_advantages(torch.tensor([[0.0, 0.0, 0.0, 1.0], [5.0, 5.0, 5.0, 5.0]]))
    c.close(got[0], [-(3**-0.5)] * 3 + [3**0.5], "one success among four")
    c.close(got[1], [0.0] * 4, "all alike: nothing to learn, and no NaN")

# %% [markdown] role="text"
# ### A judge with a taste
#
# Your GPT of question 5 is the reference. It continues prompts from Shakespeare by 32 characters, and the judge counts
# the letter e: the fewer, the better. (Perec wrote a novel without it.) Three ways to please it:
#
# - **Best of n**: draw n continuations, show the best. No training. It moves the distribution by at most
#   $\log n-\frac{n-1}n$ nats of divergence.
# - **DPO** on 256 pairs, for three values of $\beta$.
# - **Policy gradient** with your group advantages: in each step 8 prompts, 8 continuations each.
#
# What counts is not the reward alone but what it costs: how far from the reference is the policy, in nats,
# $\mathrm{KL}(\pi\|\pi_\text{ref})$? In QUICK mode the next cell takes about a minute on two CPU cores (an estimate).


# %% role="given" id="taste"
N_PROMPT, N_ANSWER = 16, 32


def draw_answers(model: GPT, prompts: Tensor, draw: torch.Generator) -> Tensor:
    """The prompts (B, N_PROMPT), each continued by N_ANSWER characters."""
    us = torch.rand(len(prompts), N_ANSWER, generator=draw).to(here.device)
    cached = with_cache(model)
    return generate(cached, prompts, N_ANSWER, us, cache=new_cache(cached))


def taste(idx: Tensor) -> Tensor:
    """The judge's reward (B,): minus the number of letters e in each answer."""
    return -((idx[:, N_PROMPT:] == chars.index("e")) | (idx[:, N_PROMPT:] == chars.index("E"))).sum(dim=1).float()


def answer_logprob(model: GPT, idx: Tensor) -> Tensor:
    """Log-probabilities (B,) of the answers in idx (B, N_PROMPT + N_ANSWER)."""
    B, T = idx.shape
    whole = torch.full((B,), T, device=idx.device)
    return seq_logprob(model(idx), sft_labels(idx, whole - N_ANSWER, whole))


def draw_prompts(B: int, draw: torch.Generator) -> Tensor:
    """Prompts (B, N_PROMPT) from the training text."""
    starts = torch.randint(len(ids_train) - N_PROMPT, (B, 1), generator=draw)
    return ids_train[starts + torch.arange(N_PROMPT)].to(here.device)


def copy_of(model: GPT) -> GPT:
    """A model of its own with the same weights, without dropout."""
    other = GPT(model.cfg).to(here.device)
    other.load_state_dict(model.state_dict())
    return other.eval()


@torch.no_grad()
def judged(model: GPT, B: int = 128) -> tuple[float, float]:
    """Nats from the reference, and letters e in an answer: both on fresh prompts."""
    draw = torch.Generator().manual_seed(99)
    idx = draw_answers(model, draw_prompts(B, draw), draw)
    return float((answer_logprob(model, idx) - answer_logprob(gpt, idx)).mean()), -float(taste(idx).mean())


def train_policy(loss_of: Callable[[GPT, int], Tensor], steps: int, lr: float) -> tuple[GPT, list[tuple[float, float]]]:
    """A copy of gpt after these steps on a loss, and where it stood on the way."""
    policy, path = copy_of(gpt), []
    optimizer = torch.optim.AdamW(policy.parameters(), lr=lr, weight_decay=0.0)
    for step in range(steps):
        optimizer.zero_grad()
        loss_of(policy, step).backward()
        nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % (steps // 4) == 0:
            path.append(judged(policy))
    return policy, path


# %% role="run"
with experiment("a judge with a taste"):
    gpt.eval()
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        prompts = draw_prompts(400, draw)
        first, second = (draw_answers(gpt, prompts, draw) for _ in range(2))
        differ = taste(first) != taste(second)
        first, second = first[differ], second[differ]
        won = (taste(first) > taste(second))[:, None]
        winners, losers = torch.where(won, first, second)[:256], torch.where(won, second, first)[:256]
        ref_w, ref_l = answer_logprob(gpt, winners), answer_logprob(gpt, losers)
    places, ends = {}, {}

    for beta in (0.03, 0.1, 0.5):

        def pairs(policy: GPT, step: int, beta: float = beta) -> Tensor:
            """The DPO loss of a batch."""
            i = torch.randperm(len(winners), generator=torch.Generator().manual_seed(step))[: 32 if QUICK else 64]
            pi_w, pi_l = answer_logprob(policy, winners[i]), answer_logprob(policy, losers[i])
            return dpo_loss(pi_w, pi_l, ref_w[i], ref_l[i], beta).mean()

        ends[f"DPO, beta = {beta}"], places[f"DPO, beta = {beta}"] = train_policy(
            pairs, 24 if QUICK else 200, 1e-4 if QUICK else 1e-5
        )

    def tries(policy: GPT, step: int) -> Tensor:
        """The policy gradient's loss for 8 prompts with 8 answers each."""
        draw = torch.Generator().manual_seed(step)
        idx = draw_answers(policy, draw_prompts(8, draw).repeat_interleave(8, dim=0), draw)
        return -(group_advantages(taste(idx).reshape(8, 8)).flatten() * answer_logprob(policy, idx)).mean()

    ends["policy gradient"], places["policy gradient"] = train_policy(
        tries, 24 if QUICK else 200, 1e-4 if QUICK else 1e-5
    )

    start, ns = judged(gpt), [1, 2, 4, 8, 16]
    with torch.no_grad():
        prompts = draw_prompts(64, draw).repeat_interleave(16, dim=0)
        counts = -taste(draw_answers(gpt, prompts, draw)).reshape(64, 16)
    best = [float(counts[:, : 16 // n * n].reshape(64, -1, n).amin(dim=2).mean()) for n in ns]
    figure, ax = plt.subplots(figsize=(7.4, 4.2), layout="constrained")
    ax.plot([(math.log(n) - 1 + 1 / n) ** 0.5 for n in ns], best, "-x", color="black", label="best of 1, 2, 4, 8, 16")
    for (name, path), mark in zip(places.items(), "os^D", strict=True):
        nats, letters = zip(start, *path, strict=True)
        ax.plot([max(each, 0.0) ** 0.5 for each in nats], letters, "--" + mark, label=name)
    ax.set(xlabel="root of the nats from the reference", ylabel="letters e in 32 characters", ylim=(0, None))
    ax.legend()
    figures.show(figure, "The further from the reference, the fewer letters e; the methods pay different prices.")
    with torch.no_grad():
        print(f"{'':24}{'winners':>10}{'losers':>10}  (change of log-probability)")
        for name, policy in ends.items():
            up, down = (float((answer_logprob(policy, y) - r).mean()) for y, r in ((winners, ref_w), (losers, ref_l)))
            print(f"{name:24}{up:10.1f}{down:10.1f}")

# %% [markdown] role="text"
# **Look.** Which way buys the most for a given distance, and which goes furthest? What does a small $\beta$ allow? In
# the table below the picture: DPO is meant to make winners more probable than losers. Does it make winners more
# probable than they *were*? Why does the loss not mind?

# %% role="run"
with experiment("what they write now"), torch.no_grad():
    begin = encode_chars("KING RICHARD:\nWh")[None].to(here.device)
    for name, policy in {"reference": gpt, **ends}.items():
        wrote = draw_answers(policy, begin, torch.Generator().manual_seed(1))
        print(f"--- {name}\n{decode_chars(wrote[0])}")

# %% [markdown] role="text"
# ### x3d. Two derivations (written, 2 points)
#
# 1. For one prompt, maximise $\mathbb E_{y\sim\pi}[r(y)]-\beta\,\mathrm{KL}(\pi\|\pi_\text{ref})$ over all
#    distributions $\pi$. Solve the result for $r$, put it into the Bradley-Terry model $P(y_w\text{
#    wins})=\sigma(r(y_w)-r(y_l))$, and derive the loss of x3b. Which term would be impossible to compute, and why does
#    it disappear? What is the loss's gradient in $\log\pi(y_w)$ and $\log\pi(y_l)$, and what does that say about the
#    table above? (1 point)
# 2. Show that a baseline $b$ that does not depend on $y$ leaves the policy gradient unbiased. The group's mean depends
#    on $y$: what factor does it bring for independent $y_1,\dots,y_N$? What does the division by the spread change, if
#    rewards are 0 or 1 and a prompt is solved with probability $\rho$? (1 point)

# %% [markdown] role="written" part="x3d"
# ### BEGIN SOLUTION
# **1.** Write $\mathbb
# E_\pi[r]-\beta\,\mathrm{KL}=-\beta\sum_y\pi(y)\log\frac{\pi(y)}{\pi_\text{ref}(y)e^{r(y)/\beta}}=
# -\beta\,\mathrm{KL}(\pi\|\pi^*)+\beta\log Z$ with $\pi^*(y)=\pi_\text{ref}(y)e^{r(y)/\beta}/Z$ and
# $Z=\sum_y\pi_\text{ref}(y)e^{r(y)/\beta}$. It is largest for $\pi=\pi^*$. So
# $r(y)=\beta\log\frac{\pi^*(y)}{\pi_\text{ref}(y)}+\beta\log Z$. $Z$ is a sum over all possible answers and cannot be
# computed, but it depends on the prompt only, and both answers have the same: in $r(y_w)-r(y_l)$ it cancels. The
# likelihood of the observed preferences under Bradley-Terry, with the policy in the place of $\pi^*$, is
# $\sigma(\beta[\log\frac{\pi(y_w)}{\pi_\text{ref}(y_w)}-\log\frac{\pi(y_l)}{\pi_\text{ref}(y_l)}])$, and the loss is
# its negative logarithm. With $z$ the argument of $\sigma$: $\partial\mathcal L/\partial\log\pi(y_w)=-\beta\sigma(-z)$
# and $\partial\mathcal L/\partial\log\pi(y_l)=+\beta\sigma(-z)$. The loss knows only the difference. Both may fall, as
# long as the loser falls faster: the two answers share most of their characters' statistics, so a step that lowers the
# loser lowers the winner as well, and the mass goes to answers that are in no pair.
#
# **2.** $\mathbb E_{y\sim\pi}[b\,\nabla\log\pi(y)]=b\sum_y\nabla\pi(y)=b\,\nabla1=0$. With $\bar r=\frac1N\sum_jr_j$:
# for $j\ne i$, $y_j$ is independent of $y_i$, and $\mathbb E[r_j\nabla\log\pi(y_i)]=\mathbb E[r_j]\,\mathbb
# E[\nabla\log\pi(y_i)]=0$; the term $j=i$ remains, $\mathbb E[(r_i-\bar r)\nabla\log\pi(y_i)]=(1-\frac1N)\,\mathbb
# E[r\,\nabla\log\pi]$. The direction is right, the length shorter by $1-1/N$. The spread of a group is about
# $\sqrt{\rho(1-\rho)}$, so that a prompt's gradient is multiplied by $1/\sqrt{\rho(1-\rho)}$: hard and easy prompts get
# more weight than those that are solved half of the time, relative to the gradient of the expected reward, which is no
# longer what is followed. Groups in which all succeed or all fail contribute nothing.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the optimal policy, r solved for, and Z cancels in the difference
# - 0.5 points: the gradients are opposite and equal, so both log-probabilities may fall
# - 0.5 points: the baseline's expectation is zero, and the factor 1 - 1/N of the group's mean
# - 0.5 points: the weight 1 over the root of rho (1 - rho), and what groups without spread contribute
# ### END MARK SCHEME
