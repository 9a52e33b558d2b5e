"""Right answers to the target."""


def affine(x, factor, shift=0.0):
    return factor * x + shift


def cipher(text, key):
    return "".join(chr((ord(c) - 97 + key) % 26 + 97) if "a" <= c <= "z" else c for c in text)


class Scaler:
    def __init__(self, width):
        self.width = width

    def apply(self, x):
        return self.width * x


def halve(scaler, x):
    return scaler.apply(x) / 2
