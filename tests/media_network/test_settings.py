"""Settings with secrets are refused where everybody may read them, and no secret is shown."""

import pytest
from click.testing import CliRunner

from distribution_center.cli import main
from distribution_center.network_management.settings import NmsSettings
from distribution_center.settings import CenterSettings
from media_network.settings import SettingsError, read_settings
from tests.wrong_values.table import CENTER, NMS, as_toml_text

PASSWORD = NMS["user"]["auth_password"]


def written(tmp_path, document, mode):
    path = tmp_path / "settings.toml"
    path.write_text(as_toml_text(document))
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
def test_a_file_for_its_owner_and_group_is_read(tmp_path, mode):
    assert read_settings(written(tmp_path, NMS, mode), NmsSettings).user.auth_password == PASSWORD


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o666])
def test_a_file_with_a_secret_that_everybody_may_read_is_refused_with_the_line_that_mends_it(tmp_path, mode):
    path = written(tmp_path, NMS, mode)
    with pytest.raises(SettingsError, match=r"user\.auth_password is a secret") as refused:
        read_settings(path, NmsSettings)
    assert refused.value.hint == f"chmod o= {path}"
    result = CliRunner().invoke(main, ["nms", "run", "--settings", str(path)])
    assert result.exit_code == 1
    assert f"Hint: chmod o= {path}" in result.stderr
    assert PASSWORD not in result.stderr


def test_a_file_without_secrets_may_be_read_by_everybody(tmp_path):
    document = {key: value for key, value in CENTER.items() if key != "snmp"}
    assert read_settings(written(tmp_path, document, 0o644), CenterSettings).name == CENTER["name"]


@pytest.mark.parametrize("password", [12345678, ["secret-one"], "short"])
def test_a_wrong_secret_is_not_shown(tmp_path, password):
    document = NMS | {"user": NMS["user"] | {"auth_password": password}}
    with pytest.raises(SettingsError) as refused:
        read_settings(written(tmp_path, document, 0o600), NmsSettings)
    assert str(password) not in str(refused.value)
    assert "secret-one" not in str(refused.value)
