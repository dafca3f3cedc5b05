"""The faults of the data, of one parameter or of one layer: one question each, cause before symptom.

A fault is what the theory rules out, not what is off by chance or by taste. The bounds below leave room for
every initializer in use; what only harms together with depth is asked of all layers together, in
`depth_faults`.
"""

import math

import numpy as np

from netinit.diagnosis.case import Case, Finding, Step, rms
from netinit.diagnosis.remedies import OTHERWISE, normal_gain, reinitialize, relative_size, suits, unscale
from netinit.trace import distinct_units

SMALLEST_INPUT, LARGEST_INPUT = 0.1, 4.0  # rms: that of rows with a single 1 among 100, of raw digits
SMALLEST_GAIN = 1 / 3  # sqrt(fan_avg E[w^2]) of one layer: PyTorch's default is 0.41 where fan_out is small
LARGEST_GAIN = 5.0  # with the smaller fan: sigmoid's is 4
LARGEST_LIKELY_INPUT = 1.5  # rms: with a larger one, x may be what saturates the first activation
LARGEST_ORDINARY_GAIN = 5 / 3  # the largest in use for tanh: it saturates 17 % for inputs of variance 1
MOST_SATURATED = 0.4
DROWNED = 3.0  # times the rms of x W: the bias alone then decides the sign of all but 1 output in 700
LARGE_LAST = 2.0  # times the size that suits: with it the logits start at an rms of 2 or 3
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
    sound = SMALLEST_INPUT <= rms(case.x) <= LARGEST_INPUT and case.shifted_columns <= 0.5
    return None if sound or case.normalizes_input else _not_normalized(case)


def _not_normalized(case, more=""):
    evidence = f"rms {rms(case.x):.2g}, {case.shifted_columns:.0%} of the columns have |mean| > 2 std"
    return Finding("input", "input not normalized", evidence + more, STANDARDIZE)


def _labels(case):
    if case.y is None or (case.y.min() >= 0 and case.y.max() < case.classes):
        return None
    evidence = f"labels {case.y.min()}..{case.y.max()}, the model has {case.classes} outputs"
    return Finding("labels", "label out of range", evidence, f"number the classes 0..{case.classes - 1}")


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


# Is this layer sound by itself? Each takes a step and the case.
def _zero(step, _):
    if step.last or step.weight.any():
        return None
    return finding(step, "zero weights", "all units compute the same and no gradient passes")


def _two_zeros(step, _):
    """In a product of two zeros neither factor has a gradient."""
    scales = [(row, layer) for row, layer in step.after if hasattr(layer, "scale")]
    zero = next((pair for pair in scales if not pair[1].scale.value.any()), None)
    if zero is None or step.weight.any():
        return None
    row, _ = zero
    evidence = f"its weights and the scale of layer {row.name} are zero: neither gets a gradient"
    return finding(
        step, "zero weights under a zero scale", evidence, f"set the scale of layer {row.name} to 1"
    )


def _zero_scale(step, _):
    if step.last or step.norm is None or step.norm[1].scale.value.any():
        return None
    return finding(step, "zero scale", f"nothing passes layer {step.norm[0].name}", unscale(step))


def _dead(step, _):
    """Dead because of the bias, or more units dead than active throughout: by chance both are as likely."""
    dead = step.flat()
    if dead.mean() <= 0.5:
        return None
    shift = step.norm[1].shift.value if step.norm else step.bias
    by_bias = np.zeros_like(dead) if shift is None else dead & ~step.flat(shift=shift)
    excess, units = dead.mean() - step.flat(sign=-1).mean(), dead.size
    if not (by_bias.mean() > 0.5 and units >= 16) and excess < min(1.0, 5 / math.sqrt(units)):
        return None
    evidence = f"{dead.mean():.0%} of the {step.phi.name} units have derivative 0 on the whole batch"
    if step.norm:
        return finding(step, "dead units", evidence, unscale(step))
    return finding(step, "dead units", evidence, UNBIAS if by_bias.mean() > 0.5 else "")


def _too_small(step, _):
    gain = step.gain(sum(step.fans) / 2)
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
    row = step.row
    if step.last or row.distinct_units is None or row.distinct_units == row.units:
        return None
    # Equal outputs alone do no harm: a layer above that tells the units apart sends them different gradients.
    # Nor do single units that agree because they are dead: that is another question.
    alive = ~step.flat() if not step.flat().all() else np.ones(row.units, bool)
    parts = [a.reshape(-1, row.units)[:, alive] for a in (row.output, row.gradient)]
    distinct = distinct_units(np.concatenate([a / (np.abs(a).max() or 1) for a in parts]))
    if distinct == alive.sum():
        return None
    evidence = f"{distinct} distinct among {alive.sum()} units: equal outputs, equal gradients"
    return finding(step, "duplicated units", evidence)


def _saturated(step, case):
    fraction = step.activation and step.activation.saturated
    if fraction is None or fraction <= MOST_SATURATED:
        return None
    gain = step.gain(step.fans[0])
    shown = f"{fraction:.0%} of the {step.phi.name} outputs at their limits"
    ordinary = gain <= LARGEST_ORDINARY_GAIN and not case.normalizes_input
    if (
        step is case.steps[0]
        and ordinary
        and (case.input_rms > LARGEST_LIKELY_INPUT or case.shifted_columns > 0)
    ):
        return _not_normalized(case, f": {shown}")
    evidence = f"{shown}; gain sqrt(fan_in E[w^2]) = {gain:.2g}, {normal_gain(step)}"
    remedy = unscale(step) if step.norm else (OTHERWISE if suits(step) else "")
    return finding(step, "saturated activation", evidence, remedy)


def _too_large(step, _):
    gain = step.gain(min(step.fans))
    if step.norm or gain <= LARGEST_GAIN:
        return None
    evidence = f"gain sqrt(fan E[w^2]) = {gain:.2g}, {normal_gain(step)}"
    return finding(step, "weights too large", evidence)


DATA = (_input, _labels)
STRUCTURE = (_zero, _two_zeros, _zero_scale, _duplicated)
SCALE = (_dead, _drowned, _too_small, _saturated, _too_large)


def fault_of_a_layer(case: Case) -> Finding | None:
    """The first fault of a parameter, else of the first layer that has one; None for none."""
    if found := _not_finite(case):
        return found
    for step in case.steps:
        for ask in STRUCTURE + SCALE:
            if found := ask(step, case):
                return found._replace(remedy=_remedy(found, ask, step, case))
    return None


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
