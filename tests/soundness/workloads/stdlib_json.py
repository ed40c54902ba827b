import myjson


def run(case):
    text = myjson.dumps(
        {"b": [1, 2.5, None, True, "é\n"], "a": {}}, indent=1 + case, sort_keys=True
    )
    shown = [text, myjson.loads(text), myjson.loads('"\\u00e9\\n"')]
    try:
        myjson.loads('{"a": 1,}')
    except myjson.JSONDecodeError as error:
        shown.append(str(error))
    if case:
        shown.append(myjson.dumps("<é>", ensure_ascii=False))
    return repr(shown)
