"""Shipped data: found in an installed wheel and in a checkout; and the wheel holds it and nothing odd."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from relaydesk.data import SHIPPED, MissingDataError, data_path

ROOT = Path(__file__).parents[2]


def installed(place: Path, *names: str) -> Path:
    package = place / "lib" / "relaydesk"
    (package / "_data").mkdir(parents=True)
    for name in names:
        (package / "_data" / name).touch()
    return package


def test_it_finds_every_shipped_thing_in_this_checkout():
    assert [data_path(name) for name in SHIPPED] == [ROOT / name for name in SHIPPED]


def test_it_looks_inside_the_package_first(tmp_path):
    package = installed(tmp_path, "allowlist.yaml")
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "allowlist.yaml").touch()
    assert data_path("allowlist.yaml", package) == package / "_data" / "allowlist.yaml"


def test_it_says_what_is_missing_and_the_mend(tmp_path):
    package = installed(tmp_path)
    (tmp_path / "templates").mkdir()  # beside an installation, but no checkout: not ours
    with pytest.raises(MissingDataError) as caught:
        data_path("templates", package)
    assert str(caught.value) == (
        f"relaydesk's own templates is missing (looked in {package / '_data'}): install relaydesk again."
    )


def test_it_knows_what_is_shipped():
    with pytest.raises(ValueError, match=r"'docs' is not shipped.*allowlist\.yaml"):
        data_path("docs")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return next(place.glob("*.whl"))


def test_it_builds_a_wheel_with_the_data_and_nothing_odd(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for shipped in SHIPPED:
        sources = [ROOT / shipped] if (ROOT / shipped).is_file() else (ROOT / shipped).rglob("*")
        wanted = {f"relaydesk/_data/{path.relative_to(ROOT)}" for path in sources if path.is_file()}
        assert wanted
        assert {name for name in wanted - names if "__pycache__" not in name} == set()
    assert {name.split("/")[0] for name in names} == {"relaydesk", "relaydesk-0.1.0.dist-info"}
    odd = re.compile(r"__pycache__|\.pyc$|\.db|/tests?/|\.log$|\.egg-info|~$|\.orig$|\.rej$|\.sw.$|\.key$")
    assert [name for name in names if odd.search(name)] == []
    code = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src" / "relaydesk").rglob("*.py")}
    assert code <= names


def test_it_finds_the_data_of_an_installed_wheel(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from relaydesk.data import SHIPPED, data_path\n"
        "print(*(data_path(name) for name in SHIPPED), sep='\\n')"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd="/", capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [str(tmp_path / "relaydesk" / "_data" / name) for name in SHIPPED]
