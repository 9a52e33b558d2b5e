# %% [markdown] role="text"
# ## 4. The cache (10 points)
#
# ### 4a. How large is it? (code, 1 point)
#
# Write `cache_bytes`.


# %% role="answer" part="4a"
def cache_bytes(cfg: GPTConfig, B: int, T: int, bytes_per_number: int = 4) -> int:
    """Bytes of the keys and values of B sequences of T tokens in all layers of a model."""
    ### BEGIN SOLUTION
    return 2 * cfg.n_layer * B * T * cfg.n_embd * bytes_per_number
    ### END SOLUTION


# %% [markdown] role="text"
# ### 4b. Attention with a memory (code, 4 points)


# %% role="answer" part="4b"
class CachedAttention(CausalSelfAttention):
    """Your attention, with the same weights, that may keep keys and values in a dict."""

    def forward(self, x: Tensor, cache: dict | None = None) -> Tensor:
        """The answers (B, T, C) to the tokens x (B, T, C), which follow those in the cache; they join it."""
        ### BEGIN SOLUTION
        if cache is None:
            return super().forward(x)
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.cfg.n_head, -1).permute(2, 0, 3, 1, 4)  # each (B, H, T, D)
        past = cache["v"].shape[2] if cache else 0
        positions = torch.arange(past, past + T, device=x.device)
        q, k = rotate(q, positions), rotate(k, positions)
        if past:
            k, v = torch.cat([cache["k"], k], dim=2), torch.cat([cache["v"], v], dim=2)
        cache["k"], cache["v"] = k, v
        mask = torch.ones(T, past + T, dtype=torch.bool, device=x.device).tril(past)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(B, T, C))
        ### END SOLUTION


# %% [markdown] role="text"
# ### 4c. The model (code, 3 points)


# %% role="answer" part="4c"
class CachedGPT(GPT):
    """Your GPT with CachedAttention in its blocks; parameters have the same names, so weights can be loaded."""

    def __init__(self, cfg: GPTConfig) -> None:
        super().__init__(cfg)
        ### BEGIN SOLUTION
        for block in self.blocks:
            block.attn = CachedAttention(cfg)
        ### END SOLUTION

    def forward(self, idx: Tensor, cache: list[dict] | None = None) -> Tensor:
        """Logits (B, T, V) of the tokens idx (B, T), which follow those in the cache (a dict for each layer)."""
        ### BEGIN SOLUTION
        if cache is None:
            return super().forward(idx)
        x = self.embedding(idx)
        for block, own in zip(self.blocks, cache, strict=True):
            x = block(x, own)
        return self.head(self.norm(x))
        ### END SOLUTION


# %% role="given" id="new-cache"
def new_cache(model: CachedGPT) -> list[dict]:
    """An empty cache: a dict for each layer."""
    return [{} for _ in range(model.cfg.n_layer)]


def with_cache(model: GPT) -> CachedGPT:
    """A CachedGPT with a copy of the model's weights, on its device, in evaluation mode."""
    cached = CachedGPT(model.cfg).to(next(model.parameters()).device)
    cached.load_state_dict(model.state_dict())
    return cached.eval()
