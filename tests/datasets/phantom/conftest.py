"""Subjects that several tests look at, made once."""

import pytest

from voxtrail.datasets.phantom import PhantomSubject, demo_subject, make_subject


@pytest.fixture(scope="session")
def demo() -> PhantomSubject:
    return demo_subject()


@pytest.fixture(scope="session")
def pelvis() -> PhantomSubject:
    return make_subject(5, region="pelvis")


@pytest.fixture(scope="session")
def thorax() -> PhantomSubject:
    return make_subject(5, region="thorax")


@pytest.fixture(scope="session")
def head() -> PhantomSubject:
    return make_subject(5, region="head")
