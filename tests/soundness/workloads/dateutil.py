from datetime import datetime

from dateutil import parser, relativedelta, rrule, tz
from dateutil.easter import easter


def run(case):
    shown = []
    for text in (
        "2020-01-02T03:04:05Z",
        "3 March 2021 4pm",
        "12/11/10",
        "Thu Sep 25 10:36:28 2003",
        "20030925T1049",
    ):
        shown.append(str(parser.parse(text, dayfirst=bool(case % 2), default=datetime(2000, 1, 1))))
    start = datetime(2024, 1, 31, 10)
    rules = ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=4", "FREQ=YEARLY;BYMONTH=1,6;BYMONTHDAY=1,-1;COUNT=5")
    shown += [str(list(rrule.rrulestr(rule, dtstart=start))) for rule in rules]
    both = rrule.rruleset()
    both.rrule(rrule.rrule(rrule.DAILY, count=5, dtstart=start))
    both.exdate(datetime(2024, 2, 2, 10))
    shown.append(str(list(both)))
    delta = relativedelta.relativedelta(datetime(2024, 5, 1), start)
    shown += [
        repr(delta),
        str(start + relativedelta.relativedelta(months=+1, weekday=relativedelta.MO(2))),
    ]
    zone = tz.tzstr("EST5EDT")
    shown.append(str([datetime(2024, month, 10, tzinfo=zone).isoformat() for month in (1, 7)]))
    shown.append(str([easter(year) for year in range(2020, 2024)]))
    try:
        parser.parse("never")
    except parser.ParserError as error:
        shown.append(str(error))
    return repr(shown)
