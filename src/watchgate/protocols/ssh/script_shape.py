"""Whether a shell would wait for more: the shape of a script, line by line.

Fed with whole lines, it follows quotes, here-documents, substitutions, and the words that open and close
compound commands, as far as needed to tell where a command ends; what the command means is read
elsewhere (policy.shell). Where it cannot be sure it waits for more rather than less: lines that are
taken together are decided together, while a command that is cut in two would be decided as what it is not.
"""

from __future__ import annotations

import re
from collections import deque

from watchgate.protocols.ssh.script_frames import BETWEEN_WORDS, Document, Frame, Kind
from watchgate.protocols.ssh.script_words import BOURNE, Dialect

LONGEST_CARRIED = 1024
"""Characters of a word that a backslash at the end of its line may split, and that is still one word here."""

_SIMPLE = re.compile(r"[ \t]*([^\s'\"\\`$(){}<>#|&;!\[\]]+)([^'\"\\`$(){}<#|&;\[\]]*)")
_BLANKS = re.compile(r"[ \t\r\f\v]+")
_WORD = re.compile(r"[^\s'\"\\`$(){}<>#|&;]+|[{}#]")
_WHOLE = re.compile(r"(?=[\s;&|()<>]|$)")
_OPERATOR = re.compile(r"&&|\|\||\|&|;;&|;;|;&|[;&|]")
_DOCUMENT = re.compile(r"<<(-?)[ \t]*((?:'[^']*'|\"[^\"]*\"|\\.|[^\s;&|<>()'\"\\])+)")
_REDIRECT = re.compile(r"<<<|<>|<&|>&|&>>|&>|>>|>\||[<>](?!\()")
_FUNCTION = re.compile(r"\([ \t]*\)")
_PLAIN = {
    Kind.SINGLE: re.compile(r"[^']+"),
    Kind.ANSI: re.compile(r"[^'\\]+"),
    Kind.DOUBLE: re.compile(r"[^\"\\`$]+"),
    Kind.PARAMETER: re.compile(r"[^'\"\\`$}]+"),
    Kind.SUM: re.compile(r"[^'\"\\`$()]+"),
    Kind.BACKTICK: re.compile(r"[^`\\]+"),
}
_ENDS = {
    Kind.SINGLE: "'",
    Kind.ANSI: "'",
    Kind.DOUBLE: '"',
    Kind.PARAMETER: "}",
    Kind.BACKTICK: "`",
}
_QUOTED_ALIKE = re.compile(r"'[^'}\"\\$`]*'")
"""Single quotes in a `${ }` within double quotes that end where they seem to, whether they quote or not."""
_CONTINUING = frozenset({"&&", "||", "|", "|&"})
_NEXT = {"for": "name", "select": "name", "name": ""}
_CASE_ENDS = frozenset({";;", ";&", ";;&"})


class Shape:
    """What of a script stands open."""

    def __init__(self, dialect: Dialect = BOURNE) -> None:
        self._dialect = dialect
        self._words = dialect.words
        self._frames = [Frame(Kind.CODE)]
        self._documents: deque[Document] = deque()
        self._reads_document = False
        self._document_joined = False
        self._wanting = False  # an operator or `name()` wants a command behind it
        self._spliced = False  # the last line ended with a backslash
        self._in_word = False
        self._carried = ""
        self.unsure = False
        """Shells do not agree on where the command ends."""

    @property
    def complete(self) -> bool:
        """A shell would run what it has."""
        return (
            len(self._frames) == 1
            and not self._documents
            and not self._wanting
            and not self._spliced
        )

    def line(self, line: str) -> bool:
        """Take one line, without its end; whether the command is complete with it."""
        if self._reads_document:
            self._document_line(line)
        elif self._dialect.lines:
            self._spliced = self._dialect.splices and line.endswith("\\")
        elif not self.complete or not self._is_simple(line):
            self._scan(self._carried + line)
        return self.complete

    def _is_simple(self, line: str) -> bool:
        found = _SIMPLE.fullmatch(line)
        return found is not None and found[1] not in self._words

    def _document_line(self, line: str) -> None:
        document = self._documents[0]
        if not self._document_joined and document.ends_with(line):
            self._documents.popleft()
            self._reads_document = bool(self._documents)
            return
        self._document_joined = document.joins(line)

    def _scan(self, line: str) -> None:
        self._spliced = False
        self._carried = ""
        at = 0
        while at < len(line):
            at = self._step(line, at)
        if not self._spliced:
            self._end_of_line()

    def _step(self, line: str, at: int) -> int:
        """Take what stands at *at*, and say where the next thing begins."""
        kind = self._frames[-1].kind
        if kind in BETWEEN_WORDS:
            return self._token(line, at)
        if kind is Kind.SUM:
            return self._in_sum(line, at)
        return self._in_quotes(line, at)

    def _end_of_line(self) -> None:
        frame = self._frames[-1]
        if frame.kind not in BETWEEN_WORDS:
            return
        self._end_of_word()
        frame.fresh = True
        if frame.before in ("for", "name", "else", "coproc"):
            frame.before = ""
        self._reads_document = bool(self._documents)

    def _end_of_word(self) -> None:
        frame = self._frames[-1]
        if self._in_word and frame.kind is Kind.CASE and frame.before == "case":
            frame.before = "subject"
        self._in_word = False

    def _push(self, kind: Kind, closer: str, *, glued: bool = True) -> None:
        """Open something; it is where a command's words begin, or go on."""
        above = self._frames[-1]
        above.fresh = False
        quoted = kind is Kind.PARAMETER and (above.kind is Kind.DOUBLE or above.quoted)
        self._frames.append(Frame(kind, closer, glued=glued, quoted=quoted))
        self._wanting = self._in_word = False

    def _pop(self) -> None:
        self._in_word = self._frames.pop().glued

    # --- inside of quotes and arithmetic -------------------------------------------------------

    def _in_quotes(self, line: str, at: int) -> int:
        frame = self._frames[-1]
        plain = _PLAIN[frame.kind].match(line, at)
        if plain is not None:
            return plain.end()
        character = line[at]
        if character == _ENDS[frame.kind]:
            self._pop()
            return at + 1
        if character == "\\" and frame.kind is not Kind.ANSI:
            return self._escape(line, at)
        if character == "\\":
            return at + 2
        if character == "'" and frame.quoted:
            # To bash it quotes here, to dash and in POSIX mode it is a character like others.
            alike = _QUOTED_ALIKE.match(line, at)
            self.unsure = self.unsure or alike is None
            return alike.end() if alike is not None else at + 1
        if character == "'" and frame.kind is not Kind.PARAMETER:
            return at + 1
        return self._opening(line, at)

    def _in_sum(self, line: str, at: int) -> int:
        plain = _PLAIN[Kind.SUM].match(line, at)
        if plain is not None:
            return plain.end()
        frame = self._frames[-1]
        match line[at]:
            case "(":
                self._push(Kind.SUM, ")")
            case ")" if frame.closer == ")":
                self._pop()
            case ")" if line.startswith("))", at):
                self._pop()
                return at + 2
            case ")":  # it was `( (`: one is closed, and what is left open holds commands
                frame.kind, frame.closer, frame.fresh = Kind.CODE, ")", False
            case "\\":
                return self._escape(line, at)
            case _:
                return self._opening(line, at)
        return at + 1

    def _escape(self, line: str, at: int) -> int:
        """A backslash: it quotes a character, or joins the next line."""
        if at + 1 == len(line):
            self._spliced = True
        elif self._frames[-1].kind in BETWEEN_WORDS:
            self._begin_word()
            self._in_word = True
        return at + 2

    def _opening(self, line: str, at: int) -> int:
        """What begins the same everywhere: quotes, and what begins with `$`."""
        match line[at]:
            case "'":
                self._push(Kind.SINGLE if self._dialect.bourne else Kind.ANSI, "'")
            case '"':
                self._push(Kind.DOUBLE, '"')
            case "`" if self._dialect.bourne:
                self._push(Kind.BACKTICK, "`")
            case "$":
                return self._dollar(line, at)
            case _:
                self._in_word = True
        return at + 1

    def _dollar(self, line: str, at: int) -> int:
        if line[at + 1 :] == "\\":
            self._carried, self._spliced = "$", True
            return len(line)
        unquoted = self._frames[-1].kind is not Kind.DOUBLE and not self._frames[-1].quoted
        if line.startswith("$((", at) and self._dialect.bourne:
            self._push(Kind.SUM, "))")
            return at + 3
        if line.startswith("$(", at):
            self._push(Kind.CODE, ")")
            return at + 2
        if line.startswith("${", at) and self._dialect.bourne:
            self._push(Kind.PARAMETER, "}")
            return at + 2
        if line.startswith("$'", at) and self._dialect.bourne and unquoted:
            self._push(Kind.ANSI, "'")
            return at + 2
        if self._frames[-1].kind in BETWEEN_WORDS:
            self._begin_word()
        self._in_word = True
        return at + 1

    # --- commands ------------------------------------------------------------------------------

    def _token(self, line: str, at: int) -> int:
        """One token where commands or their words stand."""
        blanks = _BLANKS.match(line, at)
        if blanks is not None:
            self._end_of_word()
            return blanks.end()
        character = line[at]
        if character == "#" and not self._in_word and self._frames[-1].kind is not Kind.TEST:
            return len(line)
        if character == "(":
            return self._open(line, at)
        if character == ")":
            return self._close(at)
        if character == "\\":
            return self._escape(line, at)
        if character in "'\"`$":
            if not self._in_word:
                self._begin_word()
            return self._opening(line, at)
        if character in "<>&|;":
            return self._operator(line, at)
        return self._word(line, at)

    def _operator(self, line: str, at: int) -> int:
        frame = self._frames[-1]
        if frame.kind in (Kind.TEST, Kind.WORDS) or frame.patterns:
            self._in_word = False
            return at + 1
        if self._dialect.bourne:
            document = _DOCUMENT.match(line, at)
            if document is not None and not line.startswith("<<<", at):
                return self._document(line, document)
            if line.startswith(("<(", ">("), at):
                self._push(Kind.CODE, ")")
                return at + 2
        found = _REDIRECT.match(line, at)
        if found is not None:
            self._end_of_word()
            return self._or_carry(line, at, found.end())
        found = _OPERATOR.match(line, at)
        assert found is not None
        end = self._or_carry(line, at, found.end())
        if self._carried:
            return end
        self._end_of_word()
        frame.fresh, frame.before = True, ""
        self._wanting = found[0] in _CONTINUING
        if frame.kind is Kind.CASE and found[0] in _CASE_ENDS:
            frame.patterns = True
        return end

    def _or_carry(self, line: str, at: int, end: int) -> int:
        """A token that a backslash and the end of the line split is taken with the next line."""
        if line[end:] == "\\" and end - at <= LONGEST_CARRIED:
            self._carried, self._spliced = line[at:end], True
            return len(line)
        return end

    def _document(self, line: str, found: re.Match[str]) -> int:
        end = self._or_carry(line, found.start(), found.end())
        if not self._carried:
            written = found[2]
            text = re.sub(r"['\"]|\\(.)", r"\1", written)
            self._documents.append(Document(text, bool(found[1]), text != written))
            self._end_of_word()
        return end

    def _open(self, line: str, at: int) -> int:
        frame = self._frames[-1]
        if not self._dialect.bourne:
            self._push(Kind.CODE, ")")
            return at + 1
        if frame.patterns and not self._in_word:
            return at + 1
        starts = frame.kind in (Kind.CODE, Kind.CASE) and not frame.patterns and not self._in_word
        if starts and (frame.fresh or frame.before == "for") and line.startswith("((", at):
            self._push(Kind.SUM, "))", glued=False)
            return at + 2
        if starts and frame.fresh:
            self._push(Kind.CODE, ")", glued=False)
            return at + 1
        function = _FUNCTION.match(line, at)
        if function is not None and frame.kind in (Kind.CODE, Kind.CASE):
            frame.fresh = self._wanting = True
            self._in_word = False
            return function.end()
        self._push(Kind.WORDS, ")")
        return at + 1

    def _close(self, at: int) -> int:
        frame = self._frames[-1]
        if frame.patterns:
            frame.patterns, frame.fresh, self._in_word = False, True, False
        elif frame.closer == ")":
            self._pop()
        return at + 1

    def _word(self, line: str, at: int) -> int:
        found = _WORD.match(line, at)
        end = self._or_carry(line, at, found.end() if found is not None else at + 1)
        if self._carried:
            return end
        if self._in_word or _WHOLE.match(line, end) is None:
            if not self._in_word:
                self._begin_word()
            self._in_word = True
        else:
            self._whole_word(line[at:end])
        return end

    def _begin_word(self) -> None:
        """A word begins that is none of the shell's own."""
        frame = self._frames[-1]
        self._wanting = False
        if frame.before in ("function", "coproc"):
            self._wanting = frame.before == "function"
            frame.fresh, frame.before = True, ""
        elif frame.kind in (Kind.CODE, Kind.CASE):
            frame.fresh = False
            frame.before = _NEXT.get(frame.before, frame.before)

    def _whole_word(self, word: str) -> None:
        frame = self._frames[-1]
        if frame.kind is Kind.CASE and frame.before == "subject" and word == "in":
            frame.before, frame.patterns, frame.fresh = "", True, True
        elif frame.before == "name" and word == "do":
            frame.before, frame.fresh, frame.undone = "", True, False
        elif frame.kind is Kind.TEST:
            if word == frame.closer:
                self._pop()
        elif frame.patterns:
            if word == frame.closer and frame.fresh:
                self._pop()
            frame.fresh = False
            self._in_word = True
        elif frame.fresh and frame.kind is not Kind.WORDS and word in self._words:
            self._own_word(word)
        else:
            self._begin_word()
            self._in_word = True

    def _own_word(self, word: str) -> None:
        """A word of the shell's own, where a command begins."""
        frame = self._frames[-1]
        self._wanting = False
        if word == frame.closer:
            self._pop()
        elif word == "{" and frame.undone:
            frame.closer, frame.undone = "}", False
        elif word in self._dialect.openers and not (word == "if" and frame.before == "else"):
            self._own_opening(word)
        else:
            frame.undone = frame.undone and word != "do"
            frame.before = word if word in ("function", "coproc") else ""
            if word == "else" and not self._dialect.bourne:
                frame.before = "else"
            frame.fresh = word != "function"

    def _own_opening(self, word: str) -> None:
        kinds = {"case": Kind.CASE, "[[": Kind.TEST}
        self._push(kinds.get(word, Kind.CODE), self._dialect.openers[word], glued=False)
        opened = self._frames[-1]
        if word in ("for", "select", "case"):
            opened.fresh, opened.before = False, word
            opened.undone = word != "case" and self._dialect.bourne
