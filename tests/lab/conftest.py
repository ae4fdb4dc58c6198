# SPDX-License-Identifier: BSD-3-Clause
"""Options and fixtures of the labs: --seed and --count, one lab per test, logs of a lab that failed."""

import os
import random
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from heddlelab import Lab  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=None, help="seed of the randomised tests")
    parser.addoption("--count", type=int, default=None, help="rounds of the randomised tests")
    parser.addoption("--keep", action="store_true", help="keep each lab's files (logs, configuration)")


def pytest_configure(config):
    if config.getoption("--seed") is None:
        config.option.seed = random.SystemRandom().randrange(1 << 30)
    # SIGTERM ends a run as an interrupt does: with the labs taken down. A second signal changes nothing.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _interrupt)


def _interrupt(*_):
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)
    raise KeyboardInterrupt


def pytest_report_header(config):
    count = config.getoption("--count")
    return f"heddle labs: seed {config.getoption('--seed')}" + (f", count {count}" if count else "")


def pytest_collection_modifyitems(config, items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="labs need root: sudo scripts/test lab"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            lab = value if isinstance(value, Lab) else getattr(value, "lab", None)
            if isinstance(lab, Lab) and lab.processes:
                report.sections.append(("logs of the lab", lab.tail()))
                report.sections.append(("seed", str(item.config.getoption("--seed"))))
                break


@pytest.fixture
def lab(request):
    made = Lab(keep=request.config.getoption("--keep"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def module_lab(request):
    """One lab for all tests of a file, where building it anew would only cost time."""
    made = Lab(keep=request.config.getoption("--keep"))
    yield made
    made.close()


@pytest.fixture
def rng(request):
    """Random numbers of this test: the run's seed and the test's name make them."""
    return random.Random(f"{request.config.getoption('--seed')}/{request.node.nodeid}")


@pytest.fixture
def rounds(request):
    """How often a randomised test repeats: rounds(default)."""
    return lambda default: request.config.getoption("--count") or default
