import mytoml

TEXT = '''
title = "T\\n\\u00e9"
[owner]
day = 2020-01-02T03:04:05Z
"quoted key" = 'literal'
ports = [1, 0x1F, 1_000]
[owner.deep]
pi = 3.14
flag = true
[[items]]
inline = {a = 1, b.c = 2}
[[items]]
text = """
two
lines"""
'''


def run(case):
    shown = [mytoml.loads(TEXT)]
    for flaw in ("a = ", "a = 1\na = 2", "[t]\n[t]")[: 1 + 2 * case]:
        try:
            mytoml.loads(flaw)
        except mytoml.TOMLDecodeError as error:
            shown.append(str(error))
    return repr(shown)
