"""What the report's tests share: documents, and programs that may not be installed."""

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from symcost.report import document

HERE = Path(__file__).parent
REQUIRED = os.environ.get("SYMCOST_REQUIRE_TOOLS") == "1"
PACKAGES = "katex markdown-it markdown-it-texmath @marp-team/marp-core puppeteer-core"

HOSTILE = (
    "</script><img src=x onerror=alert(1)> \\input{/etc/passwd} $x$ | a_b `c` **d** <!-- --> é 中 \x1b[31m "
    "{{7*7}}"
)


def missing(what: str, how: str) -> None:
    """Skips a test with a clear line, or fails it where the tools must be there (SYMCOST_REQUIRE_TOOLS=1)."""
    (pytest.fail if REQUIRED else pytest.skip)(f"{what} is not installed; {how}")


@pytest.fixture(scope="session")
def lecture():
    """The report of the lecture's own model, with its numbers."""
    return document("cs190c")


@pytest.fixture(scope="session")
def letters():
    """A report without any number."""
    return document("llama")


@pytest.fixture(scope="session")
def pdflatex():
    return shutil.which("pdflatex") or missing("pdflatex", "apt-get install texlive-latex-base")


@pytest.fixture(scope="session")
def chromium():
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or missing("chromium", "apt-get install chromium")


@pytest.fixture(scope="session")
def node():
    """Runs a script of this folder with Node; what it prints is JSON."""
    program = shutil.which("node") or missing("node", "install Node.js")
    for package in PACKAGES.split():
        asked = subprocess.run(
            [program, "-p", f"require.resolve({package!r})"], cwd=HERE, capture_output=True
        )
        if asked.returncode:
            missing(
                f"the npm package {package}",
                f"npm install {PACKAGES}, and let NODE_PATH name its node_modules",
            )

    def run(script: str, *arguments: object):
        command = [program, str(HERE / script), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def jupyter():
    for package in ("nbclient", "ipykernel"):
        if importlib.util.find_spec(package) is None:
            missing(f"the package {package}", "pip install symcost[notebook]")


@pytest.fixture
def hostile():
    return HOSTILE
