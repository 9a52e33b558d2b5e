# %% [markdown] role="text"
# ## x2. Few steps (10 points)
#
# Sixteen passes through the network draw a digit; a GAN needs one. Can a flow be taught to take the whole way at once?
# There are three ideas, and all of them train a *student* on what a *teacher*, a slow and good sampler, does:
#
# | | the student learns |
# | --- | --- |
# | **reflow** (Liu, Gong and Liu, 2023) | a new flow, on the teacher's own couples, whose lines cross less |
# | **progressive distillation** (Salimans and Ho, 2022) | two steps in one; then it becomes the teacher |
# | **consistency** (Song, Dhariwal, Chen and Sutskever, 2023) | where trajectories end, from itself a step further on |
#
# As in question 8, $t=0$ is noise, $t=1$ is data, and a field is `v(x, t)` with `t` (B,).
#
# ### x2a. How straight? (code, 1 point)
#
# One Euler step is exact if the velocity on a trajectory never changes. Write `straightness`: follow the flow in `n`
# steps of your `ode_solve` and compare the velocity at the beginning of each step with the whole way,
#
# $$ S=\frac1n\sum_{i=0}^{n-1}\frac1D\big\lVert v(x_{i/n},\tfrac in)-(x_1-x_0)\big\rVert^2 . $$
#
# Per example, (B,); it is 0 for straight lines at constant speed. Here $x_1$ is the last state of your solver.


# %% role="answer" part="x2a"
def straightness(v: Callable[[Tensor, Tensor], Tensor], x0: Tensor, n: int, method: str = "heun") -> Tensor:
    """Mean square (B,) of velocity less whole way on the trajectories from noises x0 (B, ...), in n steps."""
    ### BEGIN SOLUTION
    states = ode_solve(v, x0, n, method)
    way = states[-1] - x0
    errors = [v(states[i], x0.new_full((len(x0),), i / n)) - way for i in range(n)]
    return torch.stack(errors).square().flatten(2).mean((0, 2))
    ### END SOLUTION


# %% role="check" part="x2a"
with check("x2a") as c:
    x0 = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    c.close(straightness(lambda x, t: 0 * x + 3, x0, 4, "euler"), [0.0, 0.0], "a constant velocity is straight")
    c.close(straightness(lambda x, t: t[:, None] + 0 * x, x0, 2, "euler"), [0.0625, 0.0625], "0 and 1/2, about 1/4")

# %% [markdown] role="text"
# ### x2b. Two steps in one (code, 1 point)
#
# The teacher makes two Euler steps of $h/2$ from $(x,t)$. Write `two_in_one`: the velocity with which *one* step of $h$
# gets to the same place. It is a target for regression, so it carries no graph.


# %% role="answer" part="x2b"
def two_in_one(v: Callable[[Tensor, Tensor], Tensor], x: Tensor, t: Tensor, h: float) -> Tensor:
    """The velocity (B, ...) whose step of h from x (B, ...) at t (B,) ends where two Euler steps of h / 2 end."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        first = v(x, t)
        return (first + v(x + h / 2 * first, t + h / 2)) / 2
    ### END SOLUTION


# %% role="check" part="x2b"
with check("x2b") as c:
    x, t = torch.tensor([[2.0]]), torch.tensor([0.25])
    c.close(two_in_one(lambda x, t: x, x, t, 1.0), [[2.5]], "2, then 3, then 4.5: on the whole 2.5 more")
    c.close(two_in_one(lambda x, t: t[:, None] + 0 * x, x, t, 0.5), [[0.375]], "the mean of 1/4 and 1/2")

# %% [markdown] role="text"
# ### x2c. Consistency (code, 2 points)
#
# A **consistency function** $f(x,t)$ says where the trajectory through $x$ at $t$ ends. Two things define it: at the
# end it is $f(x,1)=x$, and along a trajectory it does not change. The first is built in,
#
# $$ f(x,t)=x+(1-t)\,F(x,t), $$
#
# with a network $F$, the mean velocity of the rest of the way. The second is trained: go one small step along the
# teacher's field, $x'=x+h\,v(x,t)$, to $t'=t+h$, and ask that $f(x,t)$ equals $f(x',t')$. The goal $f(x',t')$ is
# computed with a slow copy of the student's network and *held constant*: no gradient goes through it, nor through the
# teacher's step.
#
# - `to_end(net, x, t)`: the function $f$, with `net` for $F$.
# - `consistency_loss(net, target, v, x, t, h)`: the mean square over features of the difference, (B,); `target` is the
#   slow copy, a network like `net`. No step goes beyond $t=1$: for an example with less than $h$ left, the step is what
#   is left.


# %% role="answer" part="x2c"
def to_end(net: Callable[[Tensor, Tensor], Tensor], x: Tensor, t: Tensor) -> Tensor:
    """Where the trajectory through x (B, ...) at t (B,) ends, by a network net(x, t) for the mean velocity to go."""
    ### BEGIN SOLUTION
    return x + (1 - t).reshape(-1, *[1] * (x.ndim - 1)) * net(x, t)
    ### END SOLUTION


def consistency_loss(
    net: Callable[[Tensor, Tensor], Tensor],
    target: Callable[[Tensor, Tensor], Tensor],
    v: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    t: Tensor,
    h: float,
) -> Tensor:
    """Mean square (B,) between the student's end from x (B, ...), t (B,) and the target's after a teacher's step."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        step = (1 - t).clamp(max=h)
        further = x + step.reshape(-1, *[1] * (x.ndim - 1)) * v(x, t)
        goal = to_end(target, further, t + step)
    return (to_end(net, x, t) - goal).square().flatten(1).mean(1)
    ### END SOLUTION


# %% role="check" part="x2c"
with check("x2c") as c:
    x, t = torch.tensor([[1.0, 3.0], [2.0, 0.0]]), torch.tensor([0.5, 1.0])
    c.close(to_end(lambda x, t: 4 * x, x, t), [[3.0, 9.0], [2.0, 0.0]], "half of the way is left, and none")
    constant = lambda x, t: 0 * x + 2  # noqa: E731
    c.close(consistency_loss(constant, constant, constant, x, t, 0.25), [0.0, 0.0], "a constant velocity is consistent")
    loss = consistency_loss(lambda x, t: 0 * x, constant, constant, x, torch.tensor([0.5, 0.9]), 0.25)
    c.close(loss, [1.0, 0.04], "the target ends 2 * 0.5 further, and 2 * 0.1")

# %% [markdown] role="text"
# ### x2d. A number for clouds (code, 1 point)
#
# To compare samplers, we need a distance between two clouds of n points. In one dimension the best way to move one
# cloud onto the other is to keep the order: sort both, and compare in pairs. The **sliced** Wasserstein distance does
# this along many directions $\theta_m$ of length 1 (Rabin et al., 2011),
#
# $$ \mathrm{SW}=\sqrt{\frac1M\sum_m\frac1n\sum_i\big((\theta_m^\top x)_{(i)}-(\theta_m^\top y)_{(i)}\big)^2}, $$
#
# where $(i)$ is the $i$-th smallest. Write `sliced_distance`, a scalar.


# %% role="answer" part="x2d"
def sliced_distance(x: Tensor, y: Tensor, directions: Tensor) -> Tensor:
    """Sliced Wasserstein distance (a scalar) of clouds x and y (n, D), along directions (M, D) of length 1."""
    ### BEGIN SOLUTION
    return ((x @ directions.T).sort(0).values - (y @ directions.T).sort(0).values).square().mean().sqrt()
    ### END SOLUTION


# %% role="check" part="x2d"
with check("x2d") as c:
    x, y = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[3.0, 5.0], [2.0, -5.0]])
    c.close(sliced_distance(x, y, torch.tensor([[1.0, 0.0]])), 2.0, "0 to 2, 1 to 3: the order is kept")
    c.close(sliced_distance(x, x.flip(0), torch.eye(2)), 0.0, "clouds have no order")

# %% [markdown] role="text"
# **Look: a race in the plane.** The teacher is the exact field of the pinwheel. Four runners: the teacher itself, and
# three networks, trained on random couples (as in 8e), on reflow's couples, and by consistency. (`QUICK` takes 23 s of
# one core of an Intel Xeon, measured; in full there are eight times as many steps, an estimated 3 minutes there or on a
# T4.)


# %% role="run"
def plane_student(name: str, loss_of: Callable[..., Tensor], steps: int, made_by: tuple = ()):
    """A PlaneNet trained on loss_of(net, slow copy, generator), kept in a checkpoint of this name."""
    torch.manual_seed(0)
    net, slow = PlaneNet(), PlaneNet()
    slow.load_state_dict(net.state_dict())
    adam = torch.optim.Adam(net.parameters(), betas=(0.9, 0.99))
    training = resumable(
        f"checkpoints/few_{name}.safetensors",
        pack(net=net, slow=slow, adam=adam),
        made_by=(plane_student, loss_of, *made_by),
        settings={"steps": steps},
    )
    unpack(training.state, net=net, slow=slow, adam=adam)
    for step in training.steps(steps, name):
        adam.param_groups[0]["lr"] = 1e-2 * (1 - step / steps)
        loss = loss_of(net, slow, torch.Generator().manual_seed(step)).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        with torch.no_grad():
            for mine, theirs in zip(slow.parameters(), net.parameters(), strict=True):
                mine.lerp_(theirs, 0.05)
        training.state = pack(net=net, slow=slow, adam=adam)
        training.log(loss=loss.item())
    return slow


with experiment("a race in the plane"):
    steps = 2500 if QUICK else 20_000
    field = exact_velocity(mixture)
    pairs = reflow_pairs(field, torch.randn(20_000, 2, generator=torch.Generator().manual_seed(1)).double(), 30, "heun")

    def random_couples(net: nn.Module, slow: nn.Module, generator: torch.Generator) -> Tensor:
        """Flow matching, noise and data drawn alone."""
        x1 = mixture.sample(256, generator)[0].float()
        return cfm_loss(net, torch.randn(256, 2, generator=generator), x1, torch.rand(256, generator=generator))

    def own_couples(net: nn.Module, slow: nn.Module, generator: torch.Generator) -> Tensor:
        """Flow matching on the teacher's couples."""
        chosen = torch.randint(len(pairs[0]), (256,), generator=generator)
        t = torch.rand(256, generator=generator)
        return cfm_loss(net, pairs[0][chosen].float(), pairs[1][chosen].float(), t)

    def consistency(net: nn.Module, slow: nn.Module, generator: torch.Generator) -> Tensor:
        """Ends that agree, on points of the paths."""
        t = torch.rand(256, generator=generator)
        x1 = mixture.sample(256, generator)[0].float()
        x = fm_pair(torch.randn(256, 2, generator=generator), x1, t)[0]
        return consistency_loss(net, slow, lambda x, t: field(x, t), x, t, 0.05)

    students = {
        "random couples": plane_student("random", random_couples, steps),
        "reflow": plane_student("reflow", own_couples, steps, (ode_solve,)),
        "consistency": plane_student("consistency", consistency, steps),
    }

    def run_student(name: str, x: Tensor, n: int) -> Tensor:
        """Samples after n evaluations. A consistency function jumps to the end, and goes back to noise in between."""
        if name == "teacher":
            return ode_solve(field, x, n, "euler")[-1]
        net = students[name]
        if name != "consistency":
            return ode_solve(net, x.float(), n, "euler")[-1].double()
        end = to_end(net, x.float(), torch.zeros(len(x)))
        for i in range(1, n):
            t = torch.full((len(x),), i / n)
            fresh = torch.randn(x.shape, generator=torch.Generator().manual_seed(i))
            end = to_end(net, fm_pair(fresh, end, t)[0], t)
        return end.double()

    generator = torch.Generator().manual_seed(9)
    noises, truth = torch.randn(2000, 2, generator=generator).double(), mixture.sample(2000, generator)[0]
    angle = math.pi * torch.arange(16, dtype=torch.float64) / 16
    directions = torch.stack([angle.cos(), angle.sin()], dim=1)
    with torch.no_grad():
        other = sliced_distance(mixture.sample(2000, generator)[0], truth, directions).item()
        names, budgets = ("teacher", *students), (1, 2, 4, 8, 16)
        ends = {name: {n: run_student(name, noises, n) for n in budgets} for name in names}
        for n in (1, 2):
            show_points(
                {f"{name}, {n}": ends[name][n][:600] for name in names},
                f"Evaluations: {n}. The teacher's samples are a dot or a blur, those of two students nearly right.",
                mixture=mixture,
            )
        figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
        for name, dash in zip(names, ("-o", "--s", "-.D", ":^"), strict=True):
            ax.loglog(budgets, [sliced_distance(ends[name][n], truth, directions) for n in budgets], dash, label=name)
        ax.axhline(other, color="#999999", label="two samples of the data")
        ax.set(xlabel="evaluations", ylabel="sliced distance to data", title="what a few steps cost")
        ax.legend()
        figures.show(figure, "Reflow and consistency are near the data with one evaluation, the others need sixteen.")
        for name, v in {
            "teacher": field,
            "random couples": students["random couples"],
            "reflow": students["reflow"],
        }.items():
            x = noises[:500] if name == "teacher" else noises[:500].float()
            print(f"{name}: straightness {straightness(v, x, 30).mean():.4f}")

# %% [markdown] role="text"
# **Look.** With one evaluation, where do the students put points that the data do not have, and why there? Whose curve
# stops falling first, and what limits it? The grey line is the distance between two samples of the data itself: what
# does a curve below it mean, if one is?

# %% [markdown] role="text"
# ### Digits in one step
#
# Now the flow of question 9. Its own couples, drawn with guidance, are the data: noise, label, and the digit where six
# steps of Heun's method at $w=2$ end. The student starts from the teacher's weights, needs no guidance any more (it has
# learnt guided ends, so an evaluation is *one* pass through the network, not two), and is trained by your `cfm_loss`.
# Half of the times are 0, because the only step of one-step sampling starts there.
#
# > **Time.** `QUICK` (250 couples, 75 steps of 64): about 15 s of a CPU core. Full (6,000 couples, 500 steps of 128): 8
# > minutes of a core of an Intel Xeon with bfloat16, 2 to 4 minutes on a T4. All of these are estimates, from parts.


# %% role="given" id="couples"
def own_couples(net: nn.Module, number: int, steps: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Noise (number, 1, 28, 28), labels (number,) and the ends of the guided flow of a network, on the CPU."""
    noise = torch.randn(number, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
    labels, ends = torch.arange(number) % 10, []
    for x, y in zip(noise.split(250), labels.split(250), strict=True):
        asked = y.to(here.device)
        guided = lambda x, t, asked=asked: cfg(net, x, t, asked, 10, 2.0)  # noqa: E731
        ends.append(reflow_pairs(guided, x.to(here.device), steps, "heun")[1].cpu())
    return noise, labels, torch.cat(ends)


# %% role="run"
with experiment("reflow on digits", smaller="couples_size = 64"):

    def reflow_batch(net: nn.Module, generator: torch.Generator) -> Tensor:
        """The mean loss of a batch of couples; half of the times are 0."""
        chosen = torch.randint(len(couples[0]), (couples_size,), generator=generator)
        x0, y, x1 = (each[chosen].to(here.device) for each in couples)
        t = torch.rand(couples_size, generator=generator) * (torch.rand(couples_size, generator=generator) < 0.5)
        return cfm_loss(lambda x, t: net(x, t, y), x0, x1, t.to(here.device)).mean()

    number, solver_steps, couples_size, blocks, steps = (250, 2, 64, 3, 25) if QUICK else (6000, 6, 128, 5, 100)
    couples = own_couples(flow_net, number, solver_steps)
    pupil = copy.deepcopy(flow_net).requires_grad_(True).train()
    few_net, few_history = train_network(pupil, reflow_batch, blocks, f"few_{width}", 5e-4, steps, (own_couples,))
    labels = torch.arange(10, device=here.device)
    noises = torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(5)).to(here.device)
    with torch.no_grad():
        rows = [draw_euler(flow_net, noises, labels, 1), draw_euler(flow_net, noises, labels, 8)]
        for n in (1, 2, 4):
            rows.append(ode_solve(lambda x, t: few_net(x, t, labels), noises, n, "euler")[-1])
        show_digits(torch.cat(rows), "rows: teacher with 1 and 8 evaluations; student with 1, 2 and 4", columns=10)

# %% [markdown] role="text"
# ![What to expect in full mode: the teacher's single step is a blur, the student's is a digit](figures/few.png)
#
# **Look.** Compare the student's single step with the teacher's eight evaluations (sixteen passes) from the same noise.
# Are they the same digits? What is lost first when only one step is left, and where do two steps help?
#
# ### x2e. One step, handed in (artifact, 3 points)
#
# The cell saves `ps3_few.safetensors`. The grader takes hidden noise and *one* step, $x_0+F(x_0,0,y)$ without guidance,
# and its reader of digits must see what was asked in 75 % of the images (1 point) and in 90 % of them
# (another one); the third point is for a Fréchet distance to hidden digits of at most 2.5, as in question 9.
#
# Any student of the given U-Net with `T = 1`, like the flow of question 9, counts: reflow, a consistency function
# ($f(x_0,0)$ is the same formula), the last round of progressive distillation. The rules for the width are those of
# question 9, and again the student of a full run is wanted: that of QUICK mode only tries the way.

# %% role="artifact" part="x2e" file="ps3_few.safetensors"
with experiment("saving the student"):
    save_artifact("ps3_few.safetensors", halved(few_net))

# %% role="check" part="x2e"
with check("x2e") as c:
    again = read_again("x2e", "ps3_few.safetensors", 1.0)
    asked = torch.arange(100, device=here.device) % 10
    noise = torch.randn(100, 1, 28, 28, generator=torch.Generator().manual_seed(8)).to(here.device)
    with torch.no_grad():
        images = to_end(lambda x, t: again(x, t, asked), noise, torch.zeros(100, device=here.device))
    c.shape(images, (100, 1, 28, 28), "images")
    c.finite(images, "every pixel")
    agree, far = quality(reader, images, asked, D_test)
    print(f"your reader sees what was asked in {100 * agree:.0f} %, the distance is {far:.1f}")
    print("With the hidden reader, 75 % and 90 %, and a distance of 2.5 count.")

# %% [markdown] role="text"
# ### x2f. Why it works, and what it costs (written, 2 points)
#
# 1. Show that one Euler step from $t=0$ is exact for all noises if the straightness is 0 along the exact trajectories.
#    In one dimension, prove that *one* round of reflow with an exact teacher makes the next flow exactly straight.
#    (The couples are $(x_0,G(x_0))$ with an increasing $G$: how many of their lines go through a point $(x,t)$ with
#    $t<1$?) Why is this not so in two dimensions, and why does every further round with a trained teacher make samples
#    a little worse? (1 point)
# 2. Let $f$ be differentiable with $f(x,1)=x$ and let it be constant along all trajectories of $v$. Show that
#    $f(x_0,0)$ is the flow's end. Without the condition at $t=1$, which useless functions have a consistency loss of
#    zero? Why is the goal held constant? Show that for $h=1/N$, errors of at most $\delta$ in each small step add up to
#    at most $N\delta$ at $t=0$, and compare with progressive distillation, which halves the steps $\log_2N$ times. (1
#    point)

# %% [markdown] role="written" part="x2f"
# ### BEGIN SOLUTION
# **1.** $S=0$ (in the limit of fine steps) means $v(x_t,t)=x_1-x_0$ for almost every $t$, hence by continuity for
# $t=0$: $x_0+v(x_0,0)=x_1$, the exact end. In one dimension the exact map is increasing (8g). Couples $(a,G(a))$ pass
# through $(1-t)a+tG(a)$ at time $t$, which for $t<1$ is strictly increasing in $a$: through each $(x,t)$ goes at most
# one line. The conditional mean of the velocity is then the velocity of that line, $v(x_t,t)=G(a)-a$, and trajectories
# *are* the lines, straight with constant speed. In two dimensions the map need not be monotone (the gradient of a
# convex function): lines of different couples may still cross, and at a crossing the mean is taken again. A trained
# teacher's ends are not spread exactly like data, and solver errors are added; the student takes these ends *for* data,
# so each round starts from a slightly worse data set and no real data comes in.
#
# **2.** Along the trajectory from $x_0$, $f(x_t,t)$ is constant, so $f(x_0,0)=f(x_1,1)=x_1$. Without the condition
# every constant, $f=0$ for instance, has zero loss, as has any function of the trajectory's end. If the gradient also
# went through the goal, both sides would be pulled together, towards such collapsed solutions, and the goal would move
# away from what the later, better known times say; held constant, information flows from $t=1$, where it is known, to
# $t=0$. Errors: let $|f(x_t,t)-f(x_{t+h},t+h)|\le\delta$ on exact trajectories. Then $|f(x_0,0)-x_1|\le
# \sum_{i=0}^{N-1}|f(x_{ih},ih)-f(x_{(i+1)h},(i+1)h)|\le N\delta$ by the triangle inequality, as $f(x_1,1)=x_1$. In
# progressive distillation with error $\delta$ per learnt step, the student of round $r$ makes $N/2^r$ steps, so that
# errors add up to $\sum_r\delta N/2^r<N\delta$ in steps, but only $\log_2N$ networks are trained one after another,
# each on a fixed teacher; consistency needs one training, whose goal moves.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: zero straightness gives an exact first step; in one dimension lines of reflow's couples do not cross
# - 0.5 points: crossings remain in the plane; errors of the teacher become data
# - 0.5 points: the end by constancy and the condition; constants without it; why the goal is held constant
# - 0.5 points: the triangle inequality, and the comparison with halving
# ### END MARK SCHEME
