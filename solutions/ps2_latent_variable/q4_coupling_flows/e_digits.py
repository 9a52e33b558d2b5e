# %% [markdown] role="text"
# ### The same on images
#
# Four layers with checkerboards, a squeeze, and four layers that mask channels: enough to see what a likelihood on
# images buys. Pixels pass through the logit of question 3, and the result is in bits per dimension, so a uniform model
# has 8. On 8-bit MNIST a simple flow that is trained for long reaches about 1.1. In `QUICK` mode you see where the
# training starts, and no digits yet.
#
# > **Time.** `QUICK` (100 steps): 9 s on one core of a busy AMD EPYC (measured). Full (6,000 steps): about 5 minutes on
# > a T4 (estimate), 2 GB.


# %% role="given"
class DigitFlow(nn.Module):
    """Checkerboards at 28 x 28, then channels at 14 x 14."""

    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        self.fine = RealNVP(checkerboard_mask(28, 28), [CouplingCNN(1, hidden) for _ in range(4)])
        channels = torch.tensor([1.0, 0.0, 0.0, 1.0]).reshape(4, 1, 1)
        self.coarse = RealNVP(channels, [CouplingCNN(4, hidden) for _ in range(4)])

    def log_prob(self, y: Tensor) -> Tensor:
        """Log-density (B,) of logit images y (B, 1, 28, 28)."""
        middle, logdet = self.fine(y)
        return self.coarse.log_prob(squeeze(middle)) + logdet

    def sample(self, z: Tensor) -> Tensor:
        """Logit images (B, 1, 28, 28) from standard normal z (B, 4, 14, 14)."""
        return self.fine.sample(unsqueeze(self.coarse.sample(z)))


# %% role="run"
def digit_bits(flow: nn.Module, images: Tensor, seed: int) -> Tensor:
    """Bits per dimension (B,) of images (B, 28, 28) uint8."""
    u = torch.rand(len(images), 784, generator=torch.Generator().manual_seed(seed)).to(here.device)
    y, logdet = logit_preprocess(images.flatten(1).to(here.device), u)
    return bits_per_dim(flow.log_prob(y.reshape(-1, 1, 28, 28)) + logdet, 784)


with experiment("RealNVP on digits", smaller="size = 32"):
    torch.manual_seed(0)
    new = DigitFlow(16 if QUICK else 48).to(here.device)
    steps, size, rate = 100 if QUICK else 6000, 32 if QUICK else 64, 1e-3  # size: digits in a batch
    adam = torch.optim.Adam(new.parameters(), lr=rate)
    training = resumable(
        "checkpoints/digit_flow.safetensors",
        pack(flow=new, adam=adam),
        made_by=(DigitFlow, digit_bits),
        settings={"steps": steps, "size": size, "rate": rate},
    )
    unpack(training.state, flow=new, adam=adam)
    for step in training.steps(steps, "digits"):
        batch = torch.randint(len(digits_train), (size,), generator=torch.Generator().manual_seed(step))
        loss = digit_bits(new, digits_train[batch], step).mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(new.parameters(), 1.0)
        adam.step()
        training.state = pack(flow=new, adam=adam)
        training.log(bits=loss.item())
    pixel_flow = new
    with torch.no_grad():
        test_bits = digit_bits(pixel_flow, digits_test[:200], seed=0).mean().item()
        noise = torch.randn(40, 4, 14, 14, generator=torch.Generator().manual_seed(5))
        drawn = pixel_flow.sample(noise.to(here.device)).sigmoid().flatten(1).cpu()
    figures.curves({"RealNVP": training.history["bits"]}, ylabel="bits per dimension", xlabel="step", title="digits")
    figures.patches(drawn, f"samples of the flow: {test_bits:.2f} bits per dimension", columns=20)

# %% [markdown] role="text"
# **Look.** A flow that is far better than 8 bits may still draw poor digits. Where do the bits come from? (How many
# bits does it cost to say that a corner is black?) Compare with the samples of your autoencoder in question 2: which
# model do you think has learnt more about digits, and what does your number say about that?
