"""The documents say what is there: paths, links, variables and the worked example are tried."""

import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from api.app import RESOURCES
from kernel import config as configuration
from kernel import outbox
from redemption import token

ROOT = Path(__file__).parents[2]

_DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/**/*.md")
    for path in ROOT.glob(pattern)
)
_PATH = re.compile(r"`(\w[\w.-]*(?:/[\w.-]+)+\.(?:py|md|svg|toml|ini|json|lock|sh|mako|sql|html))`")
_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
_VARIABLE = re.compile(r"env\.\w+\(\s*\"([A-Z_]+)\"")
_ERROR = re.compile(r"log\.error\(\s*\"([a-z_.]+)\"")
_ROUTE = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[\w/{}-]*[\w}])")
_IN_BRACES = re.compile(r"<[^>]+>|\{[^}]+\}|(?<=/)20\d\d-\d\d(?=/|$)")
_GUIDES = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
_COMMA = re.compile(r", (?![^(]*\))")
_TOPIC = re.compile(r"`([a-z_]+\.[a-z_]+)`")
_PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def _rooms() -> list[Path]:
    """The rooms of the house, by the contract of the floors."""
    contract = _text("pyproject.toml").split("layers = [")[1].split("]")[0]
    return [ROOT / room for room in re.findall(r"\w+", contract)]


def _text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_every_path_in_the_documents_is_there(document: str):
    named = set(_PATH.findall(_text(document)))

    missing = sorted(path for path in named if not (ROOT / path).is_file())

    assert missing == []


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_every_link_between_the_documents_leads_somewhere(document: str):
    folder = (ROOT / document).parent

    dead = sorted(link for link in _LINK.findall(_text(document)) if not (folder / link).exists())

    assert dead == []


def test_the_architecture_names_every_room_of_the_import_contract():
    text = _text("docs/architecture.md")

    assert [room.name for room in _rooms() if f"`{room.name}`" not in text] == []


def test_the_architecture_tells_of_all_news_and_of_no_other():
    for source in (path for room in _rooms() for path in room.rglob("*.py")):
        if "\n@subscriber(" in source.read_text(encoding="utf-8"):
            import_module(".".join(source.relative_to(ROOT).with_suffix("").parts))
    table = _text("docs/architecture.md").split("### News")[1].split("\n\n")[1]
    told = {topic for row in table.splitlines() for topic in _TOPIC.findall(row.split("|")[1])}

    heard = set(outbox._subscribers)  # noqa: SLF001
    assert told == {topic for topic in heard if not topic.startswith("test_")}


def test_no_word_of_the_glossary_stands_twice():
    """Two ideas of one word say which they are in brackets."""
    cells = re.findall(r"^\| ([^|]+) \|", _text("docs/glossary.md"), re.MULTILINE)
    words = [word for cell in cells if cell != "word" for word in _COMMA.split(cell)]

    assert len(words) > 100
    assert [word for word, times in Counter(words).items() if times > 1] == []


def test_the_operations_guide_lists_every_variable_of_the_configuration():
    source = Path(str(configuration.__file__)).read_text(encoding="utf-8")
    read = set(_VARIABLE.findall(source))

    text = _text("docs/operations.md")

    assert sorted(name for name in read if f"`{name}`" not in text) == []


def test_the_operations_guide_explains_every_line_that_the_log_calls_an_error():
    lines = {
        name
        for room in _rooms()
        for path in room.rglob("*.py")
        for name in _ERROR.findall(path.read_text(encoding="utf-8"))
    }

    text = _text("docs/operations.md")

    assert len(lines) > 10
    assert sorted(name for name in lines if f"`{name}`" not in text) == []


@pytest.mark.parametrize("document", ["README.md", *_GUIDES])
def test_every_route_in_a_guide_is_one_of_the_application(document: str):
    routes = {
        f"{route.method} {_IN_BRACES.sub('{}', resource.prefix + route.path)}"
        for resource in RESOURCES
        for route in resource.routes
    }
    named = {
        f"{method} {_IN_BRACES.sub('{}', path)}"
        for method, path in _ROUTE.findall(" ".join(_text(document).split()))
    }

    assert sorted(named - routes - {"GET /docs"}) == []


def test_every_policy_is_under_the_contract_of_purity():
    contract = _text("pyproject.toml").split('"Policies are pure')[1].split("]")[0]
    policies = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for room in _rooms()
        for path in room.rglob("*policy.py")
    }

    assert len(policies) > 10
    assert sorted(name for name in policies if f'"{name}"' not in contract) == []


def test_the_decisions_are_numbered_without_a_gap_and_all_listed():
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))

    numbers = [int(record.name[:4]) for record in records]

    assert numbers == list(range(1, len(records) + 1))
    assert [r.name for r in records if f"({r.name})" not in _text("docs/adr/README.md")] == []


def test_the_example_of_the_api_guide_makes_the_token_that_a_till_takes():
    (example,) = _PYTHON.findall(_text("docs/api.md"))
    names: dict[str, object] = {}

    exec(example, names)  # noqa: S102  the guide is ours

    credential, seed = bytes(range(8)), bytes(range(32))
    ours = token.make(credential_id=credential, seed=seed, step=118_000_000)
    assert names["code"] == ours
    assert ours in _text("docs/api.md").replace(example, "")
