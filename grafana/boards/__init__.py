"""The dashboards as code: `python -m boards` in `grafana/` writes `dashboards/`, and a test holds both together.

Belongs here: which panel asks what, and how it looks. Not here: alerting rules (`deploy/prometheus/`), metrics
(`sendwatch/metric_table.py`).

One file per dashboard; `frame.py` is what they share, `panels.py` the kinds of panel.
"""

import warnings

with warnings.catch_warnings():  # Grafana provisions files in the classic form only; the SDK warns when it is imported
    warnings.simplefilter("ignore", DeprecationWarning)
    import grafana_foundation_sdk.builders.dashboard
    import grafana_foundation_sdk.builders.stat  # noqa: F401 - which brings the other deprecated models
