"""How the work of every reader grows on hostile shapes: the table of what costs most.

python bench/growth.py [--factor 4] [--wide] [--seed 1] [READER ...]

Each reader gets its shapes at FACTOR times the size that the suite gives it, at most what ever reaches it.
With --wide also each pair of the tokens of its grammar. Ends with 1 where twice the text is more than 2.5
times the work.
"""

from __future__ import annotations

import argparse

from relaydesk_testkit.growth import LINEAR, Row, dearest
from relaydesk_testkit.readers import READERS
from relaydesk_testkit.shapes import shapes


def cells(row: Row) -> str:
    figures = f"{row.size:,} | {row.seconds * 1000:.1f} | {row.growth:.2f}"
    mark = " **too fast**" if row.growth > LINEAR else ""
    return f"| {row.reader} | {str(row.shape).replace('|', chr(92) + '|')} | {figures}{mark} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--factor", type=int, default=4, help="times the size of the suite")
    parser.add_argument("--size", type=int, help="characters, in place of a factor")
    parser.add_argument("--wide", action="store_true", help="more shapes")
    parser.add_argument("--seed", type=int, default=1, help="of the random sentences")
    parser.add_argument("readers", nargs="*", metavar="READER", help="default: all")
    chosen = parser.parse_args()
    fast = 0
    print("| reader | worst shape | characters | ms | growth |\n|---|---|---|---|---|")
    for name in chosen.readers or READERS:
        reader = READERS[name]
        size = min(chosen.size or reader.size * chosen.factor, reader.cap)
        rows = dearest(name, reader, shapes(reader.tokens, chosen.seed, wide=chosen.wide), size)
        shown = [rows[0], *(row for row in rows[1:] if row.growth > LINEAR)]
        fast += sum(row.growth > LINEAR for row in rows)
        print(*map(cells, shown), sep="\n", flush=True)
    return int(fast > 0)


if __name__ == "__main__":
    raise SystemExit(main())
