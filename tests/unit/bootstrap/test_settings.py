"""Settings of the service: typed, documented, and wrong ones stop the start."""

from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from tests import signed_policy

from acl_engine.bootstrap.service import Service
from acl_engine.bootstrap.setting_texts import DOCS
from acl_engine.bootstrap.settings import KEYS, Serve, ServerSettings, load, value_of, variable_of
from acl_engine.domain.errors import ConfigError
from acl_engine.policy.pack import load_pack
from acl_engine.storage.database import Database

_NONE: Any = None
_UNOPENED = Service(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE, True)


def refused(text: str = "", environ: dict[str, str] | None = None, **flags: object) -> str:
    file = None
    if text:
        file = Path(refused.folder) / "server.yaml"  # type: ignore[attr-defined]
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, {key.replace("__", "."): value for key, value in flags.items()}, environ or {})
    return str(caught.value)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    refused.folder = tmp_path  # type: ignore[attr-defined]


def test_every_key_has_a_default_and_a_text_in_both_languages() -> None:
    assert set(DOCS) == set(KEYS)
    for key, doc in DOCS.items():
        assert doc.zh, key
        assert doc.en, key
        value_of(ServerSettings(), key)


def test_later_wins_default_file_environment_flag(tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text("schema: acl-server/1\nserve: {port: 1, workers: 2, host: a}\n")
    environ = {"ACL_SERVE_PORT": "2", "ACL_SERVE_HOST": "b"}
    loaded = load(file, {"serve.port": 3, "serve.host": None}, environ)
    serve = loaded.settings.serve
    assert (serve.port, serve.host, serve.workers) == (3, "b", 2)
    told = {one.key: one.origin for one in loaded.told}
    assert told["serve.port"] == "flag"
    assert told["serve.host"] == "environment"
    assert told["serve.workers"] == "file"
    assert told["limits.body_bytes"] == "default"


def test_a_mistyped_key_or_variable_is_refused_with_its_place() -> None:
    assert "server.yaml:2" in refused("schema: acl-server/1\nservee: {}\n")
    assert "`worker`" in refused("schema: acl-server/1\nserve: {worker: 2}\n")
    assert "`ACL_SERVE_PROT`" in refused(environ={"ACL_SERVE_PROT": "1"})
    assert "`ACL_LIMITS_BODY_BYTE`" in refused(environ={"ACL_LIMITS_BODY_BYTE": "1"})


def test_the_commands_other_variables_are_left_alone() -> None:
    load(None, {}, {"ACL_LANG": "zh", "ACL_TEST_DATA": "x", "PATH": "/"})


def test_a_value_of_the_wrong_type_or_out_of_range_is_refused() -> None:
    assert "`ACL_SERVE_PORT`" in refused(environ={"ACL_SERVE_PORT": "many"})
    assert "<= 65535" in refused(environ={"ACL_SERVE_PORT": "65536"})
    assert ">= 1024" in refused("schema: acl-server/1\nlimits: {body_bytes: 1}\n")
    assert "serve.port" in refused('schema: acl-server/1\nserve: {port: "8443"}\n')


def test_contradictions_stop_the_start() -> None:
    assert "certificate" in refused(serve__certificate="c.pem")
    assert "limits.requests" in refused(environ={"ACL_LIMITS_CONNECTIONS": "16"})
    assert "PostgreSQL" in refused(database="sqlite:///x.db", serve__workers=2)
    assert "https://" in refused(serve__public_url="http://login.example")
    for url in ("https://login.example/sub", "https://login.example//", "https://a@login.example"):
        assert "no path" in refused(serve__public_url=url)


@pytest.mark.parametrize(
    ("serve", "address"),
    [
        (Serve(public_url="https://login.example/"), "https://login.example"),
        (Serve(host="::1", port=0), "https://[::1]:9443"),
    ],
)
def test_the_address_is_one_that_paths_can_be_put_behind(serve: Serve, address: str) -> None:
    """`https://login.example//scanner/` belongs to no application, nor does port 0."""
    service = replace(_UNOPENED, settings=ServerSettings(serve=serve))
    assert service.at_port(9443).address == address


def test_a_file_that_is_not_there_or_not_yaml_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "no.yaml", {}, {})
    assert "\n" not in str(caught.value)
    assert "\n" not in refused("schema: [")


def test_no_database_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="no database"):
        Service.open(ServerSettings())


def test_the_company_of_2020_is_never_served(sqlite_url: str, tmp_path: Path) -> None:
    """Not as a folder, and not with two good signatures on it."""
    before = Path(__file__).parents[3] / "policies" / "courier" / "before"
    with pytest.raises(ConfigError, match="only a signed bundle"):
        Service.open(ServerSettings(database=sqlite_url, policy=str(before)))
    told = signed_policy.source(tmp_path, load_pack(before))
    settings = ServerSettings(
        database=sqlite_url, policy=str(told.path), policy_trust=str(told.trust)
    )
    with pytest.raises(ConfigError, match="replay only"):
        Service.open(settings)


def test_a_real_world_wants_its_key_and_the_real_time(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="no policy was named"):
        Service.open(ServerSettings(database=sqlite_url))
    signed_policy.in_environment(tmp_path, monkeypatch)
    monkeypatch.delenv("ACL_MASTER_KEY_FILE", raising=False)
    with pytest.raises(ConfigError, match="no master key"):
        Service.open(ServerSettings(database=sqlite_url))
    loaded = load(None, {"database": sqlite_url, "serve.clock_offset": 60}, {})
    with pytest.raises(ConfigError, match="not synthetic"):
        Service.open(loaded.settings)


def test_a_refused_start_leaves_the_database_closed(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    real = Database.close
    monkeypatch.setattr(Database, "close", lambda self: (closed.append(self.name), real(self))[1])
    monkeypatch.delenv("ACL_MASTER_KEY_FILE", raising=False)
    with pytest.raises(ConfigError):
        Service.open(ServerSettings(database=sqlite_url))
    assert closed


def test_a_variable_is_named_after_its_key() -> None:
    assert variable_of("limits.body_bytes") == "ACL_LIMITS_BODY_BYTES"


def test_the_reference_is_what_the_program_reads() -> None:
    """docs/reference/settings.md is made by a tool, and the shipped example is a good file."""
    root = Path(__file__).parents[3]
    spec = spec_from_file_location("reference", root / "tools" / "settings_reference.py")
    assert spec is not None
    assert spec.loader is not None
    tool = module_from_spec(spec)
    spec.loader.exec_module(tool)
    written = (root / "docs" / "reference" / "settings.md").read_text("utf-8")
    assert written == tool.text()
    loaded = load(root / "deploy" / "server.yaml", {}, {})
    assert loaded.settings.serve.workers == 2
