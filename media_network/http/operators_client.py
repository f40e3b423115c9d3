"""The voice of a person's command, which shows who that person is where there is a way to."""

import os
import random
from pathlib import Path

from media_network.http.client import HttpClient
from media_network.identity.credentials import credentials_of
from media_network.identity.settings import IdentitySettings
from media_network.whereabouts import find_identity


def operators_client(state_dir: Path) -> HttpClient:
    """Speaks to machines as the operator of the network in that folder. Raises CredentialsUnfit."""
    folder = find_identity(state_dir, os.environ)
    settings = IdentitySettings.in_folder(folder) if folder else None
    return HttpClient(random.SystemRandom(), identification=credentials_of(settings))
