import io

import myconfig

TEXT = """
[DEFAULT]
base = /x
[one]
path = %(base)s/one
size: 12
flag = yes
[two]
text = first
    second
"""


def run(case):
    parser = myconfig.ConfigParser()
    parser.read_string(TEXT)
    shown = [dict(parser["one"]), parser.getint("one", "size"), parser["one"].getboolean("flag")]
    if case:
        parser["three"] = {"a": "1"}
        out = io.StringIO()
        parser.write(out)
        shown += [out.getvalue(), parser.get("two", "absent", fallback="none")]
    try:
        parser.get("nowhere", "x")
    except myconfig.NoSectionError as error:
        shown.append(str(error))
    return repr(shown)
