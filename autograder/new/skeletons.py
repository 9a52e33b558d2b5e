"""The three files of a new question. They lint and build; verify refuses them with what to write next."""

from collections.abc import Mapping
from pathlib import Path
from string import Template

SOURCE = Template('''\
# %% [markdown] role="text"
# ## $number. $title ($points points)
#
# Say why this is worth asking, in a paragraph. Then the mathematics, with its source (paper and equation):
#
# $$$$ \\text{what is asked} = \\text{a formula with shapes} $$$$

# %% [markdown] role="text"
# ### ${number}a. $title (code, $code points)
#
# Say what to write, with shapes, conventions and about how many lines.


# %% role="answer" part="${number}a"
def $name(x: Tensor) -> Tensor:
    """What it returns (N, D) for x (N, D)."""
    ### BEGIN SOLUTION
    return x.clone()  # the reference solution
    ### END SOLUTION


# %% role="check" part="${number}a"
with check("${number}a") as c:
    c.shape($name(torch.ones(3, 2, dtype=torch.float64)), (3, 2), "$name(x)")

# %% [markdown] role="text"
# ### ${number}b. What you saw (written, $written points)
#
# Ask about a figure, or for a derivation.

# %% [markdown] role="written" part="${number}b"
# ### BEGIN SOLUTION
# The model answer.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - $written points: what earns them
# ### END MARK SCHEME
''')

HIDDEN = Template('''\
"""Question $number: $lower. Oracles: name them here; none of them may share code with the reference solution."""

from autograder.testing import expect_shape, expect_true, normal, points


@points($code, part="${number}a", hint="name the idea that a failing answer misses, never the value")
def test_${name}_is_right(ps, rng):
    """State the claim here: students read it."""
    x = normal(rng, 4, 3)
    expect_shape(ps.$name(x), 4, 3)
    expect_true(False, "this test is still the skeleton: compare ps.$name(x) with an independent oracle")
''')

VARIANTS = Template("""\
from autograder.verify.variants import right, wrong


@wrong("$name")
def name_the_mistake_here(x):
    return -x


@right("$name")
def name_the_other_way_here(x):
    return 1.0 * x
""")


def skeletons(set_name: str, question: str) -> Mapping[Path, str]:
    """The new files by their path in the repository, for a question such as "q9_flows"."""
    prefix, _, name = question.partition("_")
    number = prefix.removeprefix("q")
    title = name.replace("_", " ").capitalize()
    values = {
        "number": number,
        "name": name,
        "title": title,
        "lower": title.lower(),
        "points": 8,
        "code": 5,
        "written": 3,
    }
    sources = Path("solutions") / set_name
    return {
        sources / f"{question}.py": SOURCE.substitute(values),
        Path("autograder", "hidden", set_name, f"test_{question}.py"): HIDDEN.substitute(values),
        sources / "variants" / f"{question}.py": VARIANTS.substitute(values),
    }
