"""`python -m sendwatch.text table FILE…` and `… train`: measure the classifier, make its weights again."""

from __future__ import annotations

import sys

from sendwatch.text.table import table


def main(arguments: list[str]) -> int:
    """Run one of the two; the exit status."""
    match arguments:
        case ["table", *paths] if paths:
            for path in paths:
                sys.stdout.write(f"{path}\n{table(path)}\n")
            return 0
        case ["train"]:
            from sendwatch.text.train import TARGET, train  # numpy is for training only

            TARGET.write_text(train(), encoding="utf-8")
            return 0
        case _:
            sys.stderr.write("usage: python -m sendwatch.text table FILE… | train\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
