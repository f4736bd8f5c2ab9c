"""sendwatch: unlawful SMS sends, flagged as they happen."""

__version__ = "0.1.0"
