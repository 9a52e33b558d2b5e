# %% [markdown] role="text"
# ## x4. Images as sequences (6 points)
#
# Nothing in the chain rule says that the symbols are text. Read an image from left to right and from top to bottom, as
# a page, and it is a sequence; call the grey levels tokens, and your GPT models it, without a line changed. Recurrent
# networks did so before (van den Oord et al., *Pixel recurrent neural networks*, 2016); with a transformer it became
# *Image GPT* (Chen et al., *Generative pretraining from pixels*, 2020). The model is never told that the pixel above is
# a neighbour: in the sequence it stands a whole row back.
#
# ### x4a. There and back (code, 1 point)
#
# A grey value $g$ from 0 to 255 becomes the level $\lfloor gK/256\rfloor$ of $K$, equally wide ones. Back, level
# $\ell$ becomes the grey $\ell/(K-1)$ in [0, 1], so that black and white stay what they are. Pixels are in *raster
# order*: row by row, each from left to right. Mind the type of the pixels: $gK$ is larger than 255. Two lines each.


# %% role="answer" part="x4a"
def quantise(images: Tensor, K: int) -> Tensor:
    """Levels (B, H * W) int64, from 0 to K - 1 and in raster order, of images (B, H, W) uint8; K >= 2."""
    ### BEGIN SOLUTION
    return (images.long() * K // 256).flatten(1)
    ### END SOLUTION


def dequantise(idx: Tensor, K: int, H: int) -> Tensor:
    """Images (B, H, W) float32 with values in [0, 1] of levels idx (B, H * W) in raster order."""
    ### BEGIN SOLUTION
    return idx.reshape(len(idx), H, -1) / (K - 1)
    ### END SOLUTION


# %% role="check" part="x4a"
with check("x4a") as c:
    image = torch.tensor([[[0, 63, 64], [127, 128, 255]]], dtype=torch.uint8)
    c.equal(quantise(image, 4).tolist(), [[0, 0, 1, 1, 2, 3]], "four levels, 64 grey values wide, row by row")
    c.close(dequantise(torch.tensor([[0, 1, 2, 3, 3, 0]]), 4, 2), [[[0, 1 / 3, 2 / 3], [1, 1, 0]]], "and back")

# %% [markdown] role="text"
# ### x4b. The likelihood of an image (code, 1 point)
#
# Who predicts the first pixel? Text has no beginning, an image has one. So the sequence gets a **start token** in
# front, with the number $K$ after the levels $0,\dots,K-1$; the model has $V=K+1$ tokens. It reads the start token and
# all pixels but the last, and gives logits for all pixels, in one call.
#
# Write `image_nll`: the surprise of a whole image in nats, summed over its pixels. The softmax is over all V tokens:
# what the model gives to the start token counts as lost. Expect 3 lines.


# %% role="answer" part="x4b"
def image_nll(model: Callable[[Tensor], Tensor], idx: Tensor, K: int) -> Tensor:
    """Nats (B,) of each image idx (B, T) of levels below K; model maps tokens (B, T) to logits (B, T, K + 1)."""
    ### BEGIN SOLUTION
    start = torch.full_like(idx[:, :1], K)
    logits = model(torch.cat([start, idx[:, :-1]], dim=1))  # (B, T, K + 1)
    return F.cross_entropy(logits.mT, idx, reduction="none").sum(dim=1)
    ### END SOLUTION


# %% role="check" part="x4b"
with check("x4b") as c:
    likes_what_it_saw = lambda idx: 5.0 * F.one_hot(idx, 4)  # noqa: E731
    own = math.log(math.exp(5) + 3)
    got = image_nll(likes_what_it_saw, torch.tensor([[1, 1, 2], [0, 0, 0]]), 3)
    c.shape(got, (2,), "nats for each image")
    c.close(got, [3 * own - 5, 3 * own - 10], "predicted from the start token on, with a softmax over all V")

# %% [markdown] role="text"
# ### x4c. Completion (code, 2 points)
#
# Given the upper half of a digit, how may it go on? For this order of pixels, that is a question which the model
# answers *exactly*: $p(x_{t+1},\dots,x_T\mid x_1,\dots,x_t)$ is what sampling from it draws, one pixel after another.
#
# Write `complete`. Each new pixel is drawn by your `sample_from` of question 6, from the softmax over the *levels*: the
# start token is no pixel, so its logit is left out and the other probabilities share what it had. Nothing may be given,
# too ($T_0=0$): then a whole image is drawn. Expect 6 lines.


# %% role="answer" part="x4c"
@torch.no_grad()
def complete(model: Callable[[Tensor], Tensor], given: Tensor, us: Tensor, K: int) -> Tensor:
    """Images (B, T0 + n) that begin with given (B, T0) int64 levels; pixel T0 + i is drawn by us (B, n) at [:, i]."""
    ### BEGIN SOLUTION
    idx = torch.cat([given.new_full((len(given), 1), K), given], dim=1)  # the start token in front
    for u in us.T:
        probs = model(idx)[:, -1, :K].softmax(dim=1)
        idx = torch.cat([idx, sample_from(probs, u)[:, None]], dim=1)
    return idx[:, 1:]
    ### END SOLUTION


# %% role="check" part="x4c"
with check("x4c") as c:
    counts_up = lambda idx: 50.0 * F.one_hot((idx + 1) % 4, 5)  # noqa: E731
    got = complete(counts_up, torch.tensor([[2, 3], [0, 0]]), torch.full((2, 3), 0.5), 4)
    c.equal(got.tolist(), [[2, 3, 0, 1, 2], [0, 0, 1, 2, 3]], "what is given stays, and what follows is drawn")
    loves_to_start = lambda idx: 50.0 * F.one_hot(idx, 3) + 90.0 * F.one_hot(torch.full_like(idx, 2), 3)  # noqa: E731
    got = complete(loves_to_start, torch.tensor([[1], [0]]), torch.full((2, 2), 0.5), 2)
    c.equal(got.tolist(), [[1, 1, 1], [0, 0, 0]], "the start token is never drawn")

# %% [markdown] role="text"
# ### A GPT for digits
#
# Digits of 14 x 14 pixels (each the mean of four of MNIST's) in four levels: sequences of 196 tokens, on which the same
# `GPT` is trained.
#
# | | steps | time | nats per test image |
# | --- | --- | --- | --- |
# | QUICK, one CPU core | 150 | 22 s of processor time | 69 |
# | full, T4 | 3,000 | about 4 min (an estimate) | not measured |


# %% role="given"
LEVELS, SIDE = 4, 14


def small_digits(split: str) -> Tensor:
    """Levels (N, 196) of the digits of a split, as means of 2 x 2 pixels."""
    images = data.mnist(split)[0].float()
    return quantise(F.avg_pool2d(images[:, None], 2)[:, 0].round().to(torch.uint8), LEVELS)


def train_on_images(idx: Tensor, steps: int, cfg: GPTConfig, batch: int = 32) -> GPT:
    """A GPT trained on images idx (N, T); resumes from its checkpoint."""
    torch.manual_seed(0)
    model = GPT(cfg).to(here.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)
    settings = {"steps": steps, "batch": batch, "cfg": str(cfg)}
    run = resumable("checkpoints/image_gpt.safetensors", {}, made_by=(GPT, image_nll), settings=settings)
    if run.state:
        unpack(run.state, model=model, optimizer=optimizer)
    for step in run.steps(steps, "image GPT"):
        optimizer.param_groups[0]["lr"] = 3e-3 * min((step + 1) / 20, 1.02 - step / steps)
        rows = torch.randint(len(idx), (batch,), generator=torch.Generator().manual_seed(step))
        loss = image_nll(model, idx[rows].to(here.device), LEVELS).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 100.0)
        optimizer.step()
        run.state = pack(model=model, optimizer=optimizer)
        if step % 10 == 0:
            run.log(nats=loss.item())
    return model.eval()


# %% role="run"
with experiment("a GPT for digits", smaller="batch = 16"):
    D_train, D_test = small_digits("train"), small_digits("test")
    width, layers, steps, batch = (64, 2, 150, 32) if QUICK else (128, 4, 3000, 64)
    image_gpt = train_on_images(D_train, steps, GPTConfig(LEVELS + 1, SIDE * SIDE, layers, 4, width), batch)
    with torch.no_grad():
        test_nats = image_nll(image_gpt, D_test[:200].to(here.device), LEVELS).mean().item()
    blind = SIDE * SIDE * math.log(LEVELS)
    shares = torch.bincount(D_train.flatten(), minlength=LEVELS).double() / D_train.numel()
    alone = float(-SIDE * SIDE * (shares * shares.log()).sum())
    by_pair = float(nll(bigram_mle(D_train.flatten(), LEVELS, 1.0), D_test.flatten()).mean()) * SIDE * SIDE
    figures.ladder(
        {"blind": blind, "each pixel alone": alone, "the pixel before": by_pair, "GPT": test_nats},
        xlabel="nats per image, on test digits",
    )

# %% role="run"
with experiment("where the surprise is, and how digits may go on"), torch.no_grad():
    shown = D_test[[0, 3, 5, 8, 11, 13]].to(here.device)
    tokens = torch.cat([torch.full_like(shown[:, :1], LEVELS), shown[:, :-1]], dim=1)
    surprise = F.cross_entropy(image_gpt(tokens).mT, shown, reduction="none").cpu()  # (6, 196)
    figure, axes = plt.subplots(2, 6, figsize=(9, 3.2), layout="constrained")
    for (above, below), levels, nats in zip(axes.T, shown.cpu(), surprise, strict=True):
        above.imshow(dequantise(levels[None], LEVELS, SIDE)[0], cmap="gray_r", vmin=0, vmax=1)
        below.imshow(nats.reshape(SIDE, SIDE), cmap="Oranges", vmin=0, vmax=3)
        below.set_title(f"{nats.sum():.0f} nats", fontsize=9)
        above.axis("off")
        below.axis("off")
    figures.show(figure, "Six digits, and under each the surprise of its pixels, most of it along the strokes.")

    half = SIDE * SIDE // 2
    us = torch.rand(6 * 8, half, generator=torch.Generator().manual_seed(0)).to(here.device)
    halves = shown[:, :half].repeat_interleave(8, dim=0)
    drawn = complete(image_gpt, halves, us, LEVELS).reshape(6, 8, -1)
    blank = torch.cat([shown[:, :half], torch.zeros_like(shown[:, half:])], dim=1)
    sheet = torch.cat([shown[:, None], blank[:, None], drawn], dim=1).flatten(0, 1).cpu()
    figures.patches(
        dequantise(sheet, LEVELS, SIDE).flatten(1), "a digit, what is given, eight ways to go on", columns=10
    )

# %% [markdown] role="text"
# **Look.** Where does the model pay most: on the outline, inside a stroke, on empty paper? Which upper halves leave
# open what digit it is, and do the completions know? Compare with the filling of holes by diffusion in problem set 3,
# which had to be told how to respect the given pixels.
#
# ### x4d. Orders and levels (written, 2 points)
#
# 1. The chain rule holds for any order of the pixels. Why is it then not the same which order a model is trained in?
#    Which questions of the form "given these pixels, draw those" does the model above answer exactly by running it
#    forward, and what would completing the *upper* half take? State it as a formula, and say what one would do in
#    practice. (1 point)
# 2. With $K$ levels, a model of grey values that is perfect has the nats per image $N_K$. Show that for a smooth
#    density $f$ of the images in $[0,1]^D$, $N_{2K}-N_K\to D\log2$ as $K\to\infty$, so that nats of different $K$
#    cannot be compared as they are. MNIST's grey values are mostly exactly 0. What does this mean for $N_{2K}-N_K$
#    there, and what for a *density* model of such images, a flow for example? (1 point)

# %% [markdown] role="written" part="x4d"
# ### BEGIN SOLUTION
# **1.** For the true distribution every order gives the same probability. A model with limited data and computation
# learns the conditionals of its own order only, and these differ in how hard they are and in what it can use of them:
# in raster order a pixel has all above it and left of it at hand; in a random order its neighbours may be far in the
# future. Run forward, the model answers exactly: given the first $t$ pixels *in its order*, draw the rest (or any
# function of it). The upper half given the lower half is
# $p(u\mid l)=p(u)\,p(l\mid u)/\sum_{u'}p(u')\,p(l\mid u')$, with a sum over all $K^{98}$ upper halves. Each term is one
# call of the model, the sum is out of reach. In practice: train another model in the reversed order, or one on many
# orders; or draw many $u$ from $p(u)$ and weight or resample them by $p(l\mid u)$, or a Markov chain over $u$, both of
# which are slow as hardly any $u$ fits.
#
# **2.** A cell of the grid has the side $1/K$ and the probability $\approx f(x)K^{-D}$, so that
# $N_K=-\sum P\log P\approx-\int f\log f+D\log K$ and $N_{2K}-N_K\to D\log2$: each doubling costs one bit per pixel,
# however good the model is. The number depends on the unit of measurement, like a density. A pixel that is exactly 0 is
# in the lowest cell for every $K$: it costs nothing more when cells are halved. So the increase is about $\log2$ times
# the number of pixels that are *not* at a fixed value, far below $D\log2$. There is no smooth density: as a density
# model, one may put the mass of these pixels into an ever thinner spike at 0, and its log-likelihood grows without
# bound. This is why flows are trained on grey values with uniform noise added (dequantisation), where the density is
# bounded and the result bounds the likelihood of the discrete image.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: a learnt order has its own conditionals, and prefixes of it are what can be given
# - 0.5 points: the formula for the upper half with its intractable sum, and a practical way
# - 0.5 points: the cell's probability, and D log 2 for each doubling
# - 0.5 points: an atom at 0 adds nothing, and makes densities unbounded without dequantisation
# ### END MARK SCHEME
