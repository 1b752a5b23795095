"""The arithmetic of the README gives the figures of its table, and the machines hold what compose may take."""

import re

import pytest

from config.tests.compose import load
from config.tests.test_documentation import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "config/decisions/operations.md").read_text(encoding="utf-8")
SERVICES = load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
PAGES = {"10 thousand": 10_000, "1 million": 1_000_000, "100 million": 100_000_000}
ROW = re.compile(
    r"^\| (?P<pages>\d+ \w+) \| (?P<objects>[\d,.]+) GiB \| (?P<database>[\d,.]+) GB \| (?P<index>[\d,.]+) GB "
    r"\| (?P<reading>[\d,.]+) CPU hours \| (?P<machine>.+) \|$",
    re.MULTILINE,
)
ROWS = {found["pages"]: found for found in ROW.finditer(README)}
GIB, GB = 2**30, 10**9


def per_page(pattern):
    """Return the one figure of the arithmetic that a pattern finds in the README."""
    (found,) = re.findall(pattern, README)
    return float(found)


def number(text):
    return float(text.replace(",", ""))


@pytest.mark.parametrize("size", PAGES)
def test_the_table_is_what_the_arithmetic_gives(size):
    pages, row = PAGES[size], ROWS[size]
    index = per_page(r"embedded, = pages x (\d+) kB" if size == "10 thousand" else r"room for pages x (\d+) kB")
    wanted = {
        "objects": pages * per_page(r"Objects = pages x (\d+) KiB") * 1024 / GIB,
        "database": pages * per_page(r"Database = pages x ([\d.]+) kB") * 1000 / GB,
        "index": pages * index * 1000 / GB,
        "reading": pages * per_page(r"First reading = pages x ([\d.]+) CPU seconds") / 3600,
    }
    assert {name: number(row[name]) for name in wanted} == pytest.approx(wanted, rel=0.03)


def test_the_bytes_of_a_page_are_those_of_its_text_times_what_was_measured():
    text = per_page(r"pages x (2\.8) kB of text")
    assert text * per_page(r"of text x ([\d.]+) embedded") == pytest.approx(
        per_page(r"embedded, = pages x (\d+) kB"), rel=0.03
    )
    assert text * per_page(r"and x ([\d.]+) before") == pytest.approx(per_page(r"room for pages x (\d+) kB"), rel=0.05)
    for figure in ("1.26 to 1.43", "1.92 to 2.05", "3.12"):
        assert figure in DECISIONS


def memory(name):
    deploy = SERVICES[name]["deploy"]
    limit = deploy["resources"]["limits"]["memory"]
    return int(deploy.get("replicas", "1")) * int(limit[:-1]) / (1 if limit.endswith("g") else 1024)


def test_a_machine_for_compose_has_the_memory_that_compose_may_take():
    """`prepare` has ended before the others begin."""
    running = [name for name, one in SERVICES.items() if one["profiles"] == ["office"] and name != "prepare"]
    taken = sum(map(memory, running))
    assert per_page(r"the limits of compose, (\d+) GB") == taken
    assert f"its limits add up to {taken:.0f} GB" in DECISIONS
    row = ROWS["1 million"]["machine"]
    assert "compose as it is" in row
    given = int(re.search(r"(\d+) GB", row)[1])
    assert taken + 4 <= given  # the kernel, its cache of files, the proxy
    assert f"8 cores, {given} GB, 1 TB; compose as it is" in DECISIONS
    assert memory("vankho") <= int(re.search(r"(\d+) GB", ROWS["10 thousand"]["machine"])[1])
