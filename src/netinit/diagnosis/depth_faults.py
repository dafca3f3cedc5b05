"""The faults that only all layers together have: the signal or the gradient does not survive the depth.

`report` asks these where no layer has a fault of its own. Across l layers a critical network changes its
signal like a power of l (tanh 1/sqrt(2 l), softsign 1/(1.6 l)), any other like an exponential of l; a factor
of 10 l tells them apart. Where the activations only scale with their input, as ReLU does, there is no power
law, and a factor of 16 is already a fault of the weights.

A narrow network fluctuates: log |h|^2 of a ReLU network has a variance of about 5/width per layer (Hanin
2018). So the scale of the signal is wrong only where the measured one and the one of `predict`, which knows
no fluctuation, both say so.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from netinit.diagnosis.case import Case, Finding, Step, rms
from netinit.diagnosis.layer_faults import DROWNED, MOST_SATURATED, finding
from netinit.diagnosis.remedies import CLOSE, OTHERWISE, reinitialize, relative_size, resize

POWER_LAW = 10.0  # times l: the largest change over l layers that is not exponential
SMALLEST_SCALED = 1 / 16  # of the signal behind layers that only scale it: theirs should stay near 1
AGREEMENT = 3.0  # measurement and theory differ by less, beyond the fluctuation of a narrow network
FLUCTUATION = 6.0  # log rms of l layers of n units strays by less than this times sqrt(l/n): 5 std
LARGEST_GROWTH = 10.0  # of the forward signal: ELU with He weights reaches 6 in 50 layers
LARGEST_SUM = 3.0  # times sqrt(1 + blocks), to which branches of the size of the first input grow their sum
# Share of an activation that a residual sum may saturate, for weights of the size that suits. After 50 tanh
# blocks it is 61 % with Xavier's weights, which train to 0.90 on the digits, 74 % with He's: 0.65.
MOST_SATURATED_SUM = 0.7
ONSET = 0.5  # of the largest change of a layer: the first layer with more than this is where the fault begins
LEAST_INSIDE = 0.5  # of a kernel on the image: with less, most of what it sees is the border
LARGEST_LOGITS = 5.0  # rms: He's are sqrt(2)


class Way(NamedTuple):
    """What the signal has passed from the input up to a step and its activation."""

    layers: int  # with a weight
    scales: bool  # whether all of them only scale the signal: no tanh, no Residual
    inside: float  # factor on the rms that the borders of images have left
    spread: float  # sqrt of the sum of 1/units: how far narrow layers let the signal stray


def _ways(case: Case) -> Iterator[tuple[Step, Way]]:
    """Each step, and the way up to it."""
    way = Way(0, not case.residual, 1.0, 0.0)
    for step in case.steps:
        spread = math.hypot(way.spread, 1 / math.sqrt(step.row.units))
        inside = way.inside * math.sqrt(step.inside)
        way = Way(way.layers + 1, way.scales and step.phi_scales, inside, spread)
        yield step, way


def _low_high(measured, predicted):
    """The smaller and the larger; a measured overflow is infinite, a missing prediction agrees."""
    measured = measured if math.isfinite(measured) else math.inf
    predicted = measured if predicted is None else predicted
    return min(measured, predicted), max(measured, predicted)


# The sums of the residual blocks.
def _growing_sum(case):
    """Blocks that multiply the sum; independent branches of its first size grow it like a square root."""
    for k, block in enumerate(case.sums):
        growth = block.after / max(case.sums[0].before, case.input_rms)
        if not growth <= LARGEST_SUM * math.sqrt(k + 2):  # a NaN has overflowed
            return _residual_fault(case, f"rms grows {growth:.2g} times over the blocks up to {block.path}")
    return None


def _saturating_sum(case):
    worst = max(case.sums, key=lambda block: block.saturated or 0, default=None)
    too_large = np.median([relative_size(step) for step in case.steps if step.in_branch] or [0]) > CLOSE
    most = MOST_SATURATED if too_large else MOST_SATURATED_SUM
    if worst is None or (worst.saturated or 0) <= most:
        return None
    shown = f"the sum behind block {worst.path} saturates {worst.saturated:.0%} of the activation"
    return _residual_fault(case, shown)


def _residual_fault(case, evidence):
    end = next((step for step in case.steps if step.in_branch and step.last), case.steps[0])
    return finding(end, "exploding residual sum", evidence, "fixup, or normalize each branch")


# The scale of the signal.
def _exploding(case):
    for step, way in _ways(case):
        growth = _low_high(step.signal.rms, step.signal.predicted_rms)[0] / case.sound_size
        if growth > LARGEST_GROWTH:
            evidence = f"rms grows {growth:.2g} times up to layer {step.row.name}"
            blocks = _growth_of_blocks(case)
            if blocks**2 > growth:  # the blocks grow it more than all other layers do
                return _residual_fault(case, evidence)
            onset = _onset(case, way, 1)
            return finding(onset, "exploding signal", evidence, resize(onset, case.steps))
    return None


def _growth_of_blocks(case):
    """Between the input of the first block and the output of the last; 1 without blocks."""
    return case.sums[-1].after / case.sums[0].before if case.sums and case.sums[0].before else 1.0


def _onset(case, way, sign):
    """The step at which a fault begins that shows at the end of the way.

    That is the first that changes the signal at least half as much as the one that does most. A change is a
    log ratio, `sign` 1 for growth and -1 for loss.
    """
    before, changes = case.input_rms, []
    for step in case.steps[: way.layers]:
        after = step.signal.rms if step.signal.predicted_rms is None else step.signal.predicted_rms
        changes.append(sign * math.log(after / before) if after > 0 and before > 0 else 0.0)
        before = after or before  # a branch that starts at zero carries nothing on
    begins = (
        step for step, change in zip(case.steps, changes, strict=False) if change >= ONSET * max(changes) > 0
    )
    return next(begins, case.steps[way.layers - 1])


def _vanishing(case):
    for step, way in _ways(case):
        left = _left(case, step, way)
        if not (step.in_branch or step.last) and left is not None:
            evidence = f"rms falls to {left:.2g} of the input's up to layer {step.row.name}"
            onset = _onset(case, way, -1)
            remedy = resize(onset, case.steps)
            border = next((s for s in case.steps[: way.layers] if s.inside < LEAST_INSIDE), None)
            if border and remedy == OTHERWISE:
                evidence += f"; {border.inside:.0%} of the kernel of layer {border.row.name} meets the image"
                onset, remedy = border, "fewer strides or smaller kernels: most of this one sees the border"
            return finding(onset, "vanishing signal", evidence, remedy)
    return None


def _left(case, step, way):
    """What is left of the input's rms behind a step, if that is too little; None if it is not.

    A layer of many more units than it has inputs may spread the same signal thinly: its norm counts then.
    """
    row = step.output
    thinly = max(1.0, math.sqrt(row.output.size / case.start.size)) / case.input_rms
    measured, predicted = row.rms * thinly, None
    if row.predicted_rms is not None:
        predicted = row.predicted_rms * thinly
        if way.scales and predicted < SMALLEST_SCALED and measured < AGREEMENT * SMALLEST_SCALED:
            return predicted
        predicted *= way.inside
    high = _low_high(measured, predicted)[1]
    return high if high < 1 / (POWER_LAW * way.layers) else None


def _unlike_theory(case):
    """Measured and predicted rms apart by more than the fluctuation of narrow layers and the borders explain.

    Where the layers do more than scale, a small error of the theory can feed on itself from layer to layer,
    and in a Residual it adds signals that are not independent: there a signal of a sound size is no fault.
    """
    for k, (step, way) in enumerate(_ways(case)):
        slack = AGREEMENT * math.exp(FLUCTUATION * way.spread)
        measured, predicted = step.signal.rms, step.signal.predicted_rms
        lowest, highest = case.input_rms / (POWER_LAW * way.layers), LARGEST_GROWTH * case.sound_size
        sound = lowest <= measured <= highest
        if predicted and not (
            way.inside / slack <= measured / predicted <= slack or (sound and not way.scales)
        ):
            evidence = f"rms {measured:.2g}, independent weights of this size give {predicted:.2g}"
            remedy = reinitialize(case.steps[k:], case.steps)
            return finding(step, "weights not independent with mean 0", evidence, remedy)
    return None


# The gradient, and the loss.
def _gradients(case):
    """Gradients that grow or shrink from the last hidden layer back to another by more than a power law."""
    hidden = [step for step in case.steps if not step.in_branch][:-1]
    if not hidden or not hidden[-1].signal.gradient_std:
        return None  # nothing to compare, or a last layer that starts at zero
    end = hidden[-1]
    for distance, step in zip(range(len(hidden) - 1, 0, -1), hidden, strict=False):
        low, high = _low_high(*_gradient_ratio(step.signal, end.signal))
        evidence = f"its norm is {low:.2g} times that at layer {end.row.name}"
        if low > POWER_LAW * distance:
            return finding(step, "exploding gradient", evidence, _gradient_remedy(step, case))
        if high < 1 / (POWER_LAW * distance):
            return finding(step, "vanishing gradient", evidence, _gradient_remedy(step, case))
    return None


def _gradient_ratio(row, end):
    """Of norms, measured and predicted: a norm keeps when widths change, the std of an entry does not."""
    root = math.sqrt(row.gradient.size / end.gradient.size)
    measured, predicted = root * row.gradient_std / end.gradient_std, None
    if row.predicted_gradient_std is not None and end.predicted_gradient_std:
        predicted = root * row.predicted_gradient_std / end.predicted_gradient_std
    return measured, predicted


def _gradient_remedy(step, case):
    if step.norm:
        return "residual connections or fewer layers: normalization does not hold the gradient"
    if step.phi.name == "sigmoid":
        return "tanh or relu in place of sigmoid, whose derivative is at most 1/4"
    return resize(step, case.steps)


def _large_loss(case):
    """A loss below that of equal chances is none, however large the logits: they may be right."""
    low, _ = _low_high(case.trace[-1].rms, case.trace[-1].predicted_rms)
    if case.loss is None or low <= LARGEST_LOGITS or case.loss <= math.log(case.classes):
        return None
    last = case.steps[-1]
    evidence = f"logits of rms {low:.2g}: loss {case.loss:.2g}, ln(classes) = {math.log(case.classes):.2g}"
    remedy = "scale the last layer down, or zeros"
    if last.bias is not None and rms(last.bias) > DROWNED * rms(last.row.output - last.bias):
        remedy = "set its biases to the logarithms of the class frequencies, or to 0"
    return finding(last, "logits too large", evidence, remedy)


NETWORK = (_growing_sum, _saturating_sum, _exploding, _vanishing, _unlike_theory, _gradients, _large_loss)


def fault_of_the_network(case: Case) -> Finding | None:
    """The first fault of all layers together; None for none."""
    return next((found for ask in NETWORK if (found := ask(case))), None)
