# %% [markdown] role="text"
# ### 4d. Triangles, masks and what is out of reach (written, 4 points)
#
# 1. Order the coordinates so that those left alone, $x_a$, come first. Write down the Jacobian $\partial z/\partial x$
#    of a coupling layer in blocks, and derive its log-determinant. What does it cost to compute, compared to that of a
#    general map? (1 point)
# 2. Derive the inverse. Why may the network be anything at all, and at which input is it evaluated on the way back?
#    (1 point)
# 3. Show that a flow whose masks never alternate gives $x_a$ a standard normal density, whatever its networks are and
#    whatever the data. With alternating masks, after how many layers can every output depend on every input, for $D =
#    2$, and when both halves have two coordinates or more? (1 point)
# 4. Let $s = 0$ in all layers (NICE, Dinh et al., 2014, without its last scaling). Show that no such flow, however
#    deep, can model a standard normal that is scaled by $1/10$, and give the largest density that it can have anywhere.
#    (1 point)

# %% [markdown] role="written" part="4d"
# ### BEGIN SOLUTION
# **1.** With $z_a = x_a$ and $z_b = x_b \odot e^{s(x_a)} + t(x_a)$,
#
# $$ \frac{\partial z}{\partial x} = \begin{pmatrix}
# I & 0 \\ \partial z_b / \partial x_a & \operatorname{diag} e^{s(x_a)} \end{pmatrix} . $$
#
# It is lower triangular, so its determinant is the product of the diagonal, $\prod_{d \in b} e^{s_d}$, and
# $\log\lvert\det\rvert = \sum_{d \in b} s_d(x_a)$. The block $\partial z_b / \partial x_a$, which holds the derivatives
# of the network, does not enter and need not be computed. The cost is one pass of the network and a sum, of order $D$,
# where a general determinant costs of the order of $D^3$ (and the Jacobian $D$ backward passes).
#
# **2.** From the first block $x_a = z_a$. Then $s(x_a) = s(z_a)$ and $t(x_a) = t(z_a)$ can be computed, and $x_b =
# (z_b - t(z_a)) \odot e^{-s(z_a)}$. The network is evaluated *forward* in both directions, at the same input, the
# coordinates left alone; it is never inverted. It need not be injective, nor have as many outputs as inputs; the
# layer is invertible because $e^s > 0$.
#
# **3.** If all layers leave $x_a$ alone, $z_a = x_a$. Under the model $z \sim \mathcal N(0, I)$, hence
# $x_a = z_a \sim \mathcal N(0, I)$; only $p(x_b \mid x_a)$ is learnt. With alternation, the first layer makes each
# output in $b$ depend on itself and on all of $a$. The second layer makes each output in $a$ depend on itself and on
# all of the new $b$, hence on every input. If $b$ is a single coordinate, as for $D = 2$, it depends on everything
# already, and *two* layers are enough. If $b$ has two coordinates or more, an output in $b$ does not yet depend on the
# other inputs in $b$; the *third* layer brings them in, through $a$, which by then depends on all of them. So three
# layers, for any number of coordinates.
#
# **4.** With $s = 0$ every layer has $\lvert\det\rvert = 1$, and so has the flow. Then $p(x) = \mathcal N(f(x); 0, I)
# \le (2\pi)^{-D/2}$ for every $x$: the density of the standard normal at its mode is the largest that can occur. The
# normal with standard deviation $1/10$ has the density $(2\pi)^{-D/2}\, 10^D$ at its mode, $10^D$ times too much.
# Shifts move volume and never compress it; NICE ends with a learnt diagonal scaling for this reason.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: block triangular Jacobian, sum of the transformed log-scales, order D against order D^3
# - 1 point: the inverse, and that the network is evaluated forward at the coordinates left alone, which are known
# - 1 point: without alternation x_a is standard normal; two layers for D = 2, three for larger halves, with the reason
# - 1 point: volume is preserved, so the density is at most (2 pi)^(-D/2), and the scaled normal exceeds it by 10^D
# ### END MARK SCHEME
