"""Where settings come from, and what is said of mistakes."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendwatch import config, manual, toml_lines
from sendwatch.cluster import Kafka, Retention, Topics
from sendwatch.config import ConfigError
from sendwatch.evidence.seal import BadKeyError, signing_key
from sendwatch.policy import Exemption, Judging, RuleSettings
from sendwatch.secret import Secret
from sendwatch.settings import Engine, Recipients, Settings
from sendwatch.typed import leaves
from sendwatch.verdict import Mode, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY, OTHER_KEY = "0f" * 32, "a5" * 32
LEAST = f"""\
[kafka]
bootstrap = "127.0.0.1:9092"

[recipients]
internal_key = "{KEY}"
public_key = "{OTHER_KEY}"
"""


def read(
    tmp_path: Path,
    text: str = "",
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, str] | None = None,
    *,
    start: str = LEAST,
) -> config.Configured:
    path = tmp_path / "sendwatch.toml"
    path.write_text(start + text, encoding="utf-8")
    return config.read(path, environ or {}, overrides, rules=["B1_QUIET_HOURS", "C1_CONSENT_MISSING"])


def problems(
    tmp_path: Path,
    text: str = "",
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, str] | None = None,
    *,
    start: str = LEAST,
) -> list[str]:
    """What is said of mistakes, the file's folder taken off."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, environ, overrides, start=start)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


# -- where values come from ------------------------------------------------------------------------


def test_everything_but_the_servers_and_the_keys_has_a_default(tmp_path: Path) -> None:
    """Three lines are a configuration."""
    settings, origins = read(tmp_path)
    assert settings.kafka == Kafka(bootstrap="127.0.0.1:9092")
    assert settings.topics == Topics()
    assert settings.judging == Judging()
    assert settings.recipients.internal == bytes.fromhex(KEY)
    assert set(origins) == {"kafka.bootstrap", "recipients.internal_key", "recipients.public_key"}


def test_tokens_need_no_keys(tmp_path: Path) -> None:
    """Where the carrier hides numbers beforehand, one line is a configuration."""
    settings, _ = config.read(None, {"SENDWATCH_KAFKA__BOOTSTRAP": "k:1", "SENDWATCH_RECIPIENTS__FORM": "token"})
    assert settings.recipients.form == "token"
    assert (settings.recipients.internal, settings.recipients.public) == (b"", b"")


def test_environment_wins_over_file_and_command_line_over_both(tmp_path: Path) -> None:
    """Each value comes from the last source that gives it, and says so."""
    environ = {"SENDWATCH_WEB__PORT": "2", "SENDWATCH_ENGINE__CACHE_MB": "20"}
    overrides = {"web.port": "3"}
    settings, origins = read(tmp_path, "[web]\nport = 1\nhost = 'h'\n[engine]\ncache_mb = 10\n", environ, overrides)
    assert (settings.web.port, settings.engine.cache_mb, settings.web.host) == (3, 20, "h")
    assert origins["web.port"] == "command line"
    assert origins["engine.cache_mb"] == "SENDWATCH_ENGINE__CACHE_MB"
    assert origins["web.host"].endswith("sendwatch.toml:9")
    assert "web.scheme" not in origins


def test_text_from_the_environment_takes_the_type_of_its_setting(tmp_path: Path) -> None:
    """Numbers, truth values, lists with commas or as in TOML, dates, tables of a rule."""
    environ = {
        "SENDWATCH_KAFKA__SESSION_TIMEOUT_SECONDS": "12.5",
        "SENDWATCH_JUDGING__PENDING_GRACE": "true",
        "SENDWATCH_JUDGING__HOLIDAYS": "[2026-10-01, 2026-10-02]",
        "SENDWATCH_JUDGING__UNCONNECTED": "letters, templates",
        "SENDWATCH_RULES__B1_QUIET_HOURS__MODE": "shadow",
        "SENDWATCH_RULES__B1_QUIET_HOURS__EXCEPTIONS": '[{owner="O1", reason="trial", until=2026-12-31}]',
        "SENDWATCH_TOPICS__PREFIX": "",
    }
    settings, _ = read(tmp_path, environ=environ)
    assert settings.kafka.session_timeout_seconds == 12.5
    assert settings.judging.pending_grace is True
    assert settings.judging.holiday_days == frozenset({"2026-10-01", "2026-10-02"})
    assert settings.judging.unconnected == ("letters", "templates")
    exemption = Exemption(owner="O1", reason="trial", until=date(2026, 12, 31))
    assert settings.rule("B1_QUIET_HOURS") == RuleSettings(mode=Mode.SHADOW, exceptions=(exemption,))


def test_a_rule_without_settings_runs_as_catalogued(tmp_path: Path) -> None:
    """Only what is set differs; severity may be set alone."""
    settings, _ = read(tmp_path, '[rules.C1_CONSENT_MISSING]\nseverity = "critical"\n')
    assert settings.rule("C1_CONSENT_MISSING") == RuleSettings(severity=Severity.CRITICAL)
    assert settings.rule("B1_QUIET_HOURS") == RuleSettings()


def test_variables_that_kubernetes_makes_are_let_be(tmp_path: Path) -> None:
    """A service named sendwatch, or sendwatch-web, must not stop a worker beside it."""
    environ = {
        "SENDWATCH_SERVICE_HOST": "10.0.0.1",
        "SENDWATCH_PORT_8066_TCP_ADDR": "10.0.0.1",
        "SENDWATCH_WEB_PORT": "tcp://10.0.0.1:80",
        "SENDWATCH_CONFIG": "sendwatch.toml",
    }
    assert read(tmp_path, environ=environ).settings.web.port == 8066


# -- what is said of mistakes ----------------------------------------------------------------------


def test_all_mistakes_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    """Unknown names with the nearest right one, wrong types and ranges, what cannot be true together."""
    text = """\
[kafka]
bootstrap = "kafka-1:9092, kafka-2"
securty = "tls"
security = "tsl"

[topics]
partitions = 0
names.flags = "sms.sends"

[[rules.B1_QUIET_HOURS.exceptions]]
owner = "O1"
reason = "trial"
[[rules.B1_QUIET_HOURS.exceptions]]
reason = "trial"
until = 2026-12-31

[rules.C1_CONSENT_MISING]
mode = "of"

[judging]
quiet_from = "22:00"
consent_requests = ["回复(Y"]

[wbe]
"""
    environ = {
        "SENDWATCH_LOGS__LEVEL": "inf",
        "SENDWATCH_LOG__LEVEL": "info",
        "SENDWATCH_WEB_PORT": "80",
        "SENDWATCH_JUDGING__UNCONNECTED": "[1]",
    }
    told = problems(tmp_path, text, environ, {"engine.cache_mb": "1"}, start="")
    assert told == re.sub(r"\n {4}", " ", ALL_AT_ONCE).splitlines()


ALL_AT_ONCE = """\
sendwatch.toml:2: kafka.bootstrap: expected host:port, got 'kafka-2'
sendwatch.toml:3: kafka.securty: unknown setting; did you mean security?
sendwatch.toml:4: kafka.security: expected one of plaintext, sasl_plaintext, sasl_tls, tls, got 'tsl';
    did you mean tls?
sendwatch.toml:7: topics.partitions: expected a whole number from 1 to 10000, got 0
sendwatch.toml:8: topics.names.flags: 'sms.sends' is the name of sends too: each kind needs a topic of its own
sendwatch.toml:10: rules.B1_QUIET_HOURS.exceptions.0.until: required
sendwatch.toml:13: rules.B1_QUIET_HOURS.exceptions.1: names neither an owner nor a signature:
    to spare everybody, set the rule's mode to off
sendwatch.toml:17: rules.C1_CONSENT_MISING: unknown rule; did you mean C1_CONSENT_MISSING?
sendwatch.toml:18: rules.C1_CONSENT_MISING.mode: expected one of on, shadow, off, got 'of'; did you mean off?
sendwatch.toml:21: judging.quiet_from: expected a whole number from 0 to 23, got '22:00'
sendwatch.toml:22: judging.consent_requests.0: not a regular expression:
    missing ), unterminated subpattern at position 2
sendwatch.toml:24: wbe: unknown setting; did you mean web?
SENDWATCH_LOG__LEVEL: unknown setting; did you mean SENDWATCH_LOGS__LEVEL?
SENDWATCH_WEB_PORT: unknown setting; did you mean SENDWATCH_WEB__PORT?
recipients.internal_key: needed with form = "number"; or name a file that holds it: internal_key_file
recipients.public_key: needed with form = "number"; or name a file that holds it: public_key_file
SENDWATCH_JUDGING__UNCONNECTED: judging.unconnected: expected a list, each one of consents, letters, owners,
    ports, replies, signatures, templates, got '[1]'
command line: engine.cache_mb: expected a whole number from 8 to 1000000, got '1'
SENDWATCH_LOGS__LEVEL: logs.level: expected one of debug, error, info, warning, got 'inf'; did you mean info?
"""


def test_nothing_at_all_names_what_is_required(tmp_path: Path) -> None:
    """An empty file is told what it lacks."""
    assert problems(tmp_path, start="")[0] == "kafka.bootstrap: required"


def test_a_file_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    """The parser's own words, with the place; the environment is still looked at."""
    told = problems(tmp_path, "[web\n", {"SENDWATCH_NO__SUCH": "1"})
    assert told[0].startswith("sendwatch.toml: not TOML: ")
    assert "line 7" in told[0]
    assert "SENDWATCH_NO__SUCH: unknown setting" in told


@pytest.mark.parametrize(("name", "said"), [("none.toml", "No such file"), ("", "Is a directory")])
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, said: str) -> None:
    """A missing file is a problem, not a default."""
    with pytest.raises(ConfigError, match=said):
        config.read(tmp_path / name, {})


def test_a_file_that_is_not_utf8_says_where(tmp_path: Path) -> None:
    """A GBK file from a Windows editor is told apart from bad TOML."""
    path = tmp_path / "sendwatch.toml"
    path.write_bytes("# 配置\n".encode("gbk"))
    with pytest.raises(ConfigError, match="not UTF-8, from byte 2 on"):
        config.read(path, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kafka = "127.0.0.1:9092"', "kafka: expected a table, got '127.0.0.1:9092'"),
        ("[rules]\nB1_QUIET_HOURS = 1", "rules.B1_QUIET_HOURS: expected a table, got 1"),
        (
            "[rules.B1_QUIET_HOURS]\nexceptions = 1",
            "rules.B1_QUIET_HOURS.exceptions: expected a list of tables, got 1",
        ),
        ("[judging]\npending_grace = 1", "judging.pending_grace: expected true or false, got 1"),
        ("[kafka]\nwait_seconds = '1'", "kafka.wait_seconds: expected a number from 0 to 86400, got '1'"),
        ("[web]\nhost = ''", "web.host: expected a text that is not empty, got ''"),
        (
            "[topics]\nreplication = 0",
            "topics.replication: expected -1 (the cluster's default) or at least 1, got 0",
        ),
        (
            "[topics.retention_days]\nsends = 3",
            "topics.retention_days.sends: expected -1 (for ever) or at least 5",
        ),
        (
            "[judging]\nwindow_hours = 700\n[topics.retention_days]\nledger = 30",
            "topics.retention_days.ledger: 30 days are less than judging.window_hours (700) and a day",
        ),
        ("[kafka]\nsecurity = 'sasl_tls'", 'kafka.username: needed with security = "sasl_tls"'),
        (
            "[kafka]\nsecurity = 'tls'\ncert_file = 'c'",
            "kafka.key_file: missing: certificate and key go together",
        ),
        ("[kafka]\nusername = 'u'", 'kafka.username: would not be used with security = "plaintext"'),
        ("[kafka]\nca_file = 'c'", 'kafka.ca_file: would not be used with security = "plaintext"'),
        (
            "[metrics]\ncarriers = ['a b']",
            "metrics.carriers: expected a list of at most 20, each a text that matches",
        ),
    ],
)
def test_each_kind_of_mistake_says_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    """One sentence, with the setting and what it should be."""
    assert any(said in line for line in problems(tmp_path, text, start="")), said


# -- secrets ---------------------------------------------------------------------------------------


def test_a_secret_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    """Named in the configuration or in the environment; the end of its line is not part of it."""
    (tmp_path / "internal").write_text(f"{KEY}\n", encoding="utf-8")
    (tmp_path / "public").write_text(OTHER_KEY, encoding="utf-8")
    text = f'[kafka]\nbootstrap = "k:1"\n[recipients]\ninternal_key_file = "{tmp_path}/internal"\n'
    environ = {"SENDWATCH_RECIPIENTS__PUBLIC_KEY_FILE": f"{tmp_path}/public"}
    settings, origins = read(tmp_path, text, environ, start="")
    assert settings.recipients.internal == bytes.fromhex(KEY)
    assert settings.recipients.public == bytes.fromhex(OTHER_KEY)
    assert origins["recipients.internal_key"] == f"{tmp_path}/sendwatch.toml:4 ({tmp_path}/internal)"
    assert origins["recipients.public_key"] == f"SENDWATCH_RECIPIENTS__PUBLIC_KEY_FILE ({tmp_path}/public)"


def test_a_secret_of_the_environment_replaces_the_file_that_the_configuration_names(tmp_path: Path) -> None:
    """Which of the two ways was used further down does not matter."""
    keys = 'internal_key_file = "/nowhere"\npublic_key_file = "/nowhere"'
    text = f'kafka.bootstrap = "k:1"\n[recipients]\n{keys}\n'
    environ = {"SENDWATCH_RECIPIENTS__INTERNAL_KEY": KEY, "SENDWATCH_RECIPIENTS__PUBLIC_KEY": OTHER_KEY}
    assert read(tmp_path, text, environ, start="").settings.recipients.public == bytes.fromhex(OTHER_KEY)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (None, "cannot read {}: No such file or directory"),
        (b"", "empty"),
        (b"\xff", "cannot read {}: it is not UTF-8 text"),
    ],
)
def test_a_key_that_few_commands_need_stops_only_those(tmp_path: Path, made: bytes | None, why: str) -> None:
    """The signing key lies on the machine that signs: elsewhere its setting stands for nothing, and hurts nobody."""
    file = tmp_path / "signing"
    if made is not None:
        file.write_bytes(made)
    settings, origins = read(tmp_path, f'[evidence]\nsigning_key_file = "{file}"\n')
    assert origins["evidence.signing_key"].endswith(f"sendwatch.toml:8 ({why.format(file)})")
    assert KEY in settings.secrets
    assert any(line.startswith("evidence.signing_key = unset ") for line in manual.show(settings, origins))
    with pytest.raises(BadKeyError, match=r"evidence\.signing_key_file: " + re.escape(why.format(file))):
        signing_key(settings)
    both = f'[evidence]\nsigning_key_file = "{file}"\nsigning_key = "k"\n'
    assert any("only one of them" in each for each in problems(tmp_path, both))


def test_secrets_that_cannot_be_had_are_problems(tmp_path: Path) -> None:
    """A missing file, an empty one, both ways, the command line, a number, not hex, one key for both."""
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    sasl = '[kafka]\nbootstrap = "k:1"\nsecurity = "sasl_tls"\nusername = "u"\n'
    keys = f'[recipients]\ninternal_key = "{KEY}"\npublic_key = "{KEY}"\n'
    nowhere = problems(tmp_path, 'password_file = "/nowhere/it"\n', start=sasl)
    assert "sendwatch.toml:5: kafka.password_file: cannot read /nowhere/it: No such file or directory" in nowhere
    assert not any("kafka.password:" in told for told in nowhere), "said once"
    assert "sendwatch.toml:5: kafka.password_file: empty" in problems(
        tmp_path, f'password_file = "{tmp_path}/empty"\n', start=sasl
    )
    both = problems(tmp_path, 'password = "x"\npassword_file = "y"\n', start=sasl)
    assert "sendwatch.toml:5: kafka.password: given beside password_file: only one of them" in both
    environ = {"SENDWATCH_KAFKA__PASSWORD": "x", "SENDWATCH_KAFKA__PASSWORD_FILE": "y"}
    assert any("given beside SENDWATCH_KAFKA__PASSWORD_FILE" in line for line in problems(tmp_path, "", environ))
    assert "sendwatch.toml:5: kafka.password: expected a text" in problems(tmp_path, "password = 5\n", start=sasl)
    shown = problems(tmp_path, "", {}, {"kafka.password": "canary-in-a-cage"})
    assert any("everybody on this machine can read a command line: use kafka.password_file" in s for s in shown)
    twice = problems(tmp_path, keys, start='[kafka]\nbootstrap = "k:1"\n')
    assert "sendwatch.toml:5: recipients.public_key: the same as internal_key: whoever learns one has both" in twice
    short = problems(tmp_path, keys.replace(KEY, "abcd"), start='[kafka]\nbootstrap = "k:1"\n')
    assert any("expected 16 to 64 bytes in hex" in line for line in short)


def test_a_secret_is_seen_nowhere_unless_it_is_asked_for(tmp_path: Path) -> None:
    """Not in a repr, not in what holds, not in a problem, not in the version."""
    canary = "canary-in-a-cage"
    sasl = {"SENDWATCH_KAFKA__SECURITY": "sasl_tls", "SENDWATCH_KAFKA__USERNAME": "u"}
    configured = read(tmp_path, environ={**sasl, "SENDWATCH_KAFKA__PASSWORD": canary})
    assert configured.settings.secrets == (canary, KEY, OTHER_KEY)
    seen = [repr(configured), *manual.show(*configured), configured.settings.version]
    seen += problems(tmp_path, "", {"SENDWATCH_KAFKA__PASSWORD": canary, "SENDWATCH_RECIPIENTS__PUBLIC_KEY": canary})
    for secret in configured.settings.secrets:
        assert not any(secret in text for text in seen)
    assert configured.settings.kafka.password == Secret(canary)
    assert configured.settings.kafka.password != Secret("other")


# -- what the settings say of themselves -----------------------------------------------------------


def test_the_version_changes_with_what_a_verdict_depends_on_and_with_nothing_else() -> None:
    """Two workers of one version judge alike; a port or a password makes no new version."""
    kafka = Kafka(bootstrap="k:1")
    settings = Settings(kafka=kafka)
    assert settings.version == Settings(kafka=Kafka(bootstrap="other:1"), engine=Engine(cache_mb=64)).version
    others = [
        Settings(kafka=kafka, judging=Judging(grace_seconds=61)),
        Settings(kafka=kafka, rules={"B1_QUIET_HOURS": RuleSettings(mode=Mode.OFF)}),
        Settings(kafka=kafka, recipients=Recipients(form="token")),
        Settings(kafka=kafka, engine=Engine(canary_sp="SP-CANARY")),
    ]
    assert len({settings.version, *(other.version for other in others)}) == 5


def test_an_exemption_ends_with_its_last_day_in_beijing() -> None:
    """2026-12-31 is over at 16:00 UTC."""
    exemption = Exemption(owner="O1", reason="trial", until=date(2026, 12, 31))
    assert exemption.ends_at == 1_798_732_800_000


def test_what_is_seldom_meant_is_doubted() -> None:
    """Readable numbers on the network, one copy, forged arrival, exemptions that have ended."""
    exemption = Exemption(owner="O1", reason="trial", until=date(2026, 1, 1))
    settings = Settings(
        kafka=Kafka(bootstrap="kafka-1:9092"),
        topics=Topics(replication=1, timestamps="producer"),
        rules={
            "B1_QUIET_HOURS": RuleSettings(exceptions=(exemption,)),
            "G1_SIGNATURE_MISSING": RuleSettings(mode=Mode.OFF),
            "G8_PORT_INVALID": RuleSettings(mode=Mode.OFF),
        },
        engine=Engine(canary_sp="SP-CANARY"),
    )
    assert [key for key, _ in settings.doubts(date(2026, 1, 2))] == [
        "kafka.security",
        "topics.replication",
        "topics.timestamps",
        "engine.canary_sp",
        "rules.B1_QUIET_HOURS.exceptions.0",
    ]
    assert not list(Settings(kafka=Kafka(bootstrap="127.0.0.1:9092,[::1]:9092")).doubts(date(2026, 1, 2)))


# -- the pages -------------------------------------------------------------------------------------


def test_the_sample_configuration_is_what_the_code_says(pytestconfig: pytest.Config) -> None:
    """A setting is documented once; make the file anew from `manual.sample()` when this fails."""
    assert (pytestconfig.rootpath / "deploy/sendwatch.toml").read_text(encoding="utf-8") == manual.sample()


def test_the_sample_configuration_works_and_its_defaults_are_the_defaults(tmp_path: Path) -> None:
    """As it stands, and with every line uncommented that holds a default."""
    keys = {"SENDWATCH_RECIPIENTS__INTERNAL_KEY": KEY, "SENDWATCH_RECIPIENTS__PUBLIC_KEY": OTHER_KEY}
    as_it_stands, _ = read(tmp_path, manual.sample(), keys, start="")
    uncommented = re.sub(r"(?m)^#(?=\[?\[?[a-z_]+[.\]\w]*( = .|\]))", "", manual.sample())
    filled, origins = read(tmp_path, uncommented, keys, start="")
    assert msgspec.structs.replace(filled, rules={}) == as_it_stands
    assert filled.rule("B1_QUIET_HOURS").mode == Mode.ON
    given = [key for key, field in leaves(Settings) if key not in origins and field.default is not None]
    assert not given, "every setting that has a default stands in the sample"


def test_the_schema_knows_every_setting_and_no_other() -> None:
    """Editors complete what the reader takes, files of secrets too."""
    schema = manual.schema()

    def keys(definition: dict[str, Any], path: str = "") -> set[str]:
        found: set[str] = set()
        assert definition["additionalProperties"] is False
        for name, property_ in definition["properties"].items():
            inner = property_.get("$ref", "").rpartition("/")[2]
            found |= keys(schema["$defs"][inner], f"{path}{name}.") if inner else {path + name}
        return found

    assert keys(schema["$defs"]["Settings"]) == {*config.every_key(), "rules"}


def test_what_holds_is_shown_with_its_place(tmp_path: Path) -> None:
    """A line a setting, rules that are set too."""
    text = "[rules.B1_QUIET_HOURS]\nmode = 'off'\n"
    shown = manual.show(*read(tmp_path, text, {"SENDWATCH_TOPICS__PREFIX": "a."}))
    lines = {line.split(" = ")[0]: re.sub(r" +# ", " # ", line) for line in shown}
    assert lines["topics.prefix"] == 'topics.prefix = "a." # SENDWATCH_TOPICS__PREFIX'
    assert lines["kafka.username"] == "kafka.username = unset # default"
    assert lines["recipients.public_key"].startswith('recipients.public_key = "…" # ')
    assert lines["rules.B1_QUIET_HOURS.mode"].startswith('rules.B1_QUIET_HOURS.mode = "off" # ')
    assert lines["topics.retention_days.sends"] == f"topics.retention_days.sends = {Retention().sends} # default"


# -- lines of a TOML text --------------------------------------------------------------------------

TRICKY = '''\
# [no.table]
a = 1 # b = 2
"q.x" = "[not] # a {table}"
c.d.e = """
[nor] = 'this'
quotes \\""" end""""
f = [1, # one
  [2, 3], { g = 'x,}', h.i = [
    4 ] },
]

[t.'u v']  # header
j = 2026-10-01 07:32:00
[[t.w]]
k = 1
[[t.w]]
k = \'\'\'
''\'\'\'
[t.w.x]
m = {}
'''


def test_lines_are_found_through_all_of_tomls_notation() -> None:
    """Comments, quotes, dots, lists, inline tables, arrays of tables, texts over lines."""
    lines = toml_lines.lines_of(TRICKY)
    assert set(lines) == set(paths(tomllib.loads(TRICKY)))
    assert {".".join(map(str, path)): line for path, line in lines.items() if len(path) > 1} == {
        "c.d": 4,
        "c.d.e": 4,
        "f.0": 7,
        "f.1": 8,
        "f.1.0": 8,
        "f.1.1": 8,
        "f.2": 8,
        "f.2.g": 8,
        "f.2.h": 8,
        "f.2.h.i": 8,
        "f.2.h.i.0": 9,
        "t.u v": 12,
        "t.u v.j": 13,
        "t.w": 14,
        "t.w.0": 14,
        "t.w.0.k": 15,
        "t.w.1": 16,
        "t.w.1.k": 17,
        "t.w.1.x": 19,
        "t.w.1.x.m": 20,
    }


def paths(value: object, path: toml_lines.Path = ()) -> list[toml_lines.Path]:
    """Every path below a value."""
    below: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list):
        below = list(enumerate(value))
    return [found for key, inner in below for found in [(*path, key), *paths(inner, (*path, key))]]


names = st.sampled_from(["a", "b-c", "_d", "7", '"x.y"', '"q\\"]"', "'s #'", '"é"'])
scalars = st.sampled_from(
    ["1", "-2.5", "true", "2026-10-01", '"#]"', "'\\'", '"a\\\\"', '"""x\n]"""', "'''\n'''", '"\\""']
)


def listed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Lists and inline tables of values."""
    pairs = st.dictionaries(names, inner, max_size=3).map(
        lambda d: "{ " + ", ".join(f"{k} = {v}" for k, v in d.items()) + " }"
    )
    one_line = pairs.filter(lambda text: "\n" not in text)
    return st.lists(inner, max_size=3).map(lambda items: "[" + " ,\n# ]\n".join(items) + "\n]") | one_line


values = st.recursive(scalars, listed, max_leaves=6)
tables = st.dictionaries(names, st.dictionaries(names, values, max_size=4), max_size=4)


@given(tables, st.booleans())
def test_lines_are_found_for_exactly_what_tomllib_reads(drawn: dict[str, dict[str, str]], arrays: bool) -> None:
    """No path is missed, none is made up, and each lies where its key is written."""
    text = ""
    for table, pairs in drawn.items():
        text += f"[[{table}]]\n[[{table}]]\n" if arrays else f" [ {table} ] # x\n"
        text += "".join(f"  {key} = {value}\n" for key, value in pairs.items())
    lines = toml_lines.lines_of(text)
    assert set(lines) == set(paths(tomllib.loads(text)))
    for path, line in lines.items():
        if isinstance(path[-1], str):
            written = text.splitlines()[line - 1]
            assert path[-1].replace('"', '\\"') in written
