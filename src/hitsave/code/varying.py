"""Varying: what gives something else each time it is asked: the clock, chance, the world outside.

Owns the table. Files and environment variables are not in it: those are tracked.
"""

from collections.abc import Mapping, Sequence

CLOCK = "the clock"
TIMER = "a timer"
RANDOM = "random numbers without a seed"
UNIQUE = "values made anew each time"
NETWORK = "the network"
PROCESS = "another process"

NAMED: Mapping[str, Sequence[str]] = {
    CLOCK: (
        "time.time time.time_ns datetime.datetime.now datetime.datetime.utcnow "
        "datetime.datetime.today datetime.date.today pandas.Timestamp.now pandas.Timestamp.utcnow "
        "pandas.Timestamp.today os.times"
    ).split(),
    TIMER: (
        "time.monotonic time.monotonic_ns time.perf_counter time.perf_counter_ns "
        "time.process_time time.process_time_ns time.thread_time time.thread_time_ns"
    ).split(),
    UNIQUE: (
        "os.urandom os.getrandom uuid.uuid1 uuid.uuid4 random.SystemRandom secrets.SystemRandom "
        "secrets.choice secrets.randbelow secrets.randbits secrets.token_bytes secrets.token_hex "
        "secrets.token_urlsafe"
    ).split(),
    PROCESS: (
        "subprocess.run subprocess.call subprocess.check_call subprocess.check_output "
        "subprocess.Popen subprocess.getoutput subprocess.getstatusoutput os.system os.popen "
        "os.posix_spawn os.posix_spawnp os.spawnl os.spawnle os.spawnlp os.spawnv os.spawnve "
        "os.spawnvp asyncio.create_subprocess_exec asyncio.create_subprocess_shell"
    ).split(),
    RANDOM: (
        "torch.bernoulli torch.multinomial torch.normal torch.poisson torch.rand torch.rand_like "
        "torch.randint torch.randint_like torch.randn torch.randn_like torch.randperm"
    ).split(),
}
"""Functions, by what they give."""

CLIENTS = tuple(
    "socket urllib.request http.client ftplib imaplib poplib smtplib xmlrpc.client requests httpx "
    "aiohttp urllib3 websocket websockets paramiko grpc boto3 botocore redis pymongo psycopg "
    "psycopg2 pymysql".split()
)
"""Modules whose functions and objects ask other computers."""

NO_ARGUMENT = r"(?:seed\s*=\s*)?(?:None)?"
WHERE_CALLED_WITH = {
    **dict.fromkeys(("time.localtime", "time.gmtime", "time.ctime", "time.asctime"), NO_ARGUMENT),
    "time.strftime": "[^,()]*",
    **dict.fromkeys(
        (
            "random.Random numpy.random.default_rng numpy.random.RandomState numpy.random.PCG64 "
            "numpy.random.MT19937 numpy.random.Philox numpy.random.SFC64 numpy.random.SeedSequence"
        ).split(),
        NO_ARGUMENT,
    ),
}
"""What is a source only where it is called with these arguments: none, which means now, or any."""

DRAWING: Mapping[str, Sequence[str]] = {
    "random": "seed getstate setstate".split(),
    "numpy.random": "seed get_state set_state get_bit_generator set_bit_generator "
    "default_rng test".split(),
}
"""Modules all of whose functions draw numbers, but for these."""

SEEDS = {
    "random.seed": "random",
    "random.setstate": "random",
    "numpy.random.seed": "numpy.random",
    "numpy.random.set_state": "numpy.random",
    "torch.manual_seed": "torch",
    "torch.random.manual_seed": "torch",
}
"""What makes the functions of a module draw the same numbers each time."""

GENERATORS = frozenset(name for name in WHERE_CALLED_WITH if not name.startswith("time."))
"""What makes a generator of random numbers; one without a seed where there is no argument."""

VOLATILE = frozenset(
    [
        *(
            ".".join(name.split(".")[-2:])
            for kind in (CLOCK, TIMER, UNIQUE)
            for name in NAMED[kind]
        ),
        *"random.random random.randint random.getrandbits os.getpid os.getppid".split(),
        *"tempfile.mkdtemp tempfile.mkstemp tempfile.gettempprefix".split(),
        *"threading.get_ident id hash".split(),
    ]
)
"""What gives another value in every process, so that comparing values would never hit."""
