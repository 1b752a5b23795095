"""docker-compose.yml: one container alone, or the office on real servers, fenced and set as the tested ones are.

`TESTED` holds what the test servers run, and is held against their scripts where these lie (shared/services): a server
that is set otherwise in an office than where it was tested would be one nobody has tried.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from config import env
from config.tests import servers
from config.tests.compose import load
from config.tests.test_documentation import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
FILE = load(TEXT)
SERVICES = FILE["services"]
OFFICE = {name: one for name, one in SERVICES.items() if one.get("profiles") == ["office"]}
OURS = ("web", "worker", "prepare")
DATABASES = ("postgres", "vault")
SERVERS = (*DATABASES, "elasticsearch", "s3")
TESTED = {
    "postgres": {"major": "15", "encoding": "UTF8", "locale": "C.UTF-8", "shared_buffers": "512MB"},
    "elasticsearch": {"version": "8.19.8", "port": "9200", "discovery": "single-node"},
    "s3": {"version": "v1.8.0", "port": "7070", "backend": "posix", "flags": ("--quiet", "--versioning-dir")},
}


PASSED = re.compile(r"\$\{(VANKHO_\w+):-(.*)\}")
# Not the office's to choose inside a container: where things lie there, and what its image, networks and roles fix.
EXCUSED = {
    "VANKHO_HOME",  # of the image
    "VANKHO_INBOX",  # a volume at its default
    "VANKHO_DEBUG",  # refused in production
    "VANKHO_DATABASE_OWNER_URL",  # for `prepare` alone
    "VANKHO_INDEX_PREFIX",  # the role of the account names it
    "VANKHO_S3_REGION",  # of the server of this file
    "VANKHO_S3_CA_FILE",  # in the same network of one machine
    "VANKHO_ELASTICSEARCH_CA_FILE",  # as above
}
# One container without any server, everything in its volume.
ALONE = {
    *("VANKHO_DATABASE_URL", "VANKHO_VAULT_URL", "VANKHO_ELASTICSEARCH_URL", "VANKHO_INDEX_SHARDS", "VANKHO_STORE"),
    *("VANKHO_S3_URL", "VANKHO_S3_BUCKET", "VANKHO_S3_ACCESS_KEY", "VANKHO_S3_SECRET_KEY"),
    *("VANKHO_SYNONYMS", "VANKHO_DECLARATION", "VANKHO_WEB_PROCESSES", "VANKHO_WEB_THREADS"),
}
WEB = {"VANKHO_WEB_PROCESSES", "VANKHO_WEB_THREADS"}
NOT_FOR = {"web": {"VANKHO_WORK_THREADS"}, "worker": WEB, "prepare": {*WEB, "VANKHO_WORK_THREADS"}}
# The networks of this file, its servers and its limits ask for another one than a program by itself.
OWN_DEFAULT = {
    *("VANKHO_ALLOWED_HOSTS", "VANKHO_TRUSTED_PROXIES", "VANKHO_METRICS_CLIENTS", "VANKHO_INDEX_SHARDS"),
    "VANKHO_WORK_THREADS",
}


# Where the scripts of the test servers say it.
SAID = {
    "postgres": {
        "major": "A real PostgreSQL {}",
        "encoding": 'initdb" -D "$DATA" -U owner --auth=trust -E {} ',
        "locale": " --locale={} ",
        "shared_buffers": "shared_buffers = '{}'",
    },
    "elasticsearch": {"version": "VERSION={}\n", "port": "PORT={}", "discovery": "discovery.type: {}\n"},
    "s3": {"version": "versity/versitygw/cmd/versitygw@{} ", "port": "PORT={}", "backend": "{} --versioning-dir"},
}


def every(*names):
    return pytest.mark.parametrize("name", names or sorted(OFFICE))


@every(*TESTED)
def test_what_is_held_to_be_tested_is_what_the_test_servers_run(name):
    """Here no server is started: the scripts are read. In the run with real servers they must be there."""
    script = servers.SERVICES / name
    if not script.is_file():
        (pytest.fail if os.environ.get("VANKHO_TEST_REQUIRE") == "1" else pytest.skip)(f"{script.name}: no such script")
    text = " ".join(script.read_text(encoding="utf-8").split(" ")).replace("\\\n", "\n")
    for key, form in SAID[name].items():
        assert form.format(TESTED[name][key]) in text, key
    for flag in TESTED[name].get("flags", ()):
        assert f" {flag} " in text, flag


def test_each_profile_starts_all_of_its_own_and_nothing_of_the_other():
    """What has no profile starts with every profile: the one container would take the port of the office's web."""
    assert {name: one["profiles"] for name, one in SERVICES.items() if name not in OFFICE} == {"vankho": ["alone"]}
    assert set(OFFICE) == {*OURS, *SERVERS}
    assert "depends_on" not in SERVICES["vankho"]


@every()
def test_every_container_is_fenced(name):
    one = OFFICE[name]
    assert one["read_only"] == "true"
    assert one["cap_drop"] == ["ALL"]
    assert "cap_add" not in one
    assert "privileged" not in one
    assert one["security_opt"] == ["no-new-privileges:true"]


@every()
def test_every_container_has_limits_and_a_probe(name):
    limits = OFFICE[name]["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) > 0
    assert re.fullmatch(r"\d+[mg]", limits["memory"])
    probe = OFFICE[name]["healthcheck"]
    assert "test" in probe or name == "prepare"


@every(*SERVICES)
def test_every_image_is_pinned_to_a_version_or_built_from_this_checkout(name):
    """Our image lies in no registry: a service that names it without saying how it is built cannot start."""
    image, _, tag = SERVICES[name]["image"].partition(":")
    if image == "vankho":
        assert (ROOT / SERVICES[name]["build"]["context"]).resolve() == ROOT
        assert (ROOT / SERVICES[name]["build"]["dockerfile"]).is_file()
    else:
        assert re.search(r"\d+\.\d+", tag), SERVICES[name]["image"]
        assert "build" not in SERVICES[name]


def test_only_web_is_published_and_on_loopback_only():
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert published == {"vankho": ["127.0.0.1:8000:8000"], "web": ["127.0.0.1:8000:8000"]}


def test_what_an_office_must_not_lose_with_a_container_lies_in_a_volume():
    """Home is memory there: without heads kept elsewhere, a database rolled back would start unnoticed."""
    for name in OURS:
        kept = {folder for _source, folder in mounts(name)}
        for setting in ("VANKHO_LOG_SECOND_PLACE", "VANKHO_SYNONYMS"):
            place = PurePosixPath(OFFICE[name]["environment"][setting])
            assert kept & {str(each) for each in (place, place.parent)}, f"{name}: {setting}"


def test_servers_and_workers_have_no_way_out():
    assert FILE["networks"]["back"] == FILE["networks"]["keys"] == {"internal": "true"}
    assert FILE["networks"]["front"]["driver_opts"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    assert [name for name, one in OFFICE.items() if "front" in one["networks"]] == ["web"]
    assert "network_mode" not in TEXT


def test_the_vault_is_apart_and_only_our_programs_reach_it():
    """Its rows are never in the main database's backup: another server, another volume, another network."""
    assert SERVICES["vault"]["networks"] == ["keys"]
    assert {name for name, one in OFFICE.items() if "keys" in one["networks"]} == {*OURS, "vault"}
    assert SERVICES["vault"]["volumes"] != SERVICES["postgres"]["volumes"]


@every()
def test_no_secret_is_a_value(name):
    for setting, value in OFFICE[name]["environment"].items() if "environment" in OFFICE[name] else ():
        if re.search(
            r"PASSWORD|CLIENT_SECRET|SECRET_KEY|(?:DATABASE|VAULT|ELASTICSEARCH)\w*_URL|ACCESS_KEY|SITE_KEY", setting
        ):
            assert value.startswith("/run/secrets/"), setting
    for secret in re.findall(r"/run/secrets/(\w+)", str(OFFICE[name])):
        assert secret in OFFICE[name]["secrets"], f"{name} is not given {secret}"


def test_every_secret_is_a_file_that_is_made_and_used():
    given = {name for one in SERVICES.values() for name in one.get("secrets", [])}
    assert given == set(FILE["secrets"])
    made = (ROOT / "config/docker/make-secrets").read_text(encoding="utf-8")
    for one in FILE["secrets"].values():
        assert list(one) == ["file"]
        assert one["file"].rsplit("/", 1)[1] in made


def test_secrets_stay_out_of_the_image_and_the_repository():
    for name in (".dockerignore", ".gitignore"):
        assert re.search(r"^secrets/?$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE), name


def test_made_secrets_are_random_closed_and_made_once(tmp_path):
    def make(folder):
        command = [ROOT / "config/docker/make-secrets", folder]
        subprocess.run(command, check=True, capture_output=True)
        return {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()}

    first, again, other = make(tmp_path / "a"), make(tmp_path / "a"), make(tmp_path / "b")
    assert first == again
    unused = {name for name, text in first.items() if not text.strip()}
    assert unused == {"old-session.key", "ldap-bind.password", "oidc-client.secret"}
    assert all(first[name] != other[name] for name in first.keys() - unused)
    assert all(path.stat().st_mode & 0o007 == 0 for path in (tmp_path / "a").iterdir())
    assert re.fullmatch(r"[0-9a-f]{64}", first["site-1.key"])
    assert len(first["session.key"].strip()) >= 50
    assert first["postgres.password"].strip() in first["database-owner.url"]
    assert first["postgres.password"].strip() not in first["database.url"]


def mounts(name):
    """Return (source, folder) of what one container has mounted; a source with a default in it holds a colon, too."""
    return [tuple(each.removesuffix(":ro").rsplit(":", 1)) for each in SERVICES[name].get("volumes", [])]


def is_file_of_ours(source):
    return source.startswith(("./", "${"))


def test_every_volume_is_named_and_belongs_to_one_server():
    used = [(source, name) for name in SERVICES for source, _folder in mounts(name)]
    assert {source for source, _name in used if not is_file_of_ours(source)} == set(FILE["volumes"])
    shared = {source: {name for other, name in used if other == source} for source, _name in used}
    for ours in ("level_keys", "heads", "${VANKHO_OFFICE_FILES:-./office}"):
        assert shared.pop(ours) == set(OURS)  # level keys and heads lie beside the program, never with the vault's rows
    assert all(len(names) == 1 for names in shared.values())
    for mounted in (source for source in shared if is_file_of_ours(source)):
        assert (ROOT / mounted).is_file()


@every(*OURS)
def test_a_fresh_volume_of_ours_can_be_written_by_its_account(name):
    """A volume is root's unless the image has the folder: the Dockerfile makes each with our owner."""
    dockerfile = (ROOT / "config/docker/Dockerfile").read_text(encoding="utf-8")
    for folder in (folder for source, folder in mounts(name) if not is_file_of_ours(source)):
        made = folder.replace("/var/lib/vankho", "$VANKHO_HOME")
        assert re.search(rf'install -d -o vankho -g vankho -m 0700.*"{re.escape(made)}"', dockerfile)


def test_nobody_starts_before_the_database_is_prepared_and_the_servers_are_well():
    for name in ("web", "worker"):
        assert SERVICES[name]["depends_on"] == {
            "prepare": {"condition": "service_completed_successfully"},
            "elasticsearch": {"condition": "service_healthy"},
            "s3": {"condition": "service_healthy"},
        }
    first = (*DATABASES, "s3")
    assert SERVICES["prepare"]["depends_on"] == {name: {"condition": "service_healthy"} for name in first}
    assert SERVICES["prepare"]["restart"] == "no"


def test_the_database_and_the_place_for_files_are_made_before_anybody_starts():
    """Nobody else makes a bucket: an office without one would take no file in."""
    done = SERVICES["prepare"]["command"][-1].split(" && ")
    assert done == [f".venv/bin/python manage.py {one}" for one in ("prepare_database", "prepare_store")]


def test_the_owner_of_the_database_is_known_to_preparing_alone():
    having = {name for name, one in OFFICE.items() if "database_owner_url" in one.get("secrets", [])}
    assert having == {"prepare"}


def test_two_workers_and_web_of_several_processes():
    assert SERVICES["worker"]["deploy"]["replicas"] == "2"
    assert SERVICES["worker"]["command"][-1] == "work"
    assert SERVICES["web"]["command"] == [".venv/bin/gunicorn", "--config", "config/gunicorn.py", "config.wsgi"]
    assert SERVICES["web"]["environment"]["VANKHO_WEB_PROCESSES"] == "${VANKHO_WEB_PROCESSES:-2}"


def given(name):
    return {
        setting if setting in env.NAMES else setting.removesuffix("_FILE") for setting in SERVICES[name]["environment"]
    }


@every("vankho", *OURS)
def test_every_setting_exists(name):
    assert given(name) <= env.NAMES
    assert SERVICES[name]["environment"]["VANKHO_PROFILE"] == "${VANKHO_PROFILE:-production}"


@every("vankho", *OURS)
def test_every_setting_that_an_office_may_choose_reaches_it(name):
    """A new setting is passed on, or excused here with a reason."""
    assert (
        env.NAMES - given(name) - EXCUSED - (ALONE if name == "vankho" else set()) - NOT_FOR.get(name, set()) == set()
    )


@every("vankho", *OURS)
def test_what_is_passed_on_has_the_default_of_the_programs(name):
    """A variable that is not set must not become an empty one where the program wants a word or a number."""
    told = {key: found for key, value in SERVICES[name]["environment"].items() if (found := PASSED.fullmatch(value))}
    assert {key for key, found in told.items() if found[1] != key} == set()
    chosen = {key: found[2] for key, found in told.items() if key not in OWN_DEFAULT}
    code = "import json; from config import settings, env; print(json.dumps(env.READ))"
    bare = {key: value for key, value in os.environ.items() if not key.startswith("VANKHO_")}
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=bare | {"VANKHO_PROFILE": "production"},
        capture_output=True,
        check=True,
    )
    program = json.loads(said.stdout)
    flags = {"False": "0", "True": "1"}
    assert chosen == {key: flags.get(program[key], program[key]) for key in chosen}


@every(*DATABASES)
def test_postgresql_is_set_as_the_tested_one(name):
    one, tested = SERVICES[name], TESTED["postgres"]
    assert re.fullmatch(rf"postgres:{tested['major']}\.\d+-bookworm", one["image"])
    given = one["environment"]["POSTGRES_INITDB_ARGS"]
    assert f"--encoding={tested['encoding']}" in given
    assert f"--locale={tested['locale']}" in given
    assert "trust" not in TEXT
    assert {"fsync=on", "synchronous_commit=on"} <= set(one["command"])
    assert one["user"] == "999:999"
    assert not any("off" in part for part in one["command"])
    if name == "postgres":
        assert f"shared_buffers={tested['shared_buffers']}" in one["command"]


def test_the_main_database_keeps_its_log_for_the_way_back_to_a_moment():
    """`test_point_in_time` runs a server with these flags and goes the way."""
    one = SERVICES["postgres"]
    command = next(part for part in one["command"] if part.startswith("archive_command="))
    script, act, folder, *rest = command.partition("=")[2].split()
    assert {"archive_mode=on", "archive_timeout=300"} <= set(one["command"])
    assert (act, rest) == ("keep", ["%p", "%f"])
    mounted = {where: source for source, where in mounts("postgres")}
    assert mounted[script] == "./config/docker/point-in-time"
    assert os.access(ROOT / mounted[script], os.X_OK)
    assert mounted[folder] == "point_in_time"
    data = one["environment"]["PGDATA"].partition("$")[0]
    assert mounted[data.rstrip("/")] == "postgres"  # on a volume apart, and in a folder that can be changed for another
    assert data.rstrip("/").startswith(folder)  # of the image, where the server's account may write


def test_the_vault_keeps_no_log_for_the_keys_of_what_was_destroyed_would_stay_in_it():
    assert not any("archive" in part for part in SERVICES["vault"]["command"])
    assert not any("point" in volume for volume in SERVICES["vault"]["volumes"])


def test_elasticsearch_is_set_as_the_tested_one_but_asks_who_is_there():
    one, tested = SERVICES["elasticsearch"], TESTED["elasticsearch"]
    assert one["image"] == f"elasticsearch:{tested['version']}"
    assert one["environment"]["discovery.type"] == tested["discovery"]
    assert one["environment"]["xpack.security.enabled"] == "true"
    assert one["environment"]["ingest.geoip.downloader.enabled"] == "false"  # it would call home
    assert f"127.0.0.1:{tested['port']}/" in str(one["healthcheck"]["test"])
    assert one["user"] == "1000:0"


def test_half_of_elasticsearchs_memory_is_heap():
    least, most = re.findall(r"-Xm[sx](\d+)g", SERVICES["elasticsearch"]["environment"]["ES_JAVA_OPTS"])
    limit = SERVICES["elasticsearch"]["deploy"]["resources"]["limits"]["memory"]
    assert least == most
    assert limit == f"{2 * int(most)}g"


def test_the_account_of_the_archive_may_use_its_own_indexes_and_nothing_else():
    role = load((ROOT / "config/docker/elasticsearch-roles.yml").read_text(encoding="utf-8"))["vankho"]
    assert role["cluster"] == ["monitor"]
    assert role["indices"] == [{"names": ["vankho*"], "privileges": ["all"]}]
    script = SERVICES["elasticsearch"]["command"][0]
    assert "-r vankho" in script
    assert "superuser" not in TEXT.split("entrypoint:")[1]
    assert "ELASTIC_PASSWORD" not in TEXT


def test_s3_is_set_as_the_tested_one():
    one, tested = SERVICES["s3"], TESTED["s3"]
    assert one["image"] == f"versity/versitygw:{tested['version']}"
    script = one["command"][0]
    assert f"--port :{tested['port']}" in script
    assert f" {tested['backend']} " in script
    assert all(flag in script for flag in tested["flags"])
    assert SERVICES["web"]["environment"]["VANKHO_S3_URL"] == f"http://s3:{tested['port']}"


@every("elasticsearch", "s3")
def test_a_start_script_is_good_shell(name):
    script = SERVICES[name]["command"][0].replace("$$", "$")
    shell = SERVICES[name]["entrypoint"][0].rsplit("/", 1)[1]
    assert shutil.which(shell)
    subprocess.run([shell, "-n", "-c", script], check=True)


@pytest.mark.parametrize("broken", ["a: {b: c}", "a:\n\tb: c", "a: b\na: c", "a: [b,", "just words", "a: >\n  b"])
def test_the_reader_refuses_what_it_does_not_know(broken):
    with pytest.raises((ValueError, KeyError)):
        load(broken)


def test_the_reader_reads_what_it_knows():
    text = "x: &one\n  a: [b, 'c, d', \"e\"]\n  f: |\n    g\n    h\ny:\n  <<: *one\n  f: i\n  l:\n    - m\n    - n: o\n      p: q\n"
    one = {"a": ["b", "c, d", "e"], "f": "g\nh"}
    assert load(text) == {"x": one, "y": {"a": one["a"], "f": "i", "l": ["m", {"n": "o", "p": "q"}]}}
