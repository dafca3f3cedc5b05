"""Figures that more than one chapter draws: arrays and an Axes in, the Axes out; nothing is trained here.

`plt.style.use("netinit.netinit")` sets colors that color-blind readers can tell apart, with a marker and a
dash of their own for each curve.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from netinit.checks import as_array, check_kind


class Text(NamedTuple):
    """A frame that is read rather than looked at: HTML to copy from, and its short name.

    >>> plots.Text("<pre>he_normal((64, 10), rng)</pre>", "ReLU: He").label
    'ReLU: He'
    """

    html: str
    label: str


def lines_with_spread(ax: Axes, x: Sequence[float], runs: np.ndarray, label: str, **style) -> Axes:
    """The median over runs as a line, the range from lowest to highest as a band; runs (n_runs, len(x)).

    >>> ax = plots.lines_with_spread(plt.figure().subplots(), [1, 2], [[3, 4], [5, 8]], "He")
    >>> ax.lines[0].get_ydata()
    array([4., 6.])
    """
    runs = _runs(ax, runs, x)
    (line,) = ax.plot(x, np.median(runs, axis=0), label=label, **style)
    ax.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=line.get_color(), alpha=0.2, linewidth=0)
    return ax


def theory_and_measurement(
    ax: Axes, x: Sequence[float], theory: Sequence[float], runs: np.ndarray, label: str
) -> Axes:
    """Theory as a line, the measured median as dots with bars over the range; runs (n_runs, len(x)).

    >>> ax = plots.theory_and_measurement(plt.figure().subplots(), [1, 2], [4, 6], [[3, 4], [5, 8]], "std")
    >>> ax.get_legend_handles_labels()[1]
    ['std, theory', 'std, measured']
    """
    runs = _runs(ax, runs, x)
    (line,) = ax.plot(x, theory, marker="", label=f"{label}, theory")
    middle = np.median(runs, axis=0)
    bars = np.stack([middle - runs.min(axis=0), runs.max(axis=0) - middle])
    ax.errorbar(
        x, middle, bars, fmt="o", color=line.get_color(), markersize=4, capsize=2, label=f"{label}, measured"
    )
    return ax


def _runs(ax: Axes, runs: np.ndarray, x: Sequence[float]) -> np.ndarray:
    """The runs as an array (n_runs, len(x)); a NaN leaves a gap in the curve."""
    check_kind("ax", ax, Axes, "an Axes")
    values = as_array("runs", runs).astype(np.float64)
    if values.ndim != 2 or len(values) == 0 or values.shape[1] != len(x):
        raise ValueError(
            f"runs must have the shape (n_runs, {len(x)}) and a row at least, got {values.shape}."
        )
    return values


def layer_histograms(
    axes: Sequence[Axes], outputs: Sequence[np.ndarray], limits: tuple[float, float]
) -> Sequence[Axes]:
    """One histogram per layer, on one scale; values beyond the limits are counted in the outermost bins.

    >>> axes = plots.layer_histograms(plt.figure().subplots(1, 2), [np.zeros(9), np.ones(9)], (-1, 1))
    >>> axes[1].get_title()
    'layer 2'
    """
    for i, (ax, values) in enumerate(zip(axes, outputs, strict=True), start=1):
        values = as_array("outputs", values).astype(np.float64)
        if not np.isfinite(values).any():
            raise ValueError(f"outputs must hold a finite number for layer {i}, got shape {values.shape}.")
        ax.hist(np.clip(values.ravel(), *limits), bins=40, range=limits, density=True)
        ax.set(title=f"layer {i}", xlim=limits, yticks=[])
    return axes


def heatmap(ax: Axes, values: np.ndarray, rows: Sequence, columns: Sequence, *, digits: int = 2) -> Axes:
    """A matrix as colors with its numbers written in; values (len(rows), len(columns)), NaN left empty.

    >>> ax = plots.heatmap(plt.figure().subplots(), [[0.1, 0.9]], ["He"], ["relu", "tanh"])
    >>> [text.get_text() for text in ax.texts]
    ['0.10', '0.90']
    """
    check_kind("ax", ax, Axes, "an Axes")
    values = as_array("values", values).astype(np.float64)
    if values.shape != (len(rows), len(columns)) or not np.isfinite(values).any():
        wanted = f"the shape {(len(rows), len(columns))} and a finite number"
        raise ValueError(f"values must have {wanted}, got {values.shape} with {np.isfinite(values).sum()}.")
    image = ax.imshow(values, cmap="cividis", aspect="auto")
    bright = np.asarray(image.norm(values)) > 0.5
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(False)
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "black" if bright[i, j] else "white"
            ax.text(j, i, f"{value:.{digits}f}", ha="center", va="center", color=color)
    return ax


# Where the panels of a training stand: placed once, as laying them out would take half of the time of a frame
PANELS = {"left": 0.12, "right": 0.98, "bottom": 0.1, "top": 0.87, "wspace": 0.22, "hspace": 0.48}


def training_frame(
    runs: Mapping[str, Sequence], epoch: int, *, std: str = "activation std", place: str = "layer"
) -> Figure:
    """Training up to one epoch: loss, accuracy, and the activation std of each layer, a curve per scheme.

    `runs` is what `compare` returns, with a probe that gives the std by layer; the first run of each scheme
    is drawn. Where the probe gives another std, or one for each block, `std` and `place` name them. The axes
    are the same for every epoch, so the frames play as a film. The figure's label is its text alternative.

    >>> schemes = {"He": lambda rng: initialize(mlp([64, 32, 10]), "he_normal", rng)}
    >>> plan = dict(seeds=[0], optimizer=lambda p: SGD(p, 0.1), epochs=3, batch_size=50)
    >>> runs = compare(schemes, load_digits(), **plan, probe=lambda model: [1.0])
    >>> plots.training_frame(runs, 3).get_label()[:14]
    'After epoch 3.'
    """
    fig, panels = plt.subplot_mosaic(
        [["loss", "accuracy"], ["std", "std"]], figsize=(6, 5.2), layout="none", gridspec_kw=PANELS
    )
    loss, accuracy, spread = panels["loss"], panels["accuracy"], panels["std"]
    bottom, words = _fix_training_axes(runs, loss, accuracy, spread), []
    spread.set(title=std, xlabel=place)
    for label, (run, *_) in runs.items():
        history, shown = run.history, slice(0, epoch + 1)
        for ax, values in ((loss, history.validation_loss), (accuracy, history.validation_accuracy)):
            (line,) = ax.plot(values[shown], label=label, marker="o", markevery=[-1])
            line.set_clip_on(False)  # the dot is whole at the edges, too
        stds = np.asarray(run.probes[min(epoch, len(run.probes) - 1)], float)
        spread.plot(range(1, len(stds) + 1), np.maximum(stds, bottom), label=label)
        last = min(epoch, len(history.validation_accuracy) - 1)
        ends = f"accuracy {history.validation_accuracy[last]:.2f}, {std} of the last {place} {stds[-1]:.2g}"
        words.append(f"{label}: {ends}")
    fig.legend(*loss.get_legend_handles_labels(), loc="upper center", ncols=len(runs), frameon=False)
    fig.set_label(f"After epoch {epoch}. " + "; ".join(words) + ".")
    return fig


def _fix_training_axes(runs, loss, accuracy, spread) -> float:
    """Give the panels titles and limits; return the lowest std shown, on which a std of 0 is drawn."""
    first = [group[0] for group in runs.values()]
    epochs = max(len(run.history.validation_loss) for run in first) - 1
    losses = np.concatenate([run.history.validation_loss for run in first])
    stds = np.concatenate([np.ravel(run.probes) for run in first])
    loss.set(title="validation loss", xlabel="epoch", xlim=(0, epochs), yscale="log")
    loss.set_ylim(*_padded(losses))
    for ax in (loss, accuracy):
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    accuracy.set(title="validation accuracy", xlabel="epoch", xlim=(0, epochs), ylim=(0, 1))
    spread.set_yscale("log")
    depth = len(np.ravel(first[0].probes[0]))
    spread.set_xticks(range(1, depth + 1, 1 + depth // 12))
    bottom, top = _padded(stds)
    spread.set_ylim(bottom, top)
    for ax in (loss, spread):
        _plain_log_ticks(ax)
    return bottom


def _plain_log_ticks(ax: Axes) -> None:
    """Label a logarithmic y axis with plain numbers: 1, 2, 5 where it spans few decades, else the decades."""
    bottom, top = ax.get_ylim()
    decades = np.log10(top / bottom)
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2 else (1,)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()  # their labels are empty, and laying them out takes half of the time of a frame


def _padded(values: np.ndarray) -> tuple[float, float]:
    """Limits of a logarithmic axis with some room on both sides."""
    values = values[np.isfinite(values) & (values > 0)]
    return values.min() / 1.5, values.max() * 1.5
