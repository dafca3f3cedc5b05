"""Why a network will not train, told before it trains: the first faulty layer, the evidence and the remedy.

`diagnose` examines one batch and asks three kinds of questions: is the data sound, is each layer sound by
itself (`layer_faults`), does the signal survive all layers together (`depth_faults`)? It stops at the first
fault, because what follows it is mostly its consequence: mend it and diagnose again.
"""

import textwrap
from dataclasses import dataclass

import numpy as np

from netinit.diagnosis.case import Finding, examine
from netinit.diagnosis.depth_faults import fault_of_the_network
from netinit.diagnosis.layer_faults import DATA, fault_of_a_layer
from netinit.layers import Layer
from netinit.printing import table
from netinit.trace import Trace

WIDTH = 80  # of the printed text
ROWS = 7  # of the printed table


@dataclass(frozen=True)
class Diagnosis:
    """The findings, none for a healthy network, and the trace behind them (None where x could not be run).

    Prints as the findings and a few rows of the trace around the layer: measured and predicted rms of the
    signal and std of the gradient, that of a random gradient of std 1 sent back from the output.

    >>> model = initialize(mlp([64, 32, 10]), "zeros", rng)
    >>> diagnose(model, load_digits().x_train).findings[0].layer
    '0'
    """

    findings: tuple[Finding, ...]
    trace: Trace | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __repr__(self) -> str:
        parts = [_sentences(finding) for finding in self.findings] or [_health(self.trace)]
        if self.trace is not None:
            parts.append(_neighbors(self.trace, self.findings[-1].layer if self.findings else None))
        return "\n\n".join(parts)


def diagnose(model: Layer, x: np.ndarray, y=None) -> Diagnosis:
    """Find the first fault of an initialized model on a batch x, with labels y (batch,) where there are any.

    Floating-point y in the shape of the output are the targets of a regression. Gradients are those of a
    random output gradient of variance 1, so they need no labels. Faults in the data are findings too: NaN, a
    wrong scale, labels out of range. Raises ValueError for a model without weights, and TypeError or
    ValueError, as `trace` does, for x or y of a wrong type or shape.

    >>> model = initialize(mlp([64, 100, 100, 10]), "he_normal", rng)
    >>> diagnose(model, load_digits().x_train, load_digits().y_train).findings
    ()
    """
    if isinstance(x, np.ndarray) and x.dtype.kind == "f" and not np.isfinite(x).all():
        bad = f"{np.count_nonzero(~np.isfinite(x))} of {x.size} values"
        remedy = "remove or replace these values before the first layer"
        return Diagnosis((Finding("input", "NaN or infinity in the input", bad, remedy),))
    with np.errstate(all="ignore"):  # an overflow is a finding
        case = examine(model, x, y)
        findings = [finding for ask in DATA if (finding := ask(case))]
        if not findings and (finding := fault_of_a_layer(case) or fault_of_the_network(case)):
            findings = [finding]
    return Diagnosis(tuple(findings), case.trace)


def _sentences(finding):
    lines = {
        "layer": f"{finding.layer} {finding.kind}",
        "fault": finding.fault,
        "evidence": finding.evidence,
        "remedy": finding.remedy,
    }
    return "\n".join(
        textwrap.fill(f"{name:8}  {text}".rstrip(), WIDTH, subsequent_indent=10 * " ", break_long_words=False)
        for name, text in lines.items()
    )


def _health(trace):
    if trace is None:
        return "healthy"
    weighted = [row for row in trace if row.weight_std is not None]
    text = "healthy: signal and gradient pass "
    text += "the weight layer" if len(weighted) == 1 else f"all {len(weighted)} weight layers"
    return text + ("" if weighted[-1].predicted_rms is None else " as the theory predicts")


def _neighbors(trace, layer):
    """The rows around a layer, or the first and the last ones."""
    rows = [_cells(row) for row in trace]
    names = [row.name for row in trace]
    if len(rows) > ROWS and layer in names:
        first = min(max(names.index(layer) - 3, 0), len(rows) - ROWS)
        rows = rows[first : first + ROWS]
    elif len(rows) > ROWS:
        rows = [*rows[:3], ["..."] * len(rows[0]), *rows[-3:]]
    return table([["layer", "kind", "rms", "predicted", "gradient", "predicted"], *rows])


def _cells(row):
    numbers = (row.rms, row.predicted_rms, row.gradient_std, row.predicted_gradient_std)
    return [row.name, row.kind[:16], *("-" if x is None else f"{x:.2g}" for x in numbers)]
