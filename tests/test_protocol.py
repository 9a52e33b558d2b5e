"""The pipe's language: what is sent arrives, and no bytes whatever do more than fail as a BadReply."""

import math
import time
import tracemalloc
from collections import Counter, OrderedDict, namedtuple
from typing import Any

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.testing import non_contiguous
from autograder.worker.outcomes import BadReply, Handle, Raised
from autograder.worker.protocol import HEADER, MAX_DEPTH, MAX_STRUCTURE, Decoder, Encoder, Unsendable, no_handles
from autograder.worker.replies import read_reply

MIB = 2**20
REPEATABLE = settings(deadline=None, derandomize=True, database=None)


def kept(value: Any) -> tuple[int, str]:
    return (7, type(value).__name__)


def resolve(number: int, name: str) -> Any:
    return Handle(number, name, 0)


def encode(value: Any, limit: int = 64 * MIB) -> tuple[bytes, bytes]:
    header, structure, *buffers = Encoder(kept, limit).encode(value)
    data = b"".join(bytes(buffer) for buffer in buffers)
    assert HEADER.unpack(header) == (len(structure), len(data))
    return bytes(structure), data


def decode(structure: bytes, buffers: bytes = b"") -> Any:
    return Decoder(resolve).decode(structure, buffers)


def there_and_back(value: Any) -> Any:
    return decode(*encode(value))


def tokens(*values: Any) -> bytes:
    return b"".join(msgpack.packb(value) for value in values)


def same(got: Any, want: Any) -> bool:
    if isinstance(want, torch.Tensor):
        return got.dtype == want.dtype and got.shape == want.shape and torch.equal(got, want)
    if isinstance(want, np.ndarray | np.generic):
        return type(got) is type(want) and got.dtype == want.dtype and np.array_equal(got, want)
    if isinstance(want, list | tuple):
        return type(got) is type(want) and len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, dict):
        return type(got) is dict and same(list(got), list(want)) and same(list(got.values()), list(want.values()))
    return type(got) is type(want) and (got == want or (got != got and want != want))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.binary() | st.tuples(st.integers(), st.binary()), inner)
    ),
    max_leaves=20,
)
KNOWN = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool, torch.uint8, torch.int8, torch.int16,
    torch.int32, torch.int64, torch.complex64, torch.complex128,
]  # fmt: skip


@given(PLAIN)
@settings(REPEATABLE, max_examples=200)
def test_plain_data_arrives_as_it_was(value: Any) -> None:
    assert same(there_and_back(value), value)


@pytest.mark.parametrize("dtype", KNOWN, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (4,), (2, 3, 5)], ids=str)
def test_tensors_of_every_type_and_shape_arrive_as_they_were(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    value = (torch.arange(math.prod(shape)) % 2).reshape(shape).to(dtype)
    assert same(there_and_back([value, value]), [value, value])


@pytest.mark.parametrize(
    "value",
    [
        torch.arange(12.0).reshape(3, 4).t(),
        torch.arange(12.0)[::5],
        torch.ones(3).expand(2, 3),
        torch.nn.Parameter(torch.ones(2)),
        torch.ones(2, requires_grad=True) * 3,
        torch.tensor([1 + 2j]).conj(),
        torch.tensor([1 + 2j]).conj().imag,
    ],
    ids=["transposed", "strided", "expanded", "parameter", "with a graph", "conjugate", "negated"],
)
def test_a_tensor_arrives_as_its_values_alone(value: torch.Tensor) -> None:
    got = there_and_back(value)
    assert type(got) is torch.Tensor
    assert not got.requires_grad
    assert torch.equal(got, value.detach())


@pytest.mark.parametrize(
    "value",
    [np.arange(6).reshape(2, 3).T, np.array(2.5), np.zeros((0, 3), np.float32), np.array([1, 2], ">i4"), np.float32(3)],
    ids=["transposed", "0-d", "empty", "big-endian", "scalar"],
)
def test_numpy_arrays_and_scalars_arrive(value: Any) -> None:
    got = there_and_back(value)
    assert isinstance(got, type(value))
    assert got.dtype == value.dtype.newbyteorder("=")
    assert np.array_equal(got, value)


def test_an_array_that_arrived_can_be_changed_in_place() -> None:
    tensor, array = there_and_back((torch.zeros(3), np.zeros(3)))
    tensor += 1
    array += 1
    assert tensor.sum() == array.sum() == 3


def test_subclasses_of_plain_types_arrive_as_the_plain_type() -> None:
    Pair = namedtuple("Pair", "a b")
    assert there_and_back(Pair(1, 2)) == (1, 2)
    assert there_and_back(OrderedDict(a=1)) == {"a": 1}
    assert there_and_back(Counter("aab")) == {"a": 2, "b": 1}
    assert there_and_back(torch.ones(2, 3).max(dim=0))[1].dtype == torch.int64


class Liar(list[int]):
    """Claims other contents than it has, through every method that it can override."""

    def __iter__(self) -> Any:
        raise SystemExit

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, key: Any) -> Any:
        raise SystemExit


class EvilTensor(torch.Tensor):
    """Answers every torch function by an exception."""

    @classmethod
    def __torch_function__(cls, *args: Any, **kwargs: Any) -> Any:
        raise SystemExit


def test_the_encoder_reads_around_overridden_methods() -> None:
    assert there_and_back(Liar([1, 2])) == [1, 2]
    assert torch.equal(there_and_back(torch.ones(2).as_subclass(EvilTensor)), torch.ones(2))


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, torch.ones(2, 2).to_sparse(), torch.empty(2, device="meta"), np.array(["a"]), 1 << 10_000],
    ids=["object", "set", "sparse", "meta", "text array", "huge integer"],
)
def test_what_is_not_plain_data_becomes_a_handle(value: Any) -> None:
    assert there_and_back([value]) == [Handle(7, type(value).__name__, 0)]


def test_the_grader_sends_no_object_of_its_own() -> None:
    with pytest.raises(TypeError, match="cannot send object to the worker"):
        Encoder(no_handles, MIB).encode(object())


def test_a_value_that_contains_itself_is_refused_by_the_sender() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(Unsendable, match="deep"):
        encode(ring)


def test_a_value_beyond_the_limit_is_refused_by_the_sender() -> None:
    with pytest.raises(Unsendable, match="large"):
        encode(torch.zeros(MIB), limit=MIB)
    with pytest.raises(Unsendable, match="large"):
        encode("x" * (MAX_STRUCTURE + 1))


LIES = {
    "nothing": b"",
    "two values": tokens(1, 2),
    "half a token": tokens("abc")[:-1],
    "an unknown tag": tokens(b"z"),
    "an empty tag": tokens(b""),
    "a long tag": tokens(b"list"),
    "a msgpack array": tokens([1, 2]),
    "an empty msgpack array": tokens([]),
    "a msgpack map": tokens({1: 2}),
    "an extension": tokens(msgpack.ExtType(4, b"x")),
    "a timestamp": tokens(msgpack.Timestamp(1)),
    "a list that ends early": tokens(b"l", 3, 1),
    "a list of 2**63 items": tokens(b"l", 2**63),
    "a list of -1 items": tokens(b"l", -1),
    "a list of 1.0 items": tokens(b"l", 1.0, 1),
    "a list of True items": tokens(b"l", True, 1),
    "bytes that are not there": tokens(b"b", 10),
    "an unknown dtype": tokens(b"T", "object", 0),
    "a dtype that is a number": tokens(b"T", 3, 0),
    "an object array": tokens(b"A", "O", 1, 1),
    "a tensor larger than its data": tokens(b"T", "float64", 1, 10**9),
    "a tensor of negative size": tokens(b"T", "float64", 1, -1),
    "a tensor of 17 dimensions": tokens(b"T", "float64", 17, *[1] * 17),
    "an empty tensor of absurd size": tokens(b"T", "float64", 3, 0, 2**40, 2**40),
    "a key that cannot be hashed": tokens(b"d", 1, b"l", 0, 1),
    "the same key twice": tokens(b"d", 2, "a", 1, "a", 2),
    "a complex of texts": tokens(b"c", "1", "2"),
    "a handle without a name": tokens(b"h", 1, 2),
    "a handle below zero": tokens(b"h", -1, "VAE"),
    "a handle with an endless name": tokens(b"h", 1, "V" * 1000),
    "text that is no text": b"\xa2\xff\xff",
    "too deep": tokens(*[b"l", 1] * (MAX_DEPTH + 2), 1),
    "deeper than Python's stack": tokens(*[b"l", 1] * 100_000, 1),
}


@pytest.mark.parametrize("structure", LIES.values(), ids=LIES.keys())
def test_a_lie_is_a_bad_reply(structure: bytes) -> None:
    with pytest.raises(BadReply):
        decode(structure)


def test_data_that_nothing_mentions_is_a_bad_reply() -> None:
    with pytest.raises(BadReply):
        decode(tokens(1), b"x")


def test_a_truth_value_that_is_neither_is_a_bad_reply() -> None:
    for tag in (b"T", b"A"):
        with pytest.raises(BadReply):
            decode(tokens(tag, "bool", 1, 2), b"\x01\x02")


def test_keys_made_to_collide_do_not_keep_the_grader_busy() -> None:
    modulus = 2**61 - 1  # of Python's integer hash
    keys = [(i + 1) * modulus for i in range(20_000)]
    parts = [part for key in keys for part in (b"i", 10, 0)]
    data = b"".join(key.to_bytes(10, "big", signed=True) for key in keys)
    began = time.monotonic()
    with pytest.raises(BadReply, match="collide"):
        decode(tokens(b"d", len(keys), *parts), data)
    assert time.monotonic() - began < 5


def structures() -> st.SearchStrategy[bytes]:
    """Valid frames, frames put together from plausible tokens, mutated ones, and noise."""
    scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=8)
    tags = st.sampled_from([b"i", b"c", b"b", b"l", b"t", b"d", b"T", b"A", b"S", b"h", b"z"])
    names = st.sampled_from(["float64", "bool", "int64", "bfloat16", "object"])
    sizes = st.integers(0, 4)
    plausible = st.lists(tags | sizes | names | scalars, max_size=12).map(lambda parts: tokens(*parts))
    return plausible | st.binary(max_size=64) | PLAIN.map(lambda value: encode(value)[0])


def survives(structure: bytes, buffers: bytes) -> None:
    try:
        reply = decode(structure, buffers)
        read_reply(reply, 1)
    except (BadReply, Raised):
        pass


@given(structures(), st.binary(max_size=64), st.integers(0, 63), st.integers(0, 255))
@settings(REPEATABLE, max_examples=500)
def test_no_bytes_break_the_decoder(structure: bytes, buffers: bytes, place: int, byte: int) -> None:
    survives(structure, buffers)
    if structure:
        changed = bytearray(structure)
        changed[place % len(changed)] = byte
        survives(bytes(changed), buffers)


@pytest.mark.slow
@given(structures(), st.binary(max_size=64), st.integers(0, 63), st.integers(0, 255))
@settings(REPEATABLE, max_examples=50_000)
def test_no_bytes_of_100_000_messages_break_the_decoder(
    structure: bytes, buffers: bytes, place: int, byte: int
) -> None:
    survives(structure, buffers)
    changed = bytearray(structure or b"\0")
    changed[place % len(changed)] = byte
    survives(bytes(changed), buffers)


WORST = {
    "small lists": tokens(b"l", MAX_STRUCTURE // 3 - 5, *[b"l", 0] * ((MAX_STRUCTURE - 8) // 4)),
    "short texts": tokens(b"l", (MAX_STRUCTURE - 8) // 3, *["ab"] * ((MAX_STRUCTURE - 8) // 3)),
    "list headers": b"\xdd\x00\x1f\xff\xff" * (MAX_STRUCTURE // 5),
}


@pytest.mark.parametrize("structure", WORST.values(), ids=WORST.keys())
def test_the_largest_replies_cost_bounded_time_and_memory(structure: bytes) -> None:
    """A structure of 2 MB cannot cost more than 200 MB and 20 s, whatever it says."""
    assert len(structure) <= MAX_STRUCTURE
    began = time.monotonic()
    tracemalloc.start()
    try:
        survives(structure, b"")
        assert tracemalloc.get_traced_memory()[1] < 200 * MIB
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 20


ERROR = {
    "kind": "ValueError",
    "text": "no",
    "frames": [("cell 3", 7, "f")],
    "origin": "student",
    "not_implemented": None,
}
FALSE_REPLIES = {
    "not a tuple": [1, "ok", 2],
    "too short": (1, "ok"),
    "another request's": (2, "ok", 3),
    "an unknown status": (1, "fine", 3),
    "an unknown reason": (1, "unsendable", "because"),
    "a number for a text": (1, "raised", ERROR | {"text": 3}),
    "an unknown origin": (1, "raised", ERROR | {"origin": "grader"}),
    "a line below zero": (1, "raised", ERROR | {"frames": [("cell 3", -7, "f")]}),
    "a thousand frames": (1, "raised", ERROR | {"frames": [("cell 3", 7, "f")] * 1000}),
    "a frame too long": (1, "raised", ERROR | {"frames": [("cell 3", 7, "f", 1)]}),
    "no error at all": (1, "raised", {}),
}


@pytest.mark.parametrize("reply", FALSE_REPLIES.values(), ids=FALSE_REPLIES.keys())
def test_a_well_formed_value_that_is_no_reply_is_a_bad_reply(reply: Any) -> None:
    with pytest.raises(BadReply):
        read_reply(reply, 1)


def test_an_error_arrives_clamped() -> None:
    """Control characters, which could rewrite a terminal, and length are taken from what the worker says."""
    with pytest.raises(Raised) as caught:
        read_reply((1, "raised", ERROR | {"text": "\x1b[2J" + "x" * 10**6, "kind": "K" * 10**6}), 1)
    assert caught.value.text.startswith("\N{REPLACEMENT CHARACTER}[2J")
    assert len(caught.value.text) == 2000
    assert len(caught.value.kind) == 80


@pytest.mark.parametrize("shape", [(3, 2), (4, 3, 2), (5,)])
def test_a_tensor_that_is_not_contiguous_arrives_as_one(shape: tuple[int, ...]) -> None:
    sent = non_contiguous(torch.arange(float(math.prod(shape))).reshape(shape))
    got = there_and_back(sent)
    assert torch.equal(got, sent)
    assert not got.is_contiguous()
    if len(shape) > 1:
        with pytest.raises(RuntimeError, match="view"):
            got.view(-1)
