"""``python -m converters.contract ENTRY [--fixtures DIR] [--golden FILE] [--update]``: the kit without pytest.

Prints one sentence for each breach; exit 0 where there is none, 1 where there are, 2 for wrong use.
"""

import argparse
import sys
from pathlib import Path

from converters.contract.fixtures import load_fixtures, sample_fixtures
from converters.contract.fresh import digest_of_rows
from converters.contract.kit import check_entry, find_converter
from schemas.errors import UserError


def main() -> int:
    """Check one converter."""
    parser = argparse.ArgumentParser(prog="python -m converters.contract", description="check a converter")
    parser.add_argument("entry", help="registered name, or module:Class")
    parser.add_argument("--fixtures", type=Path, help="folder of <dataset>/spec.yaml and cases.json")
    parser.add_argument("--golden", type=Path, help="file of the rows that were right")
    parser.add_argument("--update", action="store_true", help="write the golden file anew")
    parser.add_argument("--digest", action="store_true", help="print a digest of all rows and end")
    given = parser.parse_args()
    try:
        if given.digest:
            fixtures = load_fixtures(given.fixtures) if given.fixtures else list(sample_fixtures())
            print(digest_of_rows(find_converter(given.entry), fixtures))
            return 0
        problems = check_entry(given.entry, given.fixtures, given.golden, update=given.update)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    for sentence in dict.fromkeys(f"{problem.check}: {problem.sentence}" for problem in problems):
        print(sentence)
    print(f"{given.entry}: {len(problems)} problems" if problems else f"{given.entry} holds the converter contract")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
