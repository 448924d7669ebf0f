"""Makes requests: valid ones, nearly valid ones, hostile ones, costly ones."""

import json

KEYS = ("path_parameters", "machineactionid", "json_body", "Comment")
SPECIAL = ("$serde_json::private::RawValue", "$serde_json::private::Number", "$__serde_private_tag", "__proto__", "$ref",
           "$schema", "constructor", "Path_Parameters", "comment", "")
VALUES = ("null", "true", "1", "-0.0", "1e999", "NaN", "Infinity", "[]", "{}", "[{}]", '""', '"\\ud800"', '"\\udc00\\ud800"',
          '"\\u0000"', "'a'", '"a\\n"', '"a\n"', '"../alerts"', '"%2e%2e"', '"ａ"', "0x1", "[1,2", '{"a":1,"a":2}', "1" * 400)
BYTES = (b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\0", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"//x",
         b"/**/", b"\\u", b"\x0b", b"\xc2\xa0", b"\xe2\x80\xa8", b"\r", b" ", b"\t", b"1", b"e", b"-", b"null")
MEBIBYTE = 1 << 20


class Maker:
    """Makes one request after the other, always the same ones for the same random numbers."""

    def __init__(self, random):
        self.random = random

    def request(self):
        """One request, as bytes."""
        bytes = self._whole().encode("utf-8", "surrogatepass")
        for _ in range(self.random.choice((0, 0, 0, 0, 0, 0, 1, 1, 3))):
            bytes = self._changed(bytes)
        if self._once_in(50):
            bytes = b"\xef\xbb\xbf" + bytes
        if self._once_in(100):
            bytes = bytes.decode("utf-8", "ignore").encode(self.random.choice(("utf-16", "utf-32-le", "utf-16-be", "utf-8-sig")))
        return bytes

    def _once_in(self, times):
        return self.random.randrange(times) == 0

    def _whole(self):
        id, comment = self._text(self._id()), self._text(self._comment())
        if self._once_in(15):
            id = self.random.choice(VALUES)
        if self._once_in(15):
            comment = self.random.choice(VALUES)
        members = [self._member("path_parameters", self._object([self._member("machineactionid", id)])),
                   self._member("json_body", self._object([self._member("Comment", comment)][:self.random.randrange(4)]))]
        self.random.shuffle(members)
        return self._wrapped(self._object(members))

    def _object(self, members):
        if members and self._once_in(40):
            members = members + [self.random.choice(members)]
        if self._once_in(40):
            members = members + [self._member(self.random.choice(SPECIAL + KEYS), self.random.choice(VALUES))]
        space = self.random.choice(("", "", "", " ", "\t", "\r", "\n", " \r\n "))
        return self._wrapped("{" + space + f"{space},{space}".join(members) + space + "}")

    def _member(self, key, value):
        if self._once_in(40):
            key = self.random.choice(SPECIAL)
        return f"{self._text(key)}:{self._wrapped(value)}"

    def _wrapped(self, json_text):
        """At times an object of one special key that carries the text, or the text as a string."""
        if not self._once_in(60):
            return json_text
        return "{" + f"{self._text(self.random.choice(SPECIAL))}:{json.dumps(json_text)}" + "}"

    def _id(self):
        letters = "abcdefABCDEF0123456789._~-"
        if not self._once_in(4):
            return self.random.choice(letters[:22]) + "".join(self.random.choices(letters, k=self.random.randrange(128)))
        return self.random.choice((
            "988cc94e-7a8f-4b28-ab65-54970c5d5018", "a", "A.b_c~d-e", "x" * 128, "x" * 129, "", ".", "-a", "a/b", "a\n", "a\r\n",
            "a b", "ä", "٣"))

    def _comment(self):
        return self.random.choice(("", "isolated by mistake", "Grüße 東京 😀", '"\\\n\0\x7f\u2028\u202e', "x" * self.random.randrange(3000),
                                   "".join(chr(self.random.randrange(0x20000)) for _ in range(20))))

    def _text(self, text):
        """A string in JSON; each of its letters may be escaped."""
        if self._once_in(4):
            share = self.random.random()
            return '"' + "".join(self._letter(letter, self.random.random() < share) for letter in text) + '"'
        return json.dumps(text, ensure_ascii=self._once_in(2))

    def _letter(self, letter, escaped):
        if not escaped and letter >= " " and letter not in '"\\':
            return letter
        units = letter.encode("utf-16-be", "surrogatepass")
        spelled = "%04x" if self._once_in(2) else "%04X"
        return "".join("\\u" + spelled % int.from_bytes(units[at:at + 2], "big") for at in range(0, len(units), 2))

    def _changed(self, bytes):
        at, end = sorted((self.random.randrange(len(bytes) + 1), self.random.randrange(len(bytes) + 1)))
        return self.random.choice((
            lambda: bytes[:at] + bytes[at + 1:],
            lambda: bytes[:at] + self.random.choice(BYTES) + bytes[at:],
            lambda: bytes[:at] + self.random.randbytes(1) + bytes[at + 1:],
            lambda: bytes[:at] + bytes[end:],
            lambda: bytes[:end] + bytes[at:],
            lambda: bytes[:at],
            lambda: bytes + self.random.choice((b" ", b"\n", b"{}", b",", b"]", bytes)),
        ))()


def filled(start, unit, end="", glue=","):
    """A text of just under a mebibyte: `start`, as many units as have room, `end`. A `#` in the unit is its number."""
    room = MEBIBYTE - len(start.encode()) - len(end.encode()) - 200
    parts, size = [], 0
    while True:
        part = unit.replace("#", str(len(parts)))
        size += len(part.encode()) + len(glue)
        if size > room:
            return start + glue.join(parts) + end
        parts.append(part)


def costly():
    """Values that cost more than their text, were they built: by name."""
    half = "k" * (MEBIBYTE // 2)
    yield "a text", filled('"', "x", '"', "")
    yield "a text of escapes", filled('"', "\\u00e9", '"', "")
    yield "a text of surrogates", filled('"', "\\ud83d\\ude00", '"', "")
    yield "digits", filled("1", "1", "", "")
    yield "digits after the point", filled("0.", "1", "", "")
    yield "an exponent", filled("1e", "1", "", "")
    yield "white space", filled("", " ", "null", "")
    yield "lists in lists", "[" * 500_000 + "]" * 500_000
    yield "lists in lists, unclosed", "[" * 1_000_000
    yield "objects in objects", '{"":' * 200_000 + "1" + "}" * 200_000
    yield "lists and objects in turns", '[{"":' * 150_000 + "1" + "}]" * 150_000
    yield "a list of lists", filled("[", "[]", "]")
    yield "a list of objects", filled("[", "{}", "]")
    yield "a list of numbers", filled("[", "1", "]")
    yield "a list of texts", filled("[", '""', "]")
    yield "an object of many keys", filled("{", '"#":0', "}")
    yield "an object of many keys with objects", filled("{", '"#":{}', "}")
    yield "an object of objects", filled("{", '"#":{"a":0,"b":0,"c":0}', "}")
    yield "one key, again and again", filled("{", '"":0', "}")
    yield "our keys, again and again", filled("{", '"Comment":0,"machineactionid":0,"json_body":0', "}")
    yield "objects with a key twice", filled("[", '{"a":0,"a":0}', "]")
    yield "a long key over repeated keys", filled(f'{{"{half}":{{', '"a":0', "}}")
    yield "a long key over many objects", filled(f'{{"{half}":[', '{"a":0,"a":0}', "]}")
    yield "a long key over many numbers", filled(f'{{"{half}":[', "1", "]}")
    yield "long keys in each other", f'{{"{half[:500_000]}":{{"{half[:500_000]}":{{"a":0,"a":0}}}}}}'
    yield "keys of tildes and slashes", filled("{", '"~/#~/":0', "}")
    yield "a key of tildes, twice", '{"%s":0,"%s":0}' % (("~" * 500_000,) * 2)


def costly_requests():
    """Each costly value in each place of a request: its name, and the request."""
    for name, value in costly():
        for place, request in (
                ("the request", "%s"), ("an unknown property", '{"x":%s}'), ("path_parameters", '{"path_parameters":%s,"json_body":{}}'),
                ("json_body", '{"path_parameters":{"machineactionid":"a"},"json_body":%s}'),
                ("the id", '{"path_parameters":{"machineactionid":%s},"json_body":{}}'),
                ("the comment", '{"path_parameters":{"machineactionid":"a"},"json_body":{"Comment":%s}}')):
            yield f"{name} as {place}", (request % value).encode()
