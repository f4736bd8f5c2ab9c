"""Write every dashboard to `grafana/dashboards/sendwatch/`."""

from boards.write import FOLDER, boards

for name, text in boards().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
