"""What `diagnose` advises: which initializer suits an activation, and which layers to give it to.

A remedy must help as it is written. So it names every layer that needs it, not only the first; and where the
weights already have the size that suits, it does not ask for the same again.
"""

import math
from collections.abc import Sequence

import numpy as np

from netinit.activations import ACTIVATIONS, ActivationFunction
from netinit.diagnosis.case import Step
from netinit.layers.normalization import Normalization
from netinit.theory import gain
from netinit.trace import LayerTrace

CLOSE = 1.1  # weights within this factor of the size that suits need no other: the draw itself varies by 5 %
XAVIER = ("tanh", "sigmoid", "softsign", "identity")
OTHERWISE = "the weights have the size that suits: normalize, add residual connections, or use lsuv"


def suited(phi: ActivationFunction) -> tuple[str, float, str]:
    """The initializer that suits an activation, in words; its gain, and the fan that it divides by."""
    registered = phi.name in ACTIVATIONS and ACTIVATIONS[phi.name].function is phi.function
    if registered and phi.name in XAVIER:
        return "xavier_normal", 1.0, "fan_avg"
    if registered and phi.name == "selu":
        return "lecun_normal", 1.0, "fan_in"
    if registered and phi.name == "relu":
        return "he_normal", math.sqrt(2), "fan_in"
    if phi.name.startswith("leaky_relu"):
        slope = -float(phi.function(np.array([-1.0]))[0])
        return f"he_normal(slope={slope:g})", math.sqrt(2 / (1 + slope**2)), "fan_in"
    name = repr(phi.name) if registered else "your activation"
    return f"variance_scaling, scale=gain({name})**2", _gain(phi), "fan_in"


def _gain(phi):
    try:
        return gain(phi)
    except ValueError:  # phi is not finite somewhere, or 0 everywhere: no weights suit it
        return math.nan


def relative_size(step: Step) -> float:
    """The size of a layer's weights, in units of that of the initializer that suits its activation."""
    _, wanted, fan = suited(step.phi)
    return step.gain(step.fan_in if fan == "fan_in" else step.fan_avg) / wanted


def suits(step: Step) -> bool:
    """Whether a layer's weights have the size of the initializer that suits its activation."""
    return 1 / CLOSE <= relative_size(step) <= CLOSE


def normal_gain(step: Step) -> str:
    """What the gain of a layer is with the initializer that suits it, in words."""
    words, wanted, _ = suited(step.phi)
    return f"{words} gives {wanted:.2g}"


def reinitialize(faulty: Sequence[Step], steps: Sequence[Step]) -> str:
    """Draw the weights of the faulty layers anew, given all layers of the network."""
    first, words = faulty[0], " or ".join(dict.fromkeys(suited(step.phi)[0] for step in faulty))
    if len(faulty) == 1:
        return f"initialize layer {first.row.name} with {words}"
    if first is steps[0]:
        return f"initialize the whole model with {words}"
    return f"initialize every layer from {first.row.name} on with {words}"


def resize(first: Step, steps: Sequence[Step]) -> str:
    """Give weights of the size that suits to the layers from the first on, if any has another."""
    if first.norm:
        return unscale(*first.norm)
    rest = steps[steps.index(first) :]
    wrong = [step for step in rest if step is first or not step.last]
    wrong = [step for step in wrong if not (step.norm or suits(step))]
    if not wrong:
        return OTHERWISE
    return reinitialize(wrong if len(wrong) == 1 else rest, steps)


def unscale(row: LayerTrace, norm: Normalization) -> str:
    """Set a normalization's scale and shift back, where they are not those of the start."""
    if (norm.scale.value == 1).all() and not norm.shift.value.any():
        return "residual connections or fewer layers: normalization alone does not help"
    return f"set the scale of layer {row.name} {norm!r} to 1 and its shift to 0"
