"""The picture of a subscription's states says what the table says."""

from xml.etree import ElementTree as ET

from dev.state_picture import PICTURE, picture
from subs.states import TRANSITIONS

SVG = "{http://www.w3.org/2000/svg}"


def test_the_committed_picture_is_drawn_from_the_table():
    assert PICTURE.read_text(encoding="utf-8") == picture(), "run python -m dev.state_picture"


def test_every_state_and_every_cause_is_in_the_picture():
    drawn = ET.fromstring(picture())  # noqa: S314  the drawing is ours
    texts = drawn.findall(f"{SVG}text")

    names = {one.text for one in texts if one.get("class") == "name"}
    causes = sorted(str(one.text) for one in texts if one.get("class") == "cause")

    assert names == {state for way in TRANSITIONS for state in way if state is not None}
    assert causes == sorted(cause for found in TRANSITIONS.values() for cause in found)
    assert len(drawn.findall(f"{SVG}path")) == len(TRANSITIONS)
