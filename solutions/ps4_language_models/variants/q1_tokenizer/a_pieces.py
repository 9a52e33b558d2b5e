"""Right and wrong answers to question 1a: pieces."""

import re

from autograder.verify.variants import right, wrong


def cut_out(text, names, find):
    """The pieces of text, where the names are special, in the order of the names, and `find` cuts the rest."""
    if not names:
        return find(text)
    parts = re.split("(" + "|".join(map(re.escape, names)) + ")", text)
    return [piece for i, part in enumerate(parts) for piece in ([part] if i % 2 else find(part))]


@wrong("pretokenize")
def special_tokens_never_split(text, special=()):
    return PATTERN.findall(text)


@wrong("pretokenize")
def special_tokens_in_the_order_of_the_list(text, special=()):
    return cut_out(text, list(special), PATTERN.findall)


@wrong("pretokenize")
def shortest_special_token_first(text, special=()):
    return cut_out(text, sorted(special, key=len), PATTERN.findall)


@wrong("pretokenize")
def special_tokens_read_as_patterns(text, special=()):
    if not special:
        return PATTERN.findall(text)
    parts = re.split("(" + "|".join(sorted(special, key=len, reverse=True)) + ")", text)
    return [p for i, part in enumerate(parts) for p in ([part] if i % 2 else PATTERN.findall(part or ""))]


@wrong("pretokenize")
def special_tokens_are_lost(text, special=()):
    if not special:
        return PATTERN.findall(text)
    longest_first = sorted(special, key=len, reverse=True)
    return [p for part in re.split("|".join(map(re.escape, longest_first)), text) for p in PATTERN.findall(part)]


@wrong("pretokenize")
def empty_list_splits_everywhere(text, special=()):
    longest_first = sorted(special, key=len, reverse=True)
    parts = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)
    return [p for i, part in enumerate(parts) for p in ([part] if i % 2 else PATTERN.findall(part))]


@wrong("pretokenize")
def splits_at_white_space(text, special=()):
    return cut_out(text, sorted(special, key=len, reverse=True), str.split)


@wrong("pretokenize")
def spaces_are_stripped(text, special=()):
    return cut_out(
        text, sorted(special, key=len, reverse=True), lambda part: [p.strip() or p for p in PATTERN.findall(part)]
    )


@wrong("pretokenize")
def white_space_pieces_are_dropped(text, special=()):
    return [piece for piece in pretokenize(text, special) if piece.strip()]


@wrong("pretokenize")
def text_is_put_into_lower_case(text, special=()):
    return pretokenize(text.lower(), special)


@wrong("pretokenize")
def line_by_line(text, special=()):
    return [piece for line in text.splitlines(keepends=True) for piece in pretokenize(line, special)]


@wrong("pretokenize")
def only_the_first_of_each_special_token(text, special=()):
    pieces = [text]
    for token in sorted(special, key=len, reverse=True):
        whole, pieces = pieces, []
        for part in whole:
            before, found, after = part.partition(token) if part not in special else (part, "", "")
            pieces += [each for each in (before, found, after) if each]
    return [p for part in pieces for p in ([part] if part in special else PATTERN.findall(part))]


@wrong("pretokenize")
def empty_pieces_between_special_tokens(text, special=()):
    return cut_out(text, sorted(special, key=len, reverse=True), lambda part: PATTERN.findall(part) or [part])


@wrong("pretokenize")
def the_longest_special_token_wherever_it_is(text, special=()):
    pieces = [text]
    for token in sorted(special, key=len, reverse=True):
        whole, pieces = pieces, []
        for part in whole:
            pieces += [part] if part in special else [p for p in re.split("(" + re.escape(token) + ")", part) if p]
    return [p for part in pieces for p in ([part] if part in special else PATTERN.findall(part))]


@right("pretokenize")
def one_pattern_for_both(text, special=()):
    names = [re.escape(token) for token in sorted(special, key=len, reverse=True)]
    if not names:
        return [match.group() for match in PATTERN.finditer(text)]
    plain = re.compile("|".join(names))
    pieces, start = [], 0
    for match in plain.finditer(text):
        pieces.extend(PATTERN.findall(text[start : match.start()]))
        pieces.append(match.group())
        start = match.end()
    return pieces + PATTERN.findall(text[start:])


@right("pretokenize")
def by_looking_at_every_place(text, special=()):
    longest_first = sorted(special, key=len, reverse=True)
    pieces, start, i = [], 0, 0
    while i < len(text):
        token = next((each for each in longest_first if text.startswith(each, i)), None)
        if token is None:
            i += 1
            continue
        pieces += [*PATTERN.findall(text[start:i]), token]
        start = i = i + len(token)
    return pieces + PATTERN.findall(text[start:])
