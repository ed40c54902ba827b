from bs4 import BeautifulSoup, Comment, SoupStrainer

PAGE = """<html><head><title>A &amp; B</title></head><body class="x y">
<!-- note --><p id=one>First <b>bold</b> <a href="/a?x=1&y=2">link</a></p>
<div><p>Second<br>line</p><ul><li>1<li>2</ul></div>
<p class="last y">Third &eacute;</p></body></html>"""


def run(case):
    soup = BeautifulSoup(PAGE, "html.parser")
    shown = [soup.title.string, soup.find(id="one").get_text("|", strip=True)]
    shown += [tag.name for tag in soup.find_all(["p", "li"])]
    shown += [str(tag) for tag in soup.select("div > p, .y, a[href^='/a'], ul li:nth-of-type(2)")]
    shown += [str(each) for each in soup.find_all(string=lambda s: isinstance(s, Comment))]
    soup.b.replace_with(soup.new_tag("i", string="new"))
    soup.div.unwrap()
    shown.append(soup.prettify(formatter=("html", "minimal")[case % 2]))
    only = BeautifulSoup(PAGE, "html.parser", parse_only=SoupStrainer("a"))
    return repr([*shown, str(only), only.a.attrs])
