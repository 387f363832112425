"""The charts of an audit, for a notebook to show, to change or to save."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt

    from llm_audit.document.audit import Document


class Plots:
    """The charts of an audit, each an Altair chart; None where the audit has nothing to draw.

    Examples:
        >>> audit = llm_audit.analyze("sample_logs/tutoring")
        >>> type(audit.plot.models()).__name__
        'LayerChart'
    """

    def __init__(self, document: Document) -> None:
        self._document = document

    def daily(self) -> alt.TopLevelMixin | None:
        """Return spend by period and tier, with what the policy would have cost."""
        return self._chart("over_time", "daily")

    def mix(self) -> alt.TopLevelMixin | None:
        """Return the model mix over time."""
        return self._chart("over_time", "mix_over_time")

    def models(self) -> alt.TopLevelMixin | None:
        """Return spend by model."""
        return self._chart("spend", "models")

    def teams(self) -> alt.TopLevelMixin | None:
        """Return spend by team and model."""
        return self._chart("spend", "teams")

    def estimates(self) -> alt.TopLevelMixin | None:
        """Return ceiling, expected and floor of the tax."""
        return self._chart("routing", "estimates")

    def frontier(self) -> alt.TopLevelMixin | None:
        """Return the saving against the answers lost, by the policy's target."""
        return self._chart("routing", "frontier")

    def tornado(self) -> alt.TopLevelMixin | None:
        """Return what each assumption at its ends does to the tax."""
        return self._chart("routing", "tornado")

    def _chart(self, module: str, name: str) -> alt.TopLevelMixin | None:
        from importlib import import_module

        figure = getattr(import_module(f"llm_audit.report.charts.{module}"), name)(self._document)
        return None if figure is None else figure.chart
