# %% [markdown] role="text"
# ### The loop
#
# Now put it together. The optimizer below is PyTorch's frame around your `adamw_step`: it keeps the moments, and lets
# only matrices decay, since a norm's gain that decays to zero would switch its layer off. The loop is the five lines
# that the first paragraph promised, and around them what makes a long run bearable: a checkpoint each minute, the
# curves as they grow, and a sample of text now and then.
#
# **Mixed precision.** On a GPU, matrix products in 16 bits are several times faster. `autocast` does them so and keeps
# the parameters, the loss and the optimizer in 32 bits. There are two formats of 16 bits: bfloat16 has the range of
# float32 and needs nothing else. A T4 has no bfloat16, only float16, whose smallest number is $6\cdot10^{-8}$: small
# gradients would become zero. So the loss is multiplied by a large number before `backward`, and the gradients are
# divided by it *before* they are clipped. If they overflow, the step is left out and the factor halved (Micikevicius et
# al., *Mixed precision training*, 2018). Which of your functions would be wrong if clipping came before the division?


# %% role="given" id="the-loop"
class AdamW(torch.optim.Optimizer):
    """Your `adamw_step` for all parameters; those with one dimension do not decay."""

    def __init__(self, params: Iterable[nn.Parameter], lr: float = 1e-3, weight_decay: float = 0.1) -> None:
        each = list(params)
        groups = [
            {"params": [p for p in each if p.ndim >= 2], "weight_decay": weight_decay},
            {"params": [p for p in each if p.ndim < 2], "weight_decay": 0.0},
        ]
        super().__init__([group for group in groups if group["params"]], {"lr": lr})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One step for every parameter that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                own = self.state[p]
                if not own:
                    own |= {"step": torch.zeros(()), "m": torch.zeros_like(p), "v": torch.zeros_like(p)}
                own["step"] += 1
                adamw_step(
                    p, p.grad, own["m"], own["v"], int(own["step"]), group["lr"], weight_decay=group["weight_decay"]
                )


@dataclass(frozen=True)
class Recipe:
    """How to train: updates, windows of T tokens in a batch of B, rates, and the limit for the gradient's norm."""

    steps: int
    B: int
    T: int
    max_lr: float = 1e-3
    min_lr: float = 1e-4
    warmup: int = 100
    weight_decay: float = 0.1
    max_norm: float = 1.0
    seed: int = 0


def sixteen_bits(device: torch.device) -> torch.dtype | None:
    """The format of matrix products here: bfloat16 where it is fast, float16 on older GPUs, None on a CPU."""
    if device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def update(model: nn.Module, opt: AdamW, scaler: torch.amp.GradScaler, x: Tensor, y: Tensor, max_norm: float) -> Tensor:
    """One update for windows x and targets y, both (B, T); its loss, a scalar that waits on the device."""
    half = sixteen_bits(x.device)
    with torch.autocast(x.device.type, half or torch.bfloat16, enabled=half is not None):
        logits = model(x)
    loss = lm_loss(logits.float(), y)
    opt.zero_grad()
    scaler.scale(loss).backward()
    scaler.unscale_(opt)
    clip_grad_(model.parameters(), max_norm)
    scaler.step(opt)
    scaler.update()
    return loss.detach()


@torch.no_grad()
def evaluate(model: nn.Module, ids: Tensor, T: int, windows: int = 64) -> float:
    """Mean surprise in nats per token of ids (N,), in windows of T tokens that lie evenly apart."""
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    starts = window_starts(len(ids), T, (torch.arange(windows) + 0.5) / windows)
    losses = []
    for some in starts.split(16):
        x, y = get_batch(ids, len(some), T, some)
        losses.append(lm_loss(model(x.to(device)).float(), y.to(device)) * len(some))
    model.train(was_training)
    return (torch.stack(losses).sum() / windows).item()


@torch.no_grad()
def babble(model: nn.Module, start: Tensor, n: int, seed: int = 0) -> Tensor:
    """Ids (n,) that the model draws, one after the other, after the ids start (S,). Question 6 does this well."""
    generator, device = torch.Generator().manual_seed(seed), next(model.parameters()).device
    was_training, ids = model.training, start.clone()
    model.eval()
    for _ in range(n):
        probs = model(ids[None, -model.cfg.block_size :].to(device))[0, -1].float().softmax(0).cpu()
        ids = torch.cat([ids, torch.multinomial(probs, 1, generator=generator)])
    model.train(was_training)
    return ids[len(start) :]


def train(
    model: nn.Module,
    ids_train: Tensor,
    ids_val: Tensor,
    recipe: Recipe,
    name: str,
    decode: Callable[[Tensor], str] | None = None,
) -> dict[str, list[float]]:
    """Train in blocks of 20 updates, with checkpoints, a live plot and (with decode) four samples; the history."""
    device, per_block = next(model.parameters()).device, 20
    opt = AdamW(model.parameters(), weight_decay=recipe.weight_decay)
    scaler = torch.amp.GradScaler(device.type, enabled=sixteen_bits(device) is torch.float16)
    run = resumable(
        f"checkpoints/{name}.safetensors",
        pack(model=model, opt=opt),
        made_by=(get_batch, lm_loss, lr_at, clip_grad_, adamw_step, type(model)),
        settings={"recipe": str(recipe), "model": str(model.cfg), "N": len(ids_train)},
    )
    unpack(run.state, model=model, opt=opt)
    blocks = recipe.steps // per_block
    for block in run.steps(blocks, f"{name}, blocks of {per_block} updates"):
        generator = torch.Generator().manual_seed(1_000_003 * recipe.seed + block)
        losses = []
        for step in range(per_block * block, per_block * (block + 1)):
            for group in opt.param_groups:
                group["lr"] = lr_at(step, recipe.max_lr, recipe.min_lr, recipe.warmup, recipe.steps)
            starts = window_starts(len(ids_train), recipe.T, torch.rand(recipe.B, generator=generator))
            x, y = get_batch(ids_train, recipe.B, recipe.T, starts)
            losses.append(update(model, opt, scaler, x.to(device), y.to(device), recipe.max_norm))
        run.state = pack(model=model, opt=opt)
        run.log(train=torch.stack(losses).mean().item(), val=evaluate(model, ids_val, recipe.T, 16))
        if decode is not None and block + 1 in (1, blocks // 4, blocks // 2, blocks):
            said = decode(babble(model, ids_val[:1], 160))
            print(f"\n--- after {per_block * (block + 1)} updates it writes:\n{said}\n---")
    return run.history


# %% [markdown] role="text"
# Now your GPT learns to write. In QUICK mode it is small and reads a tenth of the text three times; in full mode it is
# as large as nanoGPT's model for this text (Karpathy, 2022), 10.7 million parameters, with contexts of 256 characters.
#
# > **Time.** QUICK (300 updates of 16 x 64 characters, 0.3 million parameters): about 20 s of one core of a Xeon.
# > Full (5,000 updates of 64 x 256): about 10 minutes on a T4 and 2.5 on an A100. These are estimates: 6 times
# > parameters times tokens, at 9 and 35 Tflop/s; on two CPU cores it would take days. Memory: 1 GB in QUICK mode,
# > about 6 GB of the GPU in full mode (estimate). Interrupt the cell whenever you like, and run it again.

# %% role="run"
with experiment("your GPT learns to write", smaller="B=16 in the recipe"):
    torch.manual_seed(0)
    if QUICK:
        gpt = GPT(GPTConfig(len(chars), 64, n_layer=3, n_head=4, n_embd=96)).to(here.device)
        recipe = Recipe(steps=300, B=16, T=64, max_lr=3e-3, min_lr=3e-4, warmup=30)
    else:
        gpt = GPT(GPTConfig(len(chars), 256, n_layer=6, n_head=6, n_embd=384, dropout=0.2)).to(here.device)
        recipe = Recipe(steps=5000, B=64, T=256)
    before = evaluate(gpt, ids_val, recipe.T)
    gpt_history = train(gpt, ids_train, ids_val, recipe, "gpt", decode_chars)
    after = evaluate(gpt, ids_val, recipe.T)
    print(f"validation: {before:.3f} nats per character before, {after:.3f} after; ln 65 = {math.log(65):.3f}")
    lines = {"training": gpt_history["train"], "validation": gpt_history["val"]}
    figures.curves(lines, xlabel="blocks of 20 updates", ylabel="nats per character", title="your GPT learns to write")

# %% [markdown] role="text"
# ![What to expect: both curves fall fast, then slowly; the validation curve ends a little above](figures/learning.png)
#
# These curves are those of a smaller model: 1.8 million parameters, 1,560 updates of 8 x 256 characters, six minutes
# on one core of an Intel Xeon. The curve is drawn from 16 windows of the validation text, which are easier than the
# whole of it: there the model has 1.60 nats per character. It writes:
#
# > Thy farmed here not it Hast expacly in I tose,<br>
# > And pour your namener? hear this being suight,<br>
# > For that's your wake a wices in earler none.<br>
# > But soon my lord, but's his head.<br>
# >
# > PETRUCHIO:<br>
# > Why, I shall wanty prayer in milk moon, he say,<br>
# > inteous defleop with the measure, my point:<br>
# > Father, England that hatef.<br>
#
# **Look.** In which order does the model learn: letters, spaces, the form of a play, names, words, verse? Before the
# first update the surprise is nearly $\ln 65$: what would a larger number tell you? In full mode the training curve
# goes on falling when the validation curve has stopped. How many times has the model read the text by then, and what
# would you change first?
