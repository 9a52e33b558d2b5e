# %% [markdown] role="text"
# ## 8. Your models (10 points)
#
# A language model has the most honest judge there is: text that it has not seen. So the last question has hardly
# anything to write. You hand in three files, and each is judged on passages of plays by Shakespeare that are *not* in
# tiny Shakespeare, in the same form and with the same 65 characters.
#
# | | you hand in | it is judged by | half | full |
# | --- | --- | --- | --- | --- |
# | 8a | a character GPT | its surprise at hidden text, nats per character | at most 1.95 | at most 1.80 |
# | 8b | a tokenizer | hidden text's bytes per token | at least 2.10 | at least 2.37 |
# | 8c | the five models of question 7 | their surprise at hidden text | falls with size | and ends at 2.10 or less |
#
# All thresholds are one-sided, and a better model never scores less. Models of full mode should pass each of them with
# room to spare: the reference GPT, which passes, is six times smaller than yours and was trained on a CPU for 3.2
# million characters only. The files of QUICK mode are there to try the way; they miss most of
# the points.
#
# The hidden text is a little harder than the last tenth of tiny Shakespeare, since its plays have other names and other
# stories: expect up to 0.1 nats more than on `ids_val`, and hardly more from small models. Do not train on other plays.
# It would not be noticed, and you would learn nothing about how well you can do with a million characters.

# %% [markdown] role="text"
# ### 8a. The GPT (artifact, 6 points)
#
# The grader runs **your own** `GPT`: it reads the file with your `read_gpt`, hands in hidden text, and takes the logits
# that come out. So any GPT that question 3 accepts is welcome, whatever its parameters are called. What it asks for:
#
# - 1 point for a model that can be evaluated: at most 11 million parameters, a block size of at least 32, logits (B, T,
#   65) in the order of `chars`, and logits that *do not change when later characters do*. The grader compares passages
#   with their own beginnings.
# - 2 points when hidden text costs at most 1.95 nats per character, in windows of 256 characters (or of your block
#   size, if it is smaller), and 3 more when it costs at most 1.80.
#
# The cell below packs a model into tensors: its sizes, and its parameters in half precision, which is enough to *use* a
# model. Write `read_gpt`, the way back: make a `GPT` of these sizes, load the parameters as float32, and
# switch it to evaluation (why?). Three lines.


# %% role="given" id="packing"
from pathlib import Path

from safetensors.torch import load_file


def saved_file(part: str, file: str) -> dict[str, Tensor]:
    """The tensors of a file that the cell above has saved."""
    if not Path(file).exists():
        raise NotImplementedError(f"Question {part}: {file}, which the cell above saves")
    return load_file(file)


def gpt_tensors(model: GPT, prefix: str = "") -> dict[str, Tensor]:
    """The model as tensors: "sizes" (5,) int64, and each parameter in half precision under "gpt." and its name."""
    cfg = model.cfg
    sizes = torch.tensor([cfg.vocab_size, cfg.block_size, cfg.n_layer, cfg.n_head, cfg.n_embd])
    own = {f"{prefix}gpt.{name}": tensor.half() for name, tensor in model.state_dict().items()}
    return {f"{prefix}sizes": sizes, **own}


# %% role="answer" part="8a"
def read_gpt(tensors: dict[str, Tensor]) -> GPT:
    """The GPT that `gpt_tensors` has packed, in evaluation mode."""
    ### BEGIN SOLUTION
    model = GPT(GPTConfig(*tensors["sizes"].tolist()))
    own = {name.removeprefix("gpt."): tensor.float() for name, tensor in tensors.items() if name != "sizes"}
    model.load_state_dict(own)
    return model.eval()
    ### END SOLUTION


# %% role="artifact" part="8a" file="ps4_gpt.safetensors"
with experiment("saving the GPT"):
    save_artifact("ps4_gpt.safetensors", gpt_tensors(gpt))

# %% role="check" part="8a"
with check("8a") as c:
    small = GPT(GPTConfig(65, 8, n_layer=1, n_head=2, n_embd=8)).eval()
    again = read_gpt(gpt_tensors(small))
    passage = encode_chars("First Citizen:\nWe are")[None, :8]
    c.close(again(passage), small(passage), "read again, a model says what it said", rtol=0.01, atol=0.01)
    c.true(not again.training, "it is in evaluation mode")
    saved = read_gpt(saved_file("8a", "ps4_gpt.safetensors")).to(here.device)
    nats = evaluate(saved, ids_val, min(256, saved.cfg.block_size))
    print(f"public validation text: {nats:.3f} nats per character; on hidden text, 1.95 and 1.80 count")

# %% [markdown] role="text"
# ### 8b. The tokenizer (artifact, 2 points)
#
# The cell saves the vocabulary and the merges of your tokenizer, `bpe` of question 1: tokens as bytes, one after the
# other, with their lengths, and each merge as the two ids of its parts. The grader encodes the hidden text by applying
# your merges in their order, piece by piece. A vocabulary may have at most 1,300 tokens. With the 256 bytes and 1,000
# merges of the whole training text you get both points; merges of a tenth of the text know too few words.


# %% role="given" id="tokenizer-tensors"
def tokenizer_tensors(vocab: dict[int, bytes], merges: list[tuple[bytes, bytes]]) -> dict[str, Tensor]:
    """A vocabulary and its merges as tensors: "ids", "lengths" and "bytes" of the tokens, "merges" as pairs of ids."""
    number = {token: i for i, token in vocab.items()}
    tokens = [vocab[i] for i in sorted(vocab)]
    return {
        "ids": torch.tensor(sorted(vocab)),
        "lengths": torch.tensor([len(token) for token in tokens]),
        "bytes": torch.tensor(list(b"".join(tokens)), dtype=torch.uint8),
        "merges": torch.tensor([[number[a], number[b]] for a, b in merges]).reshape(-1, 2),
    }


# %% role="artifact" part="8b" file="ps4_tokenizer.safetensors"
with experiment("saving the tokenizer"):
    save_artifact("ps4_tokenizer.safetensors", tokenizer_tensors(bpe_vocab, bpe_merges))

# %% role="check" part="8b"
with check("8b") as c:
    saved = saved_file("8b", "ps4_tokenizer.safetensors")
    c.equal(int(saved["lengths"].sum()), len(saved["bytes"]), "the lengths are those of the tokens")
    c.true(saved["lengths"].eq(1).sum() >= 256, "every byte is a token, so that every text can be encoded")
    c.true(len(saved["ids"]) <= 1300, "at most 1,300 tokens")
    sample = text_val[:20_000]
    ratio_val = len(sample.encode()) / len(bpe.encode(sample))
    print(f"public validation text: {ratio_val:.3f} bytes per token; on hidden text, 2.10 and 2.37 count")

# %% [markdown] role="text"
# ### 8c. Five sizes (artifact, 2 points)
#
# The cell saves the five models of question 7. The grader reads each with `read_gpt` (a block size of at least 32, as
# in 8a) and computes their surprise at the hidden text. One point when the largest has at least 50 times the parameters
# of the smallest, and each is surprised less than the next smaller one; another when, moreover, the largest is
# surprised by at most 2.10 nats. (It has at most 1 million numbers.)

# %% role="artifact" part="8c" file="ps4_scaling.safetensors"
with experiment("saving the five models"):
    packed = {}
    for i, model in enumerate(scaling_models):
        packed |= gpt_tensors(model, f"{i}.")
    save_artifact("ps4_scaling.safetensors", packed)

# %% role="check" part="8c"
with check("8c") as c:
    saved = saved_file("8c", "ps4_scaling.safetensors")
    each = [
        read_gpt({name.removeprefix(f"{i}."): t for name, t in saved.items() if name.startswith(f"{i}.")}).to(
            here.device
        )
        for i in range(5)
    ]
    nats = [evaluate(model, ids_val, model.cfg.block_size) for model in each]
    c.true(nats == sorted(nats, reverse=True), "more parameters are surprised less, on the public validation text")
    print("nats per character:", ", ".join(f"{loss:.3f}" for loss in nats))
