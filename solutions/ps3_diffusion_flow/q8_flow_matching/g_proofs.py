# %% [markdown] role="text"
# ### 8f. From pairs to a field (written, 3 points)
#
# 1. Let $p_t$ be the density of $x_t$ and $v^\star(x,t)=\mathbb E[x_1-x_0\mid x_t=x]$. For any smooth test function
#    $\phi$ that vanishes far away, differentiate $\mathbb E[\phi(x_t)]$ with respect to $t$, and derive the continuity
#    equation $\partial_tp_t+\nabla\cdot(p_tv^\star)=0$. Why does it follow that the flow of $v^\star$ carries
#    $\mathcal N(0,I)$ to $p_\text{data}$? (1 point)
# 2. Show that $\mathbb E\lVert v(x_t,t)-(x_1-x_0)\rVert^2=\mathbb E\lVert v(x_t,t)-v^\star(x_t,t)\rVert^2+C$ with a
#    $C$ that does not depend on $v$. What is $C$, when is it zero, and what follows for what you can read off a
#    training curve? (1 point)
# 3. Let the data be $\mathcal N(m,S)$. Derive $v^\star(x,t)=m+\big(tS-(1-t)I\big)\big((1-t)^2I+t^2S\big)^{-1}(x-tm)$.
#    For $S=s^2I$, show that the trajectory from $x_0$ is $tm+\sqrt{(1-t)^2+t^2s^2}\;x_0$. Where does it end, is it
#    straight, and where does a single Euler step end? (1 point)

# %% [markdown] role="written" part="8f"
# ### BEGIN SOLUTION
# **1.** With $\dot x_t=x_1-x_0$ the chain rule gives
#
# $$ \frac{d}{dt}\int\phi\,p_t\,dx=\frac{d}{dt}\mathbb E[\phi(x_t)]=\mathbb E[\nabla\phi(x_t)^\top(x_1-x_0)]
# =\mathbb E\big[\nabla\phi(x_t)^\top\,\mathbb E[x_1-x_0\mid x_t]\big]=\int\nabla\phi^\top v^\star p_t\,dx
# =-\int\phi\,\nabla\cdot(p_tv^\star)\,dx. $$
#
# The third step is the tower property, the last one integration by parts. As this holds for every $\phi$,
# $\partial_tp_t=-\nabla\cdot(p_tv^\star)$. The density $q_t$ of a crowd that follows $v^\star$ satisfies the same
# equation (the same computation with $\dot x=v^\star(x,t)$) and starts from the same $q_0=p_0=\mathcal N(0,I)$. The
# equation has one solution for a given start if $v^\star$ is regular enough (Lipschitz in $x$), so $q_t=p_t$ at all
# times, and $q_1=p_1=p_\text{data}$.
#
# **2.** Write $u=x_1-x_0$ and insert $v^\star$: $\lVert v-u\rVert^2=\lVert v-v^\star\rVert^2+2(v-v^\star)^\top
# (v^\star-u)+\lVert v^\star-u\rVert^2$, all at $(x_t,t)$. Given $x_t$ and $t$, $v-v^\star$ is fixed and $\mathbb
# E[v^\star-u\mid x_t]=0$, so the middle term has mean zero. Hence $C=\mathbb E\lVert u-v^\star\rVert^2$, the mean of
# the conditional variance of the velocity. It is zero only if $x_t$ determines $u$: when almost no two lines meet. For
# independent couples that is never so, unless the data is a single point (at $t=0$ alone it is the whole variance of
# the data). So the curve levels off at an unknown positive number; its height says nothing about the error $\lVert
# v-v^\star\rVert^2$, a fall by little may be a large part of the excess, and losses of different couplings cannot be
# compared.
#
# **3.** $(u,x_t)$ is jointly normal with $\mathbb E u=m$, $\mathbb E x_t=tm$, $\operatorname{Cov}(u,x_t)=
# \operatorname{Cov}(x_1-x_0,(1-t)x_0+tx_1)=tS-(1-t)I$ and $\operatorname{Cov}(x_t)=(1-t)^2I+t^2S$. The mean of one part
# of a normal vector given the other is the formula. For $S=s^2I$ let $\sigma_t^2=(1-t)^2+t^2s^2$; then
# $\dot\sigma_t=(ts^2-(1-t))/\sigma_t$, so $v^\star=m+\frac{\dot\sigma_t}{\sigma_t}(x-tm)$. For $x_t=tm+\sigma_tx_0$:
# $\dot x_t=m+\dot\sigma_tx_0=v^\star(x_t,t)$, and $x_t=x_0$ at $t=0$. It ends at $m+sx_0$. For $s>0$, $\sigma_t$ is not
# linear in $t$, so the path is not run through at constant speed. As a set it is straight where $m=0$ or $x_0$ is
# parallel to $m$ (in one dimension always); otherwise it is bent. A single Euler step from $t=0$ has $v=m-x_0$ and ends
# at $m$, for every $x_0$: all samples are the mean.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: the continuity equation from a test function, with the tower property and integration by parts
# - 0.5 points: same start, same equation, unique solution, hence the data's density at t = 1
# - 0.5 points: the cross term vanishes, so the two losses differ by a constant
# - 0.5 points: C is the mean conditional variance, positive where lines meet; the level of the loss is no measure
# - 0.5 points: the velocity from the joint normal distribution, with the covariance of u and x_t
# - 0.5 points: the trajectory solves the equation and ends at m + s x0, not at constant speed; Euler lands on m
# ### END MARK SCHEME

# %% [markdown] role="text"
# ### 8g. Crossing, coupling and the way back to diffusion (written, 2 points)
#
# 1. Lines of pairs cross, trajectories of a (Lipschitz) field cannot: why? In one dimension, for any data with a
#    density, conclude what map the flow from $t=0$ to $1$ is, whatever the coupling. Then show that reflow does
#    not increase the mean squared distance of the couples: with $(x_0,z_1)$ the end of $x_0$'s trajectory,
#    $\mathbb E\lVert z_1-x_0\rVert^2\le\mathbb E\lVert x_1-x_0\rVert^2$. (1 point)
# 2. Let $\tilde x_\tau=\alpha_\tau x_1+\sigma_\tau x_0$ be another path between the same noise and data, such as
#    diffusion's with $\alpha=\sqrt{\bar\alpha}$, $\sigma=\sqrt{1-\bar\alpha}$. Find $c_\tau$ and $t(\tau)$ with
#    $\tilde x_\tau=c_\tau\,x_{t(\tau)}$. Conclude that DDIM's equation (its limit of many steps) and flow
#    matching have the same trajectories up to this scaling and clock, and the same map from noise to data. What,
#    then, can differ between a diffusion and a flow-matching model? Name three things. (1 point)

# %% [markdown] role="written" part="8g"
# ### BEGIN SOLUTION
# **1.** If two trajectories met at $(x,t)$, both would solve the same equation from the same point, forward and
# backward, and a Lipschitz field has only one solution. Lines of pairs belong to no field: at a crossing there are two
# velocities. In one dimension, curves that do not cross keep their order, so the map is increasing; and it carries
# $\mathcal N(0,1)$ to $p_\text{data}$. There is only one increasing map that does: $F^{-1}_\text{data}\circ\Phi$, the
# quantile function, whatever the coupling was. For the distance: $z_1-x_0=\int_0^1v^\star(z_t,t)\,dt$, so by Jensen's
# inequality (over the time), since $z_t$ has the density $p_t$, and by Jensen again (over $u$ given $x_t$),
#
# $$ \mathbb E\lVert z_1-x_0\rVert^2\le\int_0^1\mathbb E\lVert v^\star(z_t,t)\rVert^2dt=\int_0^1\mathbb E\big\lVert
# \mathbb E[x_1-x_0\mid x_t]\big\rVert^2dt\le\int_0^1\mathbb E\lVert x_1-x_0\rVert^2dt
# =\mathbb E\lVert x_1-x_0\rVert^2 . $$
#
# (The same holds for every convex cost; Liu, Gong and Liu, theorem 3.5.)
#
# **2.** $\tilde x_\tau=(\alpha_\tau+\sigma_\tau)\big(\frac{\alpha_\tau}{\alpha_\tau+\sigma_\tau}x_1+
# \frac{\sigma_\tau}{\alpha_\tau+\sigma_\tau}x_0\big)$, so $c_\tau=\alpha_\tau+\sigma_\tau$ and
# $t=\alpha_\tau/(\alpha_\tau+\sigma_\tau)$: $t/(1-t)$ is the ratio of signal to noise. The marginal velocity of
# $\tilde x$ is $\mathbb E[\dot{\tilde x}\mid\tilde x]=\dot c\,x_t+c\,\dot t\,v^\star(x_t,t)$ with $x_t=\tilde x/c$,
# because $\dot{\tilde x}=\dot cx_t+c\,\dot t\,(x_1-x_0)$ and conditioning on $\tilde x$ is conditioning on $x_t$. A
# trajectory $x_t$ of flow matching, run at time $t(\tau)$ and scaled by $c_\tau$, therefore solves the equation of the
# other path. At the ends $c=1$ (for diffusion $\alpha+\sigma=1$ at both), so noise and datum are the same couple. What
# can differ: which time steps are trained on and how often (the weight of each noise level in the loss); what the
# network is asked to predict (noise, data or velocity), hence the weight again and the error at both ends; where a
# solver puts its steps and what it holds constant within one, hence the error of few steps. (Also: the coupling, as
# after reflow, which diffusion has no counterpart to; the source need not be Gaussian.)
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: uniqueness of solutions; in one dimension the increasing map, that is, the quantile function
# - 0.5 points: the inequality, by Jensen over time and Jensen over the conditional mean
# - 0.5 points: the scaling and the clock, and that velocities, hence trajectories, correspond
# - 0.5 points: three differences, such as weights over time, what is predicted, and the solver's grid
# ### END MARK SCHEME
