"""The faults that only all layers together have: the signal or the gradient does not survive the depth.

Across l layers a critical network changes its signal like a power of l (tanh 1/sqrt(2 l), softsign
1/(1.6 l)), any other like an exponential of l; a factor of 10 l tells them apart. Where the activations only
scale with their input, as ReLU does, there is no power law, and a factor of 16 is already a fault of the
weights. A narrow network fluctuates: log |h|^2 of a ReLU network has a variance of about 5/width per layer
(Hanin 2018). So the scale of the signal is wrong only where the measured one and the one of `predict`, which
knows no fluctuation, both say so.
"""

import math

import numpy as np

from netinit.diagnosis.case import Case, Finding
from netinit.diagnosis.layer_faults import MOST_SATURATED, finding
from netinit.diagnosis.remedies import CLOSE, OTHERWISE, reinitialize, relative_size, resize

POWER_LAW = 10.0  # times l: the largest change over l layers that is not exponential
SMALLEST_SCALED = 1 / 16  # of the signal behind layers that only scale it: theirs should stay near 1
AGREEMENT = 3.0  # measurement and theory differ by less, beyond the fluctuation of a narrow network
LARGEST_GROWTH = 10.0  # of the forward signal: ELU with He weights reaches 6 in 50 layers
# Share of an activation that a residual sum may saturate, for weights of the size that suits. After 50 tanh
# blocks it is 61 % with Xavier's weights, which train to 0.90 on the digits, 74 % with He's: 0.65.
MOST_SATURATED_SUM = 0.7
LARGEST_LOGITS = 5.0  # rms: He's are sqrt(2)


def _low_high(measured, predicted):
    """The smaller and the larger; a measured overflow is infinite, a missing prediction agrees."""
    measured = measured if math.isfinite(measured) else math.inf
    predicted = measured if predicted is None else predicted
    return min(measured, predicted), max(measured, predicted)


def _residual_sum(case):
    """Blocks that double the sum, or saturate the activation behind them.

    Independent branches of the sum's first size grow it like a square root of their number: no fault.
    """
    for k, block in enumerate(case.sums):
        growth = block.after / max(case.sums[0].before, case.input_rms)
        if not growth <= max(LARGEST_GROWTH, 3 * math.sqrt(k + 2)):  # a NaN has overflowed
            return _residual_fault(case, f"rms grows {growth:.2g} times over the blocks up to {block.path}")
    worst = max(case.sums, key=lambda block: block.saturated or 0, default=None)
    too_large = np.median([relative_size(step) for step in case.steps if step.in_branch] or [0]) > CLOSE
    most = MOST_SATURATED if too_large else MOST_SATURATED_SUM
    if worst and (worst.saturated or 0) > most:
        shown = f"the sum behind block {worst.path} saturates {worst.saturated:.0%} of the activation"
        return _residual_fault(case, shown)
    return None


def _residual_fault(case, evidence):
    end = next((step for step in case.steps if step.in_branch and step.last), case.steps[0])
    return finding(end, "exploding residual sum", evidence, "fixup, or normalize each branch")


def _growth_of_blocks(case):
    """Between the input of the first block and the output of the last."""
    return case.sums[-1].after / case.sums[0].before if case.sums and case.sums[0].before else 0.0


def _onset(case, k, sign):
    """Of the steps 0..k, the first that changes the signal at least half as much as the one that does most.

    A change is a log ratio, `sign` 1 for growth and -1 for loss.
    """
    before, changes = case.input_rms, []
    for step in case.steps[: k + 1]:
        after = step.signal.rms if step.signal.predicted_rms is None else step.signal.predicted_rms
        changes.append(sign * math.log(after / before) if after > 0 and before > 0 else 0.0)
        before = after or before  # a branch that starts at zero carries nothing on
    return case.steps[next((i for i, c in enumerate(changes) if c >= max(changes) / 2 > 0), k)]


def _exploding(case):
    for k, step in enumerate(case.steps):
        growth = _low_high(step.signal.rms, step.signal.predicted_rms)[0] / case.input_rms
        if growth > LARGEST_GROWTH:
            evidence = f"rms grows {growth:.2g} times up to layer {step.row.name}"
            if _growth_of_blocks(case) > math.sqrt(growth):
                return _residual_fault(case, evidence)
            onset = _onset(case, k, 1)
            return finding(onset, "exploding signal", evidence, resize(onset, case.steps))
    return None


def _vanishing(case):
    scaled, inside = not case.residual, 1.0  # whether all layers so far only scale; their share of the image
    for k, step in enumerate(case.steps):
        scaled, inside = scaled and step.phi_scales, inside * math.sqrt(step.inside)
        left = _left(case, k, scaled, inside)
        if not (step.in_branch or step.last) and left is not None:
            evidence = f"rms falls to {left:.2g} of the input's up to layer {step.row.name}"
            onset = _onset(case, k, -1)
            remedy = resize(onset, case.steps)
            border = next((s for s in case.steps[: k + 1] if s.inside < 0.5), None)
            if border and remedy == OTHERWISE:
                evidence += f"; {border.inside:.0%} of the kernel of layer {border.row.name} meets the image"
                onset, remedy = border, "fewer strides or smaller kernels: most of this one sees the border"
            return finding(onset, "vanishing signal", evidence, remedy)
    return None


def _left(case, k, scaled, inside):
    """What is left of the input's rms behind step k, if that is too little; None if it is not.

    A layer of many more units than it has inputs may spread the same signal thinly: its norm counts then.
    """
    row = case.steps[k].output
    spread = max(1.0, math.sqrt(row.output.size / case.start.size)) / case.input_rms
    measured, predicted = row.rms * spread, None
    if row.predicted_rms is not None:
        predicted = row.predicted_rms * spread
        if scaled and predicted < SMALLEST_SCALED and measured < AGREEMENT * SMALLEST_SCALED:
            return predicted
        predicted *= inside
    high = _low_high(measured, predicted)[1]
    return high if high < 1 / (POWER_LAW * (k + 1)) else None


def _unlike_theory(case):
    """Measured and predicted rms apart by more than the fluctuation of narrow layers and the borders explain.

    Where the layers do more than scale, a small error of the theory can feed on itself from layer to layer,
    and in a Residual it adds signals that are not independent: there a signal of a sound size is no fault.
    """
    scaled, inside, variance = not case.residual, 1.0, 0.0  # of log rms, a quarter of that of log |h|^2
    for k, step in enumerate(case.steps):
        scaled, inside = scaled and step.phi_scales, inside * math.sqrt(step.inside)
        variance += 5 / 4 / step.row.units  # the mean falls by as much
        slack = AGREEMENT * math.exp(variance + 5 * math.sqrt(variance))
        measured, predicted = step.signal.rms, step.signal.predicted_rms
        sound = 1 / (POWER_LAW * (k + 1)) <= measured / case.input_rms <= LARGEST_GROWTH
        if predicted and not (inside / slack <= measured / predicted <= slack or (sound and not scaled)):
            evidence = f"rms {measured:.2g}, independent weights of this size give {predicted:.2g}"
            remedy = reinitialize(case.steps[k:], case.steps)
            return finding(step, "weights not independent with mean 0", evidence, remedy)
    return None


def _gradients(case):
    hidden = [step for step in case.steps if not step.in_branch][:-1]
    if not hidden or not hidden[-1].signal.gradient_std:
        return None  # nothing to compare, or a last layer that starts at zero
    norms = [_gradient_norm(step) for step in hidden]
    for distance, step, norm in zip(range(len(hidden) - 1, 0, -1), hidden, norms, strict=False):
        low, high = _low_high(
            *(a / b if a is not None and b else None for a, b in zip(norm, norms[-1], strict=True))
        )
        evidence = f"its norm is {low:.2g} times that at layer {hidden[-1].row.name}"
        if low > POWER_LAW * distance:
            return finding(step, "exploding gradient", evidence, _gradient_remedy(step, case))
        if high < 1 / (POWER_LAW * distance):
            return finding(step, "vanishing gradient", evidence, _gradient_remedy(step, case))
    return None


def _gradient_norm(step):
    """Measured and predicted: the norm keeps when widths change, the std of an entry does not."""
    root = math.sqrt(step.signal.gradient.size)
    predicted = step.signal.predicted_gradient_std
    return step.signal.gradient_std * root, None if predicted is None else predicted * root


def _gradient_remedy(step, case):
    if step.norm:
        return "residual connections or fewer layers: normalization does not hold the gradient"
    if step.phi.name == "sigmoid":
        return "tanh or relu in place of sigmoid, whose derivative is at most 1/4"
    return resize(step, case.steps)


def _large_loss(case):
    low, _ = _low_high(case.trace[-1].rms, case.trace[-1].predicted_rms)
    if case.loss is None or low <= LARGEST_LOGITS:
        return None
    evidence = f"logits of rms {low:.2g}: loss {case.loss:.2g}, ln(classes) = {math.log(case.classes):.2g}"
    return finding(case.steps[-1], "logits too large", evidence, "scale the last layer down, or zeros")


NETWORK = (_residual_sum, _exploding, _vanishing, _unlike_theory, _gradients, _large_loss)


def fault_of_the_network(case: Case) -> Finding | None:
    """The first fault of all layers together; None for none."""
    return next((found for ask in NETWORK if (found := ask(case))), None)
