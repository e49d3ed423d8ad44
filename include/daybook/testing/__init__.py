"""Tests for a pipeline of your own: sample files and tables in, published numbers out, and checks that any spec passes.

docs/testing.md shows how. Nothing of the product imports this.
"""

import pytest

# Before it is imported: a check that fails shows both sides.
pytest.register_assert_rewrite("daybook.testing.checks")

from daybook.testing.checks import PipelineChecks  # noqa: E402
from daybook.testing.trial import Published, Refused, Sample, Trial  # noqa: E402

__all__ = ["PipelineChecks", "Published", "Refused", "Sample", "Trial"]
