import html5lib

PAGE = (
    "<!DOCTYPE html><title>x</title><p>a<b>b<i>c</b>d</i><table><tr><td>1<p>2</table>"
    "<script>x<y</script>&copy;<a href='javascript:1' onclick=x>l</a>"
)


def run(case):
    kind = ("etree", "dom")[case % 2]
    tree = html5lib.parse(PAGE, treebuilder=kind)
    walker = html5lib.getTreeWalker(kind)
    shown = []
    for options in ({}, {"quote_attr_values": "always", "omit_optional_tags": False}):
        serializer = html5lib.serializer.HTMLSerializer(**options)
        shown.append(serializer.render(walker(tree)))
    shown.append([token["type"] for token in walker(tree)])
    parser = html5lib.HTMLParser()
    parser.parse(PAGE)
    return repr([*shown, [(place, code) for place, code, _ in parser.errors]])
