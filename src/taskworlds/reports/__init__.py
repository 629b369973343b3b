"""Results as a page to look at and to send: one HTML file with charts, tables and videos, which needs no network."""

from taskworlds.reports.report import report, report_page

__all__ = ["report", "report_page"]
