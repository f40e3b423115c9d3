"""How libraries speak, and Python: none of it is for persons."""

import re

LIBRARY_WORDING = re.compile(
    r"Traceback|Errno|Expected `|Object (?:missing|contains)|- at `|msgspec|aiohttp|regex|\(at (?:line|end)"
    r"|JSON is malformed|invalid literal|could not convert|unexpected keyword|NoneType|<class|object at 0x"
    r"|error while attempting|No module named|yaml\.[a-z]+Error|tomllib|apsw\.|Input data was truncated"
)


def assert_one_sentence(text):
    """It is one line, in nobody else's words."""
    assert text.strip(), "nothing is said"
    assert "\n" not in text.strip(), text
    assert not LIBRARY_WORDING.search(text), text
