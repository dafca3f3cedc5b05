"""The faults of the data, of one parameter or of one layer: one question each, cause before symptom.

`report` asks these first. A fault is what the theory rules out, not what is off by chance or by taste: each
bound below leaves room for every initializer in use. What only harms together with depth is asked of all
layers together, in `depth_faults`.
"""

import math

import numpy as np

from netinit.diagnosis.case import Case, Finding, Step, rms
from netinit.diagnosis.remedies import OTHERWISE, normal_gain, reinitialize, relative_size, suits, unscale
from netinit.layers import ScalarScale
from netinit.layers.normalization import Normalization
from netinit.trace import distinct_units, limits

SMALLEST_INPUT = 0.1  # rms of the entries of x that are not 0: rows with a single 1 have 1
LARGEST_INPUT = 4.0  # rms of x: raw digits, of 0 to 16, have 7
LARGEST_SHARED = 0.8  # of E[x^2] in the means of the columns: two examples then have a cosine of 0.8
SMALLEST_GAIN = 1 / 3  # sqrt(fan_avg E[w^2]) of one layer: PyTorch's default is 0.41 where fan_out is small
LARGEST_GAIN = 5.0  # sqrt(fan E[w^2]) with the smaller fan: Xavier times 4 is in use for sigmoid
MOST_SATURATED = 0.4  # of the outputs of an activation: the largest gain in use for tanh, 5/3, makes 17 %
MOST_DEAD_BY_MEAN = 0.2  # of the first layer's units, because x has a mean: two positive columns kill 1/4
MOST_DEAD = 0.5  # of the units of a layer: fewer leave a network that trains
DEAD_BY_CHANCE = 5.0  # std of how many more units than by chance, where dead and always active are as likely
DROWNED = 3.0  # rms of the bias over that of x W: it then decides the sign of all but 1 output in 700
LARGE_LAST = 2.0  # times the size that suits the last layer: its logits then start at an rms of 2 or 3
# One std for all columns: that of a single one may be 0, as at the border of the digits.
STANDARDIZE = (
    "standardize x with the training data: subtract the mean of each column, divide by the std of all"
)
UNBIAS = "set its biases to 0"


def finding(step: Step, fault: str, evidence: str, remedy: str = "") -> Finding:
    """A fault of this layer; without a remedy it is one of the weights, to be drawn anew."""
    return Finding(step.row.name, fault, evidence, remedy, repr(step.layer))


# Is the data sound?
def _input(case):
    columns = case.x.reshape(len(case.x), -1)
    if np.ptp(columns) == 0 or (len(columns) > 1 and not np.ptp(columns, axis=0).any()):
        size = f"rms {rms(case.x):.2g}"
        return Finding("input", "constant input", f"all examples are the same, {size}", "check how x is made")
    sound = case.active_rms >= SMALLEST_INPUT and rms(case.x) <= LARGEST_INPUT
    sound = sound and case.shared <= LARGEST_SHARED
    return None if sound or case.normalizes_input else _not_normalized(case)


def _not_normalized(case, more=""):
    evidence = f"rms {rms(case.x):.2g}, {case.shared:.0%} of the mean square is that of the column means"
    return Finding("input", "input not normalized", evidence + more, STANDARDIZE)


def _labels(case):
    if case.targets and not np.isfinite(case.y).all():
        bad = f"{np.count_nonzero(~np.isfinite(case.y))} of {case.y.size} values"
        return Finding("labels", "NaN or infinity in the targets", bad, "remove or replace these values")
    if case.y is None or case.targets or (case.y.min() >= 0 and case.y.max() < case.classes):
        return None
    evidence = f"labels {case.y.min()}..{case.y.max()}, the model has {case.classes} outputs"
    return Finding("labels", "label out of range", evidence, f"number the classes 0..{case.classes - 1}")


def _out_of_reach(case):
    """What an activation behind the last layer cannot give; softmax takes logits of any sign and size."""
    step = case.steps[-1]
    if case.y is None or step.activation is not case.trace[-1]:
        return None
    low, high = limits(step.phi)
    if math.isinf(low) and math.isinf(high):
        return None
    evidence = f"softmax takes logits of any sign, {step.phi.name} gives only {low:.2g}..{high:.2g}"
    if case.targets:
        outside = np.mean((case.y < low) | (case.y > high))
        evidence = f"{outside:.0%} of the targets lie outside of its {low:.2g}..{high:.2g}"
        if not outside:
            return None
    remedy = f"remove the {step.phi.name}: a last layer needs no activation"
    return finding(step, "activation behind the last layer", evidence, remedy)


# Is every parameter a number?
def _not_finite(case):
    layers, steps = dict(case.model.named_layers()), {step.row.name: step for step in case.steps}
    for path, parameter in case.model.named_parameters():
        value, (owner, _, name) = parameter.value, path.rpartition(".")
        bad = np.count_nonzero(~np.isfinite(value))
        if bad:
            remedy = f"set the {name} of layer {owner} to {int(name == 'scale')}"
            if value.ndim > 1 and owner in steps:
                remedy = reinitialize([s for s in case.steps if not np.isfinite(s.weight).all()], case.steps)
            evidence = f"{bad} of {value.size} values"
            return Finding(owner, f"NaN or infinity in the {name}", evidence, remedy, repr(layers[owner]))
    return None


# Is this layer sound by itself? Each question takes a step and the case.
def _zero(step, _):
    if step.last or step.weight.any():
        return None
    return finding(step, "zero weights", "all units compute the same and no gradient passes")


def _two_zeros(step, _):
    """In a product of two zeros neither factor has a gradient."""
    if step.weight.any():
        return None
    for row, layer in step.after:
        if isinstance(layer, (Normalization, ScalarScale)) and not layer.scale.value.any():
            evidence = f"its weights and the scale of layer {row.name} are zero: neither gets a gradient"
            remedy = f"set the scale of layer {row.name} to 1"
            return finding(step, "zero weights under a zero scale", evidence, remedy)
    return None


def _zero_scale(step, _):
    if step.last or step.norm is None or step.norm[1].scale.value.any():
        return None
    return finding(step, "zero scale", f"nothing passes layer {step.norm[0].name}", unscale(*step.norm))


def _repeated(step, case):
    if step.row.name not in case.repeats:
        return None
    evidence = f"the same numbers as in layer {case.repeats[step.row.name]}: the seed was set again"
    return finding(step, "weights of another layer", evidence)


def _dead_by_mean(step, case):
    """In the first layer, where the column means of x, and not the weights, keep units at one side."""
    if step is not case.steps[0] or step.norm or case.normalizes_input:
        return None
    bias = 0 if step.bias is None else step.bias
    dead, centered = step.flat(), step.flat(shift=step.row.output.mean(axis=0) - bias)
    if (dead & step.flat(shift=bias) & ~centered).mean() <= MOST_DEAD_BY_MEAN:
        return None
    shown = f"{dead.mean():.0%} of the {step.phi.name} units are dead"
    return _not_normalized(case, f": {shown}, {centered.mean():.0%} once x has mean 0")


def _dead(step, _):
    """Dead because of the bias, or more units dead than active throughout: by chance both are as likely."""
    dead = step.flat()
    if dead.mean() <= MOST_DEAD:
        return None
    bias = step.norm[1].shift.value if step.norm else step.bias
    by_bias = bias is not None and (dead & ~step.flat(shift=bias)).mean() > MOST_DEAD
    excess = dead.mean() - step.flat(sign=-1).mean()
    if not by_bias and excess < min(1.0, DEAD_BY_CHANCE / math.sqrt(dead.size)):
        return None
    evidence = f"{dead.mean():.0%} of the {step.phi.name} units have derivative 0 on the whole batch"
    if step.norm:
        return finding(step, "dead units", evidence, unscale(*step.norm))
    return finding(step, "dead units", evidence, UNBIAS if by_bias else "")


def _too_small(step, _):
    gain = step.gain(step.fan_avg)
    if step.norm or step.in_branch or step.last or gain >= SMALLEST_GAIN:
        return None
    evidence = f"gain sqrt(fan_avg E[w^2]) = {gain:.2g}, {normal_gain(step)}"
    return finding(step, "weights too small", evidence)


def _drowned(step, _):
    if step.bias is None or step.norm or step.last:
        return None
    product, bias = rms(step.row.output - step.bias), rms(step.bias)
    if bias <= DROWNED * product:
        return None
    evidence = f"rms of the bias {bias:.2g}, of what it is added to {product:.2g}"
    return finding(step, "bias drowns the signal", evidence, UNBIAS)


def _duplicated(step, _):
    """Units with equal outputs and equal gradients stay equal for ever.

    Equal outputs alone do no harm: a layer above that tells the units apart sends them different gradients.
    Nor do single units that agree because they are dead: that is another question.
    """
    row = step.row
    if step.last or row.distinct_units is None or row.distinct_units == row.units:
        return None
    alive = ~step.flat() if not step.flat().all() else np.ones(row.units, bool)
    parts = [a.reshape(-1, row.units)[:, alive] for a in (row.output, row.gradient)]
    distinct = distinct_units(np.concatenate([a / (np.abs(a).max() or 1) for a in parts]))
    if distinct == alive.sum():
        return None
    evidence = f"{distinct} distinct among {alive.sum()} units: equal outputs, equal gradients"
    return finding(step, "duplicated units", evidence)


def _saturated(step, case):
    """In the first layer the larger one is to blame: the rms of its input or the gain of its weights."""
    fraction = step.activation and step.activation.saturated
    if fraction is None or fraction <= MOST_SATURATED:
        return None
    gain = step.gain(step.fan_in)
    shown = f"{fraction:.0%} of the {step.phi.name} outputs at their limits"
    if step is case.steps[0] and case.input_rms > gain and not case.normalizes_input:
        return _not_normalized(case, f": {shown}")
    evidence = f"{shown}; gain sqrt(fan_in E[w^2]) = {gain:.2g}, {normal_gain(step)}"
    remedy = unscale(*step.norm) if step.norm else (OTHERWISE if suits(step) else "")
    return finding(step, "saturated activation", evidence, remedy)


def _too_large(step, case):
    gain = step.gain(min(step.fan_in, step.fan_out))
    if step is case.steps[0]:
        gain *= min(1.0, case.input_rms)  # a small input, such as a single 1 in a row, takes larger weights
    if step.norm or gain <= LARGEST_GAIN:
        return None
    evidence = f"gain sqrt(fan E[w^2]) = {gain:.2g}, {normal_gain(step)}"
    return finding(step, "weights too large", evidence)


DATA = (_input, _labels)
LAYER = (
    _zero,
    _two_zeros,
    _zero_scale,
    _duplicated,
    _repeated,
    _dead_by_mean,
    _dead,
    _drowned,
    _too_small,
    _saturated,
    _too_large,
)


def fault_of_a_layer(case: Case) -> Finding | None:
    """The first fault of a parameter, else of the first layer that has one; None for none."""
    if found := _not_finite(case):
        return found
    for step in case.steps:
        for ask in LAYER:
            if found := ask(step, case):
                return found._replace(remedy=_remedy(found, ask, step, case))
    return _out_of_reach(case)


def _remedy(found, ask, step, case):
    """The remedy for all layers that share the fault of this one."""
    later = case.steps[case.steps.index(step) + 1 :]
    others = [other for other in later if ask(other, case)]
    if not found.remedy:
        # The last layer may be zero, its units may agree, nothing saturates behind it; its size still counts.
        others += [other for other in later[-1:] if other not in others and relative_size(other) > LARGE_LAST]
        return reinitialize([step, *others], case.steps)
    if not others or found.layer == "input":
        return found.remedy
    return f"{found.remedy}; likewise in {len(others)} later {'layer' if len(others) == 1 else 'layers'}"
