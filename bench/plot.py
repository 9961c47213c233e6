"""The plot of the growth."""

from pathlib import Path

from bench.growth import Growth
from bench.rounds import LABELS

SURFACE, INK, MUTED, GRID = "#ffffff", "#1f2328", "#59636e", "#e4e7eb"
COLOURS = {
    "ours": "#0b6bcb",
    "postgraphile": "#c2571a",
    "postgraphile-own": "#e0a458",
    "pgbench": "#5f6b7a",
    "usual": "#8c4bbf",
}
LOWER = ("postgraphile-own", "pgbench")  # labelled below, because another line runs closely above


def draw_growth(growth: Growth, path: Path) -> str | None:
    """Write the plot. Returns why it could not be drawn, or None."""
    try:
        import matplotlib  # here: only `make bench` installs it, and figures without a plot are still figures
    except ImportError:
        return "no plot: matplotlib is not installed"
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), dpi=150, facecolor=SURFACE)
    highest = 0.0
    for name, figures in growth.figures.items():
        points = [(size, single.p50) for size, single in zip(growth.sizes, figures, strict=True) if single]
        if not points:
            continue
        sizes, times = [size for size, _ in points], [time for _, time in points]
        highest = max(highest, *times)
        axes.plot(sizes, times, marker="o", linewidth=2, color=COLOURS[name], label=LABELS[name])
        side = (0, -14) if name in LOWER else (0, 7)
        for point in points:
            axes.annotate(
                f"{point[1]:.0f}", point, side, textcoords="offset points", ha="center", color=INK, fontsize=8
            )
    axes.set_xscale("log")
    axes.set_xticks(growth.sizes, [f"{size:,}" for size in growth.sizes])
    axes.minorticks_off()
    axes.set_ylim(0, highest * 1.2 or 1)
    axes.set_xlabel("deals in the database, 1,000 for each owner", color=MUTED)
    axes.set_ylabel("p50, ms, 8 connections", color=MUTED)
    axes.set_title("The board, while other owners' data grows", loc="left", color=INK)
    axes.grid(axis="y", color=GRID)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(colors=MUTED, length=0)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8, loc="upper left", ncols=2)
    figure.tight_layout()
    figure.savefig(path)
    return None
