"""The forms in which elevations ask for a password, in the languages that they know.

The words are those of the translations of sudo, Linux-PAM, shadow and util-linux. A prompt counts only when
it is all of its line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from watchgate.terminal.elevation.requests import Request

LONGEST = 200
"""Characters of a prompt."""

_WORDS = (
    "Password", "Passwort", "Kennwort", "Mot de passe", "Contraseña", "Contrasenya", "Contrasinal", "Senha",
    "Palavra-passe", "Parola", "Parolă", "Heslo", "Hasło", "Lozinka", "Geslo", "Šifra", "Jelszó", "Adgangskode",
    "Passord", "Lösenord", "Salasana", "Parool", "Slaptažodis", "Wachtwoord", "Pasvorto", "Pasahitza", "Sandi",
    "Kata sandi", "Kontrasenyas", "Contrasigno", "Focal faire", "Iphasiwedi", "Mật khẩu", "Şifrə", "Пароль",
    "Парола", "Лозинка", "Συνθηματικό", "パスワード", "密码", "密碼", "암호", "비밀번호", "პაროლი", "كلمة السر",
    "סיסמה", "ססמה", "पासवर्ड", "शब्दकूट", "पासवर्ड", "गुप्तशब्द", "পাসওয়ার্ড", "গুপ্তশব্দ", "ਪਾਸਵਰਡ", "પાસવર્ડ",
    "ପ୍ରବେଶ ସଙ୍କେତ", "கடவுச்சொல்", "సంకేతపదము", "ಗುಪ್ತಪದ", "അടയാളവാക്ക്", "රහස්පදය", "ពាក្យសម្ងាត់",
)  # fmt: skip
_COLON = "[ \u00a0]?[:：៖] ?"
_WORD = "(?:" + "|".join(map(re.escape, _WORDS)) + ")"
_ALONE = re.compile(f"{_WORD}{_COLON}", re.IGNORECASE)
_SUDO = re.compile(rf"\[(?:sudo|судо)\] (?P<said>.{{1,120}}?){_COLON}")
_SUDO_RS = re.compile(rf"\[sudo: [^\]]{{1,80}}\] {_WORD}{_COLON}", re.IGNORECASE)
_OF_USER = re.compile(rf"(?P<user>[\w.$\\-]{{1,64}})'s {_WORD}{_COLON}", re.IGNORECASE)
_DOAS = re.compile(r"doas \((?P<user>[^@()]{1,64})@[\w.-]{1,64}\) password: ?")
_ENABLE = re.compile(r"(?:enable |super |local )?password ?: ?", re.IGNORECASE)
_NAME_CHARACTER = r"[\w.$\\]"


def asked(text: str, request: Request, account: str) -> str | None:
    """Whose password *text* asks for, when it is all of a prompt of that elevation; None when it is not.

    *account* runs the elevation. `""` is: the prompt does not say.
    """
    if len(text) > LONGEST:
        return None
    match request.program:
        case "sudo" if request.prompt is not None:
            return _given(request.prompt, text, account)
        case "sudo":
            return _of_sudo(text, account, bare=request.bare)
        case "doas":
            match = _DOAS.fullmatch(text)
            return match["user"] if match and match["user"] == account[:32] else None
        case "su":
            return _of_su(text, request.user)
        case _:
            return "" if _ENABLE.fullmatch(text) else None


def looks_like_one(text: str) -> bool:
    """Whether *text* ends in what anybody would take for the password prompt of an elevation."""
    last = text.replace("\r", "\n").rpartition("\n")[2].lstrip()
    if len(last) > LONGEST:
        return False
    return any(pattern.fullmatch(last) for pattern in (_ALONE, _SUDO, _SUDO_RS, _OF_USER, _DOAS))


def _of_sudo(text: str, account: str, *, bare: bool) -> str | None:
    if match := _SUDO.fullmatch(text):
        return _named(match["said"], (account, "root"))
    return "" if _SUDO_RS.fullmatch(text) or (bare and _ALONE.fullmatch(text)) else None


def _of_su(text: str, user: str) -> str | None:
    if _ALONE.fullmatch(text):
        return user
    match = _OF_USER.fullmatch(text)
    return user if match and match["user"] == user else None


def _named(said: str, names: Sequence[str]) -> str | None:
    """Which of *names* stands in a prompt as a word of its own."""
    for name in names:
        alone = rf"(?<!{_NAME_CHARACTER}){re.escape(name)}(?!{_NAME_CHARACTER})"
        if re.search(alone, said, re.ASCII):
            return name
    return None


# --- prompts that a line gives ----------------------------------------------------------------------


def _given(template: str, text: str, account: str) -> str | None:
    """The same for the prompt of sudo's `-p`, with its escapes expanded."""
    if len(template) > LONGEST or not template.strip():
        return None
    match = _expanded(template, account).fullmatch(text)
    if match is None:
        return None
    return match.groupdict().get("asked") or ""


@lru_cache(maxsize=64)
def _expanded(template: str, account: str) -> re.Pattern[str]:
    """The expression for what sudo makes of a prompt (sudo(8), -p)."""
    parts, at, asked_for = [], 0, False
    while at < len(template):
        letter = template[at + 1 : at + 2] if template[at] == "%" else ""
        at += 2 if letter and letter in "hHpuU%" else 1
        match letter:
            case "h" | "H":
                parts.append(r"[\w.-]{1,255}")
            case "p":
                parts.append(r"[\w.$-]{1,64}" if asked_for else r"(?P<asked>[\w.$-]{1,64})")
                asked_for = True
            case "U":
                parts.append(r"[\w.$-]{1,64}")
            case "u":
                parts.append(re.escape(account))
            case "%":
                parts.append("%")
            case _:
                parts.append(re.escape(template[at - 1]))
    return re.compile("".join(parts))
