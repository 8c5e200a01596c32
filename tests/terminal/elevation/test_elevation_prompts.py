from __future__ import annotations

import pytest

from watchgate.terminal.elevation import prompts
from watchgate.terminal.elevation.requests import Request

SUDO = Request("sudo", bare=False)
SUDO_SAYS = (
    "[sudo] password for alice: ", "[sudo] contraseña de alice: ", "[sudo] contrasenya per a alice: ",
    "[sudo] heslo pro alice: ", "[sudo] adgangskode for alice: ", "[sudo] Passwort für alice: ",
    "[sudo] pasvorto por alice: ", "[sudo] contraseña para alice: ", "[sudo] alice-käyttäjän salasana: ",
    "[sudo] Mot de passe de alice\u00a0: ", "[sudo] password par alice: ", "[sudo] lozinka za alice: ",
    "[sudo] alice jelszava: ", "[sudo] password di alice: ", "[sudo] alice のパスワード:",
    "[sudo] პაროლი alice-სთვის: ", "[sudo] alice 암호: ", "[sudo] passord for alice: ",
    "[sudo] wachtwoord voor alice: ", "[sudo] hasło użytkownika alice: ", "[sudo] senha para alice: ",
    "[sudo] parola pentru alice: ", "[sudo] пароль для alice: ", "[sudo] heslo pre používateľa alice: ",
    "[судо] лозинка за корисника alice: ", "[sudo] lösenord för alice: ", "[sudo] пароль до alice: ",
    "[sudo] mật khẩu dành cho alice: ", "[sudo] alice 的密码：", "[sudo] alice 的密碼：",
)  # fmt: skip
"""What sudo 1.9 says, in each of its translations."""

PAM_SAYS = (
    "Password: ", "كلمة السر: ", "গুপ্তশব্দ:", "Şifrə: ", "Парола: ", "পাসওয়ার্ড: ", "Contrasenya: ", "Heslo: ",
    "Adgangskode: ", "Passwort: ", "Pasvorto: ", "Contraseña: ", "Parool: ", "Pasahitza: ", "Salasana: ",
    "Mot de passe : ", "Focal faire: ", "પાસવર્ડ: ", "ססמה: ", "शब्दकूट: ", "Jelszó: ", "Contrasigno: ", "Sandi:",
    "パスワード:", "პაროლი:", "Пароль: ", "ពាក្យសម្ងាត់\u00a0៖ ", "ಗುಪ್ತಪದ: ", "암호: ", "അടയാളവാക്ക്: ", "गुप्तशब्द: ",
    "Passord: ", "Wachtwoord: ", "ପ୍ରବେଶ ସଙ୍କେତ: ", "ਪਾਸਵਰਡ: ", "Hasło: ", "Palavra-passe: ", "Senha: ",
    "Parolă: ", "රහස්පදය: ", "Лозинка: ", "Lozinka: ", "Lösenord: ", "கடவுச்சொல்:", "సంకేతపదము: ", "Parola: ",
    "Mật khẩu : ", "密码： ", "密碼： ", "Iphasiwedi: ", "Mot de passe\u00a0:", "Kata sandi:", "Συνθηματικό: ",
)  # fmt: skip
"""What Linux-PAM, shadow and util-linux say."""


@pytest.mark.parametrize("text", SUDO_SAYS)
def test_sudo_asks_in_every_language_that_it_knows(text: str) -> None:
    assert prompts.asked(text, SUDO, "alice") == "alice"
    assert prompts.asked(text, SUDO, "lice") is None
    assert prompts.asked(text, SUDO, "bob") is None
    assert prompts.looks_like_one(f"\r\nsomething\r\n{text}")


@pytest.mark.parametrize("text", PAM_SAYS)
def test_su_asks_in_every_language_that_it_knows(text: str) -> None:
    assert prompts.asked(text, Request("su", user="bob"), "alice") == "bob"
    assert prompts.asked(text, Request("sudo", bare=True), "alice") == ""
    assert prompts.asked(text, SUDO, "alice") is None
    assert prompts.looks_like_one(text)


@pytest.mark.parametrize(
    ("request_", "text", "user"),
    [
        (SUDO, "[sudo] password for root: ", "root"),
        (SUDO, "[sudo: authenticate] Password: ", ""),
        (SUDO, "[sudo: authenticate] Passwort: ", ""),
        (Request("su", user="root"), "root's Password: ", "root"),
        (Request("su", user="root"), "bob's Password: ", None),
        (Request("doas"), "doas (alice@web1) password: ", "alice"),
        (Request("doas"), "doas (bob@web1) password: ", None),
        (Request("doas"), "Password: ", None),
        (Request("enable"), "Password: ", ""),
        (Request("enable"), "Enable Password:", ""),
        (Request("super"), "Password:", ""),
        (Request("enable"), "Username: ", None),
    ],
)
def test_each_program_has_its_own_forms(request_: Request, text: str, user: str | None) -> None:
    assert prompts.asked(text, request_, "alice") == user


@pytest.mark.parametrize(
    "text",
    [
        "[sudo] password for alice",
        "[sudo] password for alice: x",
        "x [sudo] password for alice: ",
        "[sudo] password for alice:  ",
        "[sudo] password for alice2: ",
        "[sudo] password for malice: ",
        "[sudo] password for alice.smith: ",
        "[sudo] password for \x1b[8malice: ",
        "[sudo] : ",
        "alice@db's password: ",
        "Verification code: ",
        "Enter password: ",
        "New password: ",
        "Current password: ",
        "Password for user alice: ",
        "(alice) Password: ",
        "One-time password (OATH) for `alice': ",
        "[sudo] " + "x" * 300 + " alice: ",
        "",
    ],
)
def test_what_only_looks_similar_is_not_sudos_prompt(text: str) -> None:
    assert prompts.asked(text, SUDO, "alice") is None


@pytest.mark.parametrize(
    ("template", "text", "user"),
    [
        ("Secret: ", "Secret: ", ""),
        ("Secret: ", "Secret:", None),
        ("%p on %h: ", "alice on web1: ", "alice"),
        ("%p, %p@%H>", "root, root@web1.corp>", "root"),
        ("%u becomes %U 100%%?", "alice becomes root 100%?", ""),
        ("%u?", "bob?", None),
        ("50%", "50%", ""),
        ("%z", "%z", ""),
        ("a.c", "abc", None),
        ("", "", None),
        ("  ", "  ", None),
        ("x" * 300, "x" * 300, None),
    ],
)
def test_a_prompt_that_the_line_gives_is_the_only_one(
    template: str, text: str, user: str | None
) -> None:
    request = Request("sudo", prompt=template)

    assert prompts.asked(text, request, "alice") == user
    assert prompts.asked("[sudo] password for alice: ", request, "alice") is None


def test_ordinary_lines_do_not_look_like_prompts() -> None:
    assert not prompts.looks_like_one("root@web1:~# ")
    assert not prompts.looks_like_one("Password: \r\n")
    assert not prompts.looks_like_one("x" * 10_000)
