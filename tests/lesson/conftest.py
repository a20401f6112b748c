"""The browser that looks at pages."""

from report.conftest import browser

__all__ = ["browser"]
