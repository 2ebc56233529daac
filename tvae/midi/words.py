"""The names of parts: in which letters they are written, and what they say of the melody."""

from __future__ import annotations

import re

# What speaks for the melody, the best first, and what speaks against it; of lower-case names. words.js has the same.
MELODY = (
    r"m[eé]lod|旋律|멜로디|メロ|мелод",
    r"voice|vocal|vox|(?<![a-z])voix|(?<![a-z])vo[cz]e?(?![a-z])|sing(?!le)|sung|(?<![a-z])canto(?![a-z])|cantus|gesang|singstimme"
    r"|(?<![a-z])chant|soprano?|人声|主唱|演唱|歌|보컬|노래|ボーカル|ヴォーカル|うた|вокал|голос",
    r"(?<![a-zé])lead(?![a-z])|(?<![a-z])solo(?![a-z])|(?<![a-z])th?em[ae](?![a-z])|(?<![a-z])tune(?![a-z])|主奏|独奏|솔로|リード|ソロ|соло",
)
OTHER = (
    r"back|harmon(?!i[ck]a)|choir|chorus|(?<![a-z])chor(?![a-z])|(?<![a-z])[ao]+hs?(?![a-z])|support|second|counter|doubl|echo|delay"
    r"|bas(?!soon)s|(?<![a-z])basso?(?![a-z])|drum|perc|(?<![a-z])toms?(?![a-z])|string|streich|archi(?![a-z])|(?<![a-z])pads?(?![a-z])|chord|akkord|accord(?!ion|eon)"
    r"|accomp|begleit|acomp|rh?yth?m|arpeg|click|metronom|left hand|(?<![a-z])lh(?![a-z])|(?<![a-z])fx(?![a-z])|effect"
    r"|伴奏|和声|和音|和弦|合唱|贝斯|貝斯|鼓|弦|반주|코러스|베이스|드럼|현악|コーラス|ベース|ドラム|ストリングス|コード|бас|ударн|аккомп|хор|струн"
)


def decode(names: list[bytes]) -> list[str]:
    """The bytes of a file's names -> text: UTF-8, or one of the charsets that older programs wrote."""
    legacy = [name for name in names if not _is_utf8(name)]
    charset = _charset(legacy)
    return [_strip(name.decode("utf-8" if _is_utf8(name) else charset)) for name in names]


def standing(name: str) -> int:
    """3, 2, 1: a name for the melody, from the best on; 0: it says nothing; -1: it speaks of something else."""
    name = name.lower()
    if re.search(OTHER, name):
        return -1
    return next((3 - k for k, pattern in enumerate(MELODY) if re.search(pattern, name)), 0)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _charset(names: list[bytes]) -> str:
    """The charset in which these are words, by what their bytes can be.

    Korean and Chinese write pairs of high bytes, Korean fewer of them. Japanese pairs begin with bytes that no other
    letters have. In Western words single high bytes stand among plain letters.
    """
    found = []
    for charset, pattern in CHARSETS.items():
        if all(pattern.fullmatch(name) and _decodes(name, charset) for name in names):
            found.append(charset)
    for charset in found:  # a word that is known tells more than the bytes
        if any(standing(name.decode(charset)) for name in names):
            return charset
    return found[0] if found else "latin-1"


def _decodes(name: bytes, charset: str) -> bool:
    try:
        name.decode(charset)
    except UnicodeDecodeError:
        return False
    return True


def _strip(name: str) -> str:
    return name.strip(" \t\r\n\0")  # some fill up with zeros


CHARSETS = {  # in the order in which they are tried: the one with the fewest letters first
    "cp949": re.compile(rb"([\0-\x7f]|[\xa1-\xa3\xb0-\xc8][\xa1-\xfe])*"),
    "gb18030": re.compile(rb"([\0-\x7f]|[\xa1-\xa9\xb0-\xd7][\xa1-\xfe]|[\xd8-\xf7][\xa1-\xfe](?=[\xb0-\xd7]))*"),
    "cp932": re.compile(
        rb"(?=.*[\x81-\x9f].*[\x81-\xef])([\0-\x7f\xa1-\xdf]|[\x81-\x9f\xe0-\xef][\x40-\x7e\x80-\xfc])*", re.S
    ),
}
