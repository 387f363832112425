"""In what language a text is, as far as it decides whether the classifier may judge it.

Scripts are told by their bytes, languages of the Latin script by their commonest function words, looked up in the same
table as the other features. Only English is validated; text with no evidence of a language, such as a formula or a
line of code, is judged.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.classify.features import COUNTS

ENGLISH: Final = "en"
FUNCTION_WORDS: Final = {
    "en": "the of and to in is that for it with as on are this be"
    " you what how i a an my do can which was from your if or by",
    "es": "el los las una del que para con por como más pero"
    " esta este qué cómo está son hay muy sobre también puedes necesito",
    "pt": "os uma dos das que para com por como mais mas não"
    " você isso está são em também qual pode preciso fazer meu ao",
    "fr": "le les des une du que pour avec dans est sur pas"
    " vous je ce cette qui sont comment quel quelle mais aux être plus",
    "de": "der die das und ist nicht ein eine mit für auf den"
    " dem zu wie ich sie wir auch werden bitte kann oder einen im",
    "it": "il gli della che per con una sono come più ma questo"
    " questa non di è nel dei alla anche perché puoi quale degli",
    "nl": "het een van en dat niet zijn voor met op aan hoe ik je wat deze naar ook kan wordt bij uit dit maar",
    "pl": "nie się jest na do to jak że czy dla od przez oraz może które mnie co po ale tego w z proszę",
    "tr": "bir ve bu için ile de da ne mi çok olarak daha var gibi olan ben bana kadar sonra",
    "vi": "của và là các có cho không được một trong với này những như đã tôi khi để người về",
    "id": "yang dan di untuk dengan ini dari pada adalah tidak dalam itu saya akan apa bagaimana bisa ke oleh atau",
    "sv": "och att det som en på är av för med den till inte om jag ett har hur kan från",
}
"""The commonest function words of languages in Latin script: what a person who knows the language would list."""
NAMES: Final = tuple(FUNCTION_WORDS)
_MIN_FOREIGN_HITS: Final = 2
_MAX_FOREIGN_LETTERS: Final = 0.3
_AT: Final = {name: index for index, name in enumerate(COUNTS)}


def detect(
    counts: npt.NDArray[np.int32], hits: npt.NDArray[np.int32]
) -> tuple[list[str | None], npt.NDArray[np.bool_]]:
    """Name the language of texts, and say which are in one the classifier was not validated on.

    Args:
        counts: ``COUNTS`` of each text.
        hits: For each text and language of ``NAMES``, how many distinct function words occur.

    Returns:
        ISO 639-1 codes, or ``ideographic`` or ``alphabetic`` for texts mostly in such a script, None where nothing
        tells; and a mask of texts to abstain on.
    """
    ascii_letters = counts[:, _AT["lower"]] + counts[:, _AT["upper"]]
    ideographic, alphabetic = counts[:, _AT["ideographic"]], counts[:, _AT["alphabetic"]]
    # one ideograph says about as much as four letters
    letters = np.maximum(ascii_letters + counts[:, _AT["latin"]] + 4 * ideographic + alphabetic, 1)
    best = np.argmax(hits, axis=1)
    most = hits[np.arange(len(hits)), best]
    english = hits[:, NAMES.index(ENGLISH)]
    latin_foreign = (most >= _MIN_FOREIGN_HITS) & (most > english)
    other_script = (4 * ideographic + alphabetic) > _MAX_FOREIGN_LETTERS * letters
    names: list[str | None] = [
        ("ideographic" if 4 * i > a else "alphabetic") if other else (NAMES[b] if m else None)
        for other, i, a, b, m in zip(
            other_script.tolist(), ideographic.tolist(), alphabetic.tolist(), best.tolist(), most.tolist(), strict=True
        )
    ]
    return names, latin_foreign | other_script
