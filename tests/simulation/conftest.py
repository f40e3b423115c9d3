import pytest
from simulation.campaign import Campaign

LAST = "test_many_seeds_hold"
_CAMPAIGN = pytest.StashKey[Campaign]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name == LAST)


def pytest_runtestloop(session):
    if session.items and session.items[-1].name == LAST and not session.config.option.collectonly:
        session.config.stash[_CAMPAIGN] = Campaign()


def pytest_unconfigure(config):
    if campaign := config.stash.get(_CAMPAIGN, None):
        campaign.close()


@pytest.fixture
def campaign(pytestconfig):
    return pytestconfig.stash[_CAMPAIGN]
