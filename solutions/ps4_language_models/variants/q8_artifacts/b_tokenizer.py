"""Right and wrong files of question 8b: the tokenizer."""

import json

import torch

from autograder.verify.variants import right_artifact, wrong_artifact


@wrong_artifact("ps4_tokenizer.safetensors")
def bytes_only(tensors):
    return {**tensors, "merges": tensors["merges"][:0]}


@wrong_artifact("ps4_tokenizer.safetensors")
def a_quarter_of_the_merges(tensors):
    return {**tensors, "merges": tensors["merges"][:250]}


@wrong_artifact("ps4_tokenizer.safetensors")
def half_of_the_merges(tensors):  # short enough for the first threshold only
    return {**tensors, "merges": tensors["merges"][:600]}


@wrong_artifact("ps4_tokenizer.safetensors")
def merges_backwards(tensors):
    return {**tensors, "merges": tensors["merges"].flip(0)}


@wrong_artifact("ps4_tokenizer.safetensors")
def merges_shuffled(tensors):
    order = torch.randperm(len(tensors["merges"]), generator=torch.Generator().manual_seed(0))
    return {**tensors, "merges": tensors["merges"][order]}


@wrong_artifact("ps4_tokenizer.safetensors")
def parts_of_merges_swapped(tensors):
    return {**tensors, "merges": tensors["merges"].flip(1)}


@wrong_artifact("ps4_tokenizer.safetensors")
def merges_of_unknown_tokens(tensors):
    return {**tensors, "merges": tensors["merges"] + 5000}


@wrong_artifact("ps4_tokenizer.safetensors")
def every_second_merge(tensors):
    return {**tensors, "merges": tensors["merges"][::2]}


@wrong_artifact("ps4_tokenizer.safetensors")
def a_byte_is_missing(tensors):
    first = int(tensors["lengths"][0])
    return {**tensors, "ids": tensors["ids"][1:], "lengths": tensors["lengths"][1:], "bytes": tensors["bytes"][first:]}


@wrong_artifact("ps4_tokenizer.safetensors")
def lengths_that_do_not_fit(tensors):
    return {**tensors, "lengths": tensors["lengths"].roll(1)}


@wrong_artifact("ps4_tokenizer.safetensors")
def the_last_byte_is_cut_off(tensors):
    return {**tensors, "bytes": tensors["bytes"][:-1]}


@wrong_artifact("ps4_tokenizer.safetensors")
def one_id_for_two_tokens(tensors):
    ids = tensors["ids"].clone()
    ids[300] = ids[301]
    return {**tensors, "ids": ids}


@wrong_artifact("ps4_tokenizer.safetensors")
def too_many_tokens(tensors):
    n = 100
    more = torch.stack([torch.arange(n), torch.full((n,), 200)], dim=1).to(torch.uint8).flatten()
    return {
        **tensors,
        "ids": torch.cat([tensors["ids"], 10_000 + torch.arange(n)]),
        "lengths": torch.cat([tensors["lengths"], torch.full((n,), 2)]),
        "bytes": torch.cat([tensors["bytes"], more]),
    }


@wrong_artifact("ps4_tokenizer.safetensors")
def one_token_twice(tensors):
    lengths = tensors["lengths"]
    ends = lengths.cumsum(0)
    last = tensors["bytes"][int(ends[-2]) :]
    return {
        **tensors,
        "ids": torch.cat([tensors["ids"], torch.tensor([9999])]),
        "lengths": torch.cat([lengths, lengths[-1:]]),
        "bytes": torch.cat([tensors["bytes"], last]),
    }


@wrong_artifact("ps4_tokenizer.safetensors")
def ids_as_floats(tensors):
    return {**tensors, "ids": tensors["ids"].float()}


@wrong_artifact("ps4_tokenizer.safetensors")
def merges_in_one_row(tensors):
    return {**tensors, "merges": tensors["merges"].flatten()}


@wrong_artifact("ps4_tokenizer.safetensors")
def without_merges(tensors):
    return {name: t for name, t in tensors.items() if name != "merges"}


@wrong_artifact("ps4_tokenizer.safetensors")
def a_vocabulary_in_json(tensors):
    return json.dumps(tensors["ids"].tolist()).encode()


@right_artifact("ps4_tokenizer.safetensors")
def other_ids(tensors):
    return {**tensors, "ids": 3 * tensors["ids"] + 7, "merges": 3 * tensors["merges"] + 7}


@right_artifact("ps4_tokenizer.safetensors")
def tokens_in_another_order(tensors):
    ends = tensors["lengths"].cumsum(0).tolist()
    starts = [0, *ends[:-1]]
    order = list(range(len(ends)))[::-1]
    return {
        **tensors,
        "ids": tensors["ids"].flip(0),
        "lengths": tensors["lengths"].flip(0),
        "bytes": torch.cat([tensors["bytes"][starts[i] : ends[i]] for i in order]),
    }


@right_artifact("ps4_tokenizer.safetensors")
def a_merge_that_never_applies(tensors):
    a, b = tensors["merges"][0].tolist()
    return {**tensors, "merges": torch.cat([tensors["merges"], torch.tensor([[a, b]])])}
