"""What a language tag says, and whether a text has a language at all."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

ALL: Final = "*"
"""Stands for every language, of a model that reads them all."""

LEAST_LETTERS: Final = 3
"""Fewer letters have no language: an emoji, a number, "ok"."""

# Undetermined, several, none, and what has no code (ISO 639-2).
_NO_LANGUAGE: Final = frozenset({"und", "mul", "zxx", "mis"})
# ISO 639-2's codes, the bibliographic ones too, of languages that have one of two letters, by which alone BCP 47 knows
# them (RFC 5646, section 2.2.1).
_PAIRS: Final = """
    aar:aa abk:ab afr:af aka:ak alb:sq amh:am ara:ar arg:an arm:hy asm:as ava:av ave:ae aym:ay aze:az bak:ba bam:bm
    baq:eu bel:be ben:bn bih:bh bis:bi bod:bo bos:bs bre:br bul:bg bur:my cat:ca ces:cs cha:ch che:ce chi:zh chu:cu
    chv:cv cor:kw cos:co cre:cr cym:cy cze:cs dan:da deu:de div:dv dut:nl dzo:dz ell:el eng:en epo:eo est:et eus:eu
    ewe:ee fao:fo fas:fa fij:fj fin:fi fra:fr fre:fr fry:fy ful:ff geo:ka ger:de gla:gd gle:ga glg:gl glv:gv gre:el
    grn:gn guj:gu hat:ht hau:ha heb:he her:hz hin:hi hmo:ho hrv:hr hun:hu hye:hy ibo:ig ice:is ido:io iii:ii iku:iu
    ile:ie ina:ia ind:id ipk:ik isl:is ita:it jav:jv jpn:ja kal:kl kan:kn kas:ks kat:ka kau:kr kaz:kk khm:km kik:ki
    kin:rw kir:ky kom:kv kon:kg kor:ko kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln lit:lt ltz:lb lub:lu lug:lg
    mac:mk mah:mh mal:ml mao:mi mar:mr may:ms mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my nau:na nav:nv nbl:nr
    nde:nd ndo:ng nep:ne nld:nl nno:nn nob:nb nor:no nya:ny oci:oc oji:oj ori:or orm:om oss:os pan:pa per:fa pli:pi
    pol:pl por:pt pus:ps que:qu roh:rm ron:ro rum:ro run:rn rus:ru sag:sg san:sa sin:si slk:sk slo:sk slv:sl sme:se
    smo:sm sna:sn snd:sd som:so sot:st spa:es sqi:sq srd:sc srp:sr ssw:ss sun:su swa:sw swe:sv tah:ty tam:ta tat:tt
    tel:te tgk:tg tgl:tl tha:th tib:bo tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr twi:tw uig:ug ukr:uk urd:ur uzb:uz
    ven:ve vie:vi vol:vo wel:cy wln:wa wol:wo xho:xh yid:yi yor:yo zha:za zho:zh zul:zu
"""
_SHORTER: Final[Mapping[str, str]] = dict(pair.split(":") for pair in _PAIRS.split())
_TAG: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8})*")

# Links, addresses, handles, topics and what stands in brackets for what was taken out are of no language.
_OF_NO_LANGUAGE: Final = re.compile(r"(?:https?://|www\.)\S+|\S*@\S+|#\w+|\[\w+\]|&\w+;", re.IGNORECASE)
_SIGNS: Final = re.compile(r"[@#&\[]|://|www\.", re.IGNORECASE)
# Letters, with the marks that some scripts write around them. Left out are ASCII and Latin-1 but for letters, and the
# blocks of punctuation and symbols, emoji among them.
_WORDS: Final = re.compile(
    r"[^\s\d\x00-@\[-`{-\u00bf\u2000-\u2bff\u3000-\u303f\ufe00-\ufe0f\uff00-\uff20\U0001f000-\U0001faff]+"
)


def shortest(code: str) -> str:
    """A language's code in small letters, of two where ISO 639 has such: `en` for `EN` and `eng`, `de` for `ger`."""
    code = code.lower()
    return _SHORTER.get(code, code)


@lru_cache(1024)
def primary(tag: str | None) -> str | None:
    """The first subtag of a BCP 47 tag (RFC 5646, section 2.1), `shortest`; None where it names no language."""
    found = None if tag is None else _TAG.fullmatch(tag.strip())
    first = shortest(found[1]) if found else None
    return None if first in _NO_LANGUAGE else first


def reads(languages: Collection[str], language: str) -> bool:
    """Whether a model of `languages` reads the first subtag `language`."""
    return language in languages or ALL in languages


def words(text: str) -> list[str]:
    """The runs of letters in `text`, without links, addresses, handles, topics and marks such as `[url]`."""
    return _WORDS.findall(_OF_NO_LANGUAGE.sub(" ", text) if _SIGNS.search(text) else text)


def has_language(text: str) -> bool:
    """Whether the words of `text` have `LEAST_LETTERS` letters or more."""
    return sum(map(len, words(text[:200]))) >= LEAST_LETTERS
