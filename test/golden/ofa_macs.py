"""Multiply-accumulates and parameters of once-for-all MobileNetV3 networks, counted without Samara.

Written from the layer table of OFAMobileNetV3 (Cai et al. 2020, arXiv 1908.09791, and its published code); batch norms
count as one bias a channel. Prints the numbers in src/space/ofa/ofa.test.ts: python3 test/golden/ofa_macs.py
"""


def rounded(wish):
    nearest = max(8, int(wish + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * wish else nearest


class Count:
    def __init__(self, size):
        self.size, self.macs, self.parameters = size, 0, 0

    def conv(self, inputs, outputs, kernel=1, stride=1, groups=1, has_bias=True, size=None):
        """On the image, or on one of another size; without a bias where no batch norm follows."""
        after = -(-(size or self.size) // stride)
        weights = outputs * (inputs // groups) * kernel * kernel
        self.macs += weights * after * after
        self.parameters += weights + (outputs if has_bias else 0)
        if size is None:
            self.size = after


def count(size, depth, kernel, expansion):
    c = Count(size)
    c.conv(3, 16, kernel=3, stride=2)
    c.conv(16, 16, kernel=3, groups=16)
    c.conv(16, 16)
    inputs = 16
    for outputs, stride, squeezes in [
        (24, 2, False),
        (40, 2, True),
        (80, 2, False),
        (112, 1, True),
        (160, 2, True),
    ]:
        for block in range(depth):
            middle = rounded(inputs * expansion)
            c.conv(inputs, middle)
            c.conv(middle, middle, kernel, stride if block == 0 else 1, groups=middle)
            if squeezes:
                hidden = rounded(middle // 4)
                c.conv(middle, hidden, size=1)
                c.conv(hidden, middle, size=1)
            c.conv(middle, outputs)
            inputs = outputs
    c.conv(160, 960)
    c.conv(960, 1280, has_bias=False, size=1)
    c.conv(1280, 1000, size=1)
    return c.macs, c.parameters


print("largest ", *count(224, depth=4, kernel=7, expansion=6))
print("smallest", *count(128, depth=2, kernel=3, expansion=3))
