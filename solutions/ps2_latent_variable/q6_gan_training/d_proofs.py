# %% [markdown] role="text"
# **Look.** By which factor has the minimax gradient shrunk, and by which factor $D$'s loss? Compare with the slope
# $-\sigma(f)$ of 5d; the rest is $\nabla_xD$, which grows. Where do you see its growth alone?
#
# ### 6d. What a perfect discriminator does to the generator (written, 2 points)
#
# Images lie on thin sets, so that early in training $p$ and $q$ do not overlap and a discriminator can be *perfect*:
# right on all real and all fake examples.
#
# 1. Write the gradient of the generator's loss with respect to $\theta$, for one fake $x=G_\theta(z)$, as a product of
#    three factors, one of which depends on `kind`. Which factor vanishes in the minimax game? The non-saturating loss
#    repairs that factor. Give a perfect discriminator for which its gradient vanishes all the same, and conclude what
#    a better *loss* alone cannot do. (1 point)
# 2. In the theory of question 5, the discriminator *should* be optimal at every step. In practice, one trains $D$ for a
#    single step per step of $G$. Explain this apparent contradiction, and name two remedies that allow a well-trained
#    $D$ (look ahead to question 7 for one), each with the factor of part 1 that it repairs. (1 point)

# %% [markdown] role="written" part="6d"
# ### BEGIN SOLUTION
# **1.** With the logit $f=D(x)$ and $\ell$ the loss of one logit,
#
# $$\nabla_\theta\,\ell\big(D(G_\theta(z))\big)=\ell'(f)\cdot\nabla_xD(x)^\top\cdot\frac{\partial
# G_\theta(z)}{\partial\theta}.$$
#
# Only $\ell'$ depends on the game. For minimax it is $-\sigma(f)\approx-e^{f}\to0$ when $D$ is sure of the fake. For
# the non-saturating loss it is $-\sigma(-f)\to-1$. But let $D$ be constant, $-c$, in a neighbourhood of all fakes, and
# $+c$ around all real examples (with disjoint closed sets, a smooth $D$ of this kind exists). It is perfect for every
# $c>0$, and the *second* factor, $\nabla_xD$, is zero: no loss of $f$ alone can turn that into a direction. (Arjovsky
# and Bottou, 2017, theorems 2.1 and 2.4.)
#
# **2.** The optimal $D$ gives the divergence, but for $p$ and $q$ without overlap that divergence is constant (5c), so
# its gradient is zero or arbitrary. A $D$ that is only partly trained is smooth: its logits are moderate and still
# slope from the fakes towards the data, which is a useful direction though not the gradient of any divergence.
# Remedies: *noise* added to real and fake inputs makes $p$ and $q$ overlap, so that the best logit is finite and slopes
# everywhere (both first factors); a *Lipschitz* critic with the Wasserstein loss (question 7) has $\ell'=-1$ and at its
# optimum $\lVert\nabla_xD\rVert=1$ on the way between fakes and data. (Also accepted: a penalty on $\nabla_xD$ at
# the data, label smoothing for the first factor.)
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the chain rule's three factors; a D that is locally constant around the fakes, which no loss of f can mend
# - 1 point: an optimal D is flat without overlap, a half-trained one slopes; two remedies with what each repairs
# ### END MARK SCHEME

# %% [markdown] role="text"
# ### 6e. Lost modes (written, 2 points)
#
# 1. Hold $D$ fixed and train $G$ to the end, for any game of question 5 except least squares. Assume that $D$ has one
#    maximum. What is $G(z)$ then, for every $z$? Explain with it why the order of $\min_G\max_D$ matters, and why
#    alternating steps may chase each other around the ring. Why does conditioning help? (1 point)
# 2. A generator has 8 covered modes and 100 % good samples. Describe two quite different ways in which it may
#    nevertheless be a bad model of the ring, and for each one a number that would reveal it. (1 point)

# %% [markdown] role="written" part="6e"
# ### BEGIN SOLUTION
# **1.** The loss is a mean of a decreasing function of $D(G(z))$ over $z$, so each $z$ can be treated alone:
# $G(z)=\arg\max_xD(x)$, the *same* point for all $z$. In $\min_G\max_D$ the discriminator answers the generator: a
# collapsed $G$ is punished at once, and $q=p$ is best. In $\max_D\min_G$ the generator answers, and its best answer is
# always a single point. Alternating steps do not know which of the two they are. When $G$ moves fast, it gathers where
# $D$ is highest; $D$ then learns to call that place fake, its maximum moves to a mode without samples, and $G$
# follows, around the ring. With labels, the discriminator judges each label by itself: collapse *between* modes is
# visible to it as a wrong label, so that at least every label keeps its own point. Collapse *within* a label is not
# prevented.
#
# **2.** (a) *Weights*: 99 % of the samples in one mode and one in each of the others still cover 8 modes. Compare the
# shares of good samples per mode with 1/8, for instance by their KL divergence. (b) *Spread*: within every mode, all
# samples sit on one point, the centre (or on a few training points that were learnt by heart). Compare the variance
# within each mode with $0.1^2$, or look at the distances to the nearest training example and to the nearest other
# sample.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: every z goes to the maximiser of D; the two orders of min and max; the chase; labels keep modes apart
# - 1 point: unequal weights and collapse (or copies) within modes, each with a number that shows it
# ### END MARK SCHEME
