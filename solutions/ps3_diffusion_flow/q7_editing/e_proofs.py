# %% [markdown] role="text"
# ### 7e. What is exact, and what is not (written, 2 points)
#
# 1. Let the data be two numbers, $(a,b)$, of which $a$ is known, and let every step draw from the exact
#    $q(x_{t-1}\mid x_t)$, not from the Gaussian of 4a. Argue with $T=1$ and $\bar\alpha_0$ near 0 that pasting without
#    resampling draws $b$ from $p(b)$, although the steps are exact. Then let every level change little ($\beta_t$
#    small) and `resample` be large. Why does $b$ then move towards $p_t(b\mid a_t)$ at each level? (Which gradient does
#    $b$ feel while $a_t$ is held near its place? Compare $\partial_b\log p(a,b)$ with $\partial_b\log p(b\mid a)$.)
#    (1 point)
# 2. Derive $A^+=A^\top(AA^\top)^{-1}$ for averages over $k\times k$ blocks, for a mask that *drops* the unknown pixels,
#    and for the grey value $y=w^\top(r,g,b)$ of a pixel. (The code keeps dropped pixels as zeros; $AA^\top$ is then
#    singular, and $A^+=A$.) Show that `consistent` satisfies $Ax=y$ and returns the nearest such point. What does
#    it do to a *noisy* $y$? For SDEdit, compute $\mathrm{KL}\big(q(x_t\mid x)\,\Vert\,q(x_t\mid x')\big)$ for a drawing
#    $x$ and an image $x'$, and say how it guides the choice of the strength. (1 point)

# %% [markdown] role="written" part="7e"
# ### BEGIN SOLUTION
# **1.** With one step from $\bar\alpha_0\approx0$, the state $x_0=(a_0,b_0)$ is pure noise in both coordinates,
# whatever was known: the exact step draws $(a,b)$ from $p(a,b\mid x_0)=p(a,b)$. Then $a$ is replaced by the known
# value, and $b$ stays: a draw from the marginal $p(b)$. The step conditions on the noisy $a_t$, never on $a$ itself,
# and what is pasted afterwards has no way to influence the $b$ that was drawn with another $a$. (4a's step,
# which adds no noise at $t=0$, would return $\mathbb E[b]$: that knows nothing of $a$ either.) In general, the first
# steps decide the coarse shape of $b$ when $a_t$ says almost nothing, and each new paste has independent noise. Going
# back and down at one level is a pair of kernels: add a little noise to $(a,b)$, and draw from $p(x_{t-1}\mid x_t)$.
# Together they leave $p_{t-1}(a,b)$ unchanged, and for small $\beta_t$ they are a step of Langevin dynamics for it.
# Resetting $a$ to a noised known value after each pair leaves $b$ with the drift $\partial_b\log p_{t-1}(a_{t-1},b)$.
# As $\log p(a,b)=\log p(b\mid a)+\log p(a)$, and the last term does not depend on $b$, this is $\partial_b\log
# p_{t-1}(b\mid a_{t-1})$: many repetitions draw $b$ from the conditional of that level. It is exact only in the limit
# of small steps and many repetitions (and conditions on noised values of $a$, whose noise is renewed).
#
# **2.** Averages: each row of $A$ has $k^2$ entries $1/k^2$, rows do not overlap, so $AA^\top=I/k^2$ and
# $A^+=k^2A^\top$: every pixel of a block gets the block's value. Mask: the rows of $A$ are rows of the identity, so
# $AA^\top=I$ and $A^+=A^\top$ (put the values in their places, zero elsewhere). Grey: $AA^\top=\lVert w\rVert^2$ and
# $A^+=w/\lVert w\rVert^2$, so that the correction is along $w$; equal parts only if the weights are equal. With $x=\hat
# x_0+A^+(y-A\hat x_0)$ and $AA^+=I$: $Ax=A\hat x_0+y-A\hat x_0=y$. The change $A^+(\dots)$ lies in the row space of
# $A$; any other solution differs from $x$ by a vector $n$ with $An=0$, orthogonal to the row space, so its squared
# distance is $\lVert x-\hat x_0\rVert^2+\lVert n\rVert^2$, not less. Noise in $y$ is copied: $A^+\eta$ is added to each
# image and the model has no say in it (for averages not even weakened). For SDEdit, two Gaussians with the same
# covariance: $\mathrm{KL}=\frac{\bar\alpha_t}{2(1-\bar\alpha_t)}\lVert x-x'\rVert^2$, half the signal-to-noise ratio
# times the squared distance. While it is large, the noisy drawing is clearly not a noisy image and the model meets what
# it has never seen; when it is of the order of 1, drawing and image cannot be told apart and the sampler makes the one
# from the other. The strength should be the smallest for which the difference to the *nearest* plausible image is
# hidden: more only forgets what the drawing said.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: with one step the known value never influences b, which is drawn from its marginal
# - 0.5 points: going back and down is Langevin dynamics of the joint density, whose slope in b is the conditional's
# - 0.5 points: the three pseudo-inverses, Ax = y and the nearest point by orthogonality, and that noise is copied
# - 0.5 points: the divergence is half the signal-to-noise ratio times the squared distance, and how to use it
# ### END MARK SCHEME
