"""What the bank's engineers write into their changes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work. `template`: that of a standard change; `hours`: least and most; `share`: how often.

    `{name}` is the thing, `{key}` its key, `{what}` one of the details, `{version}` a version.
    """

    slug: str
    kinds: tuple[str, ...]
    title: str
    description: str
    reason: str
    share: int
    hours: tuple[float, float]
    category: str = ""
    template: str = ""
    plan: str = ""
    test: str = ""
    backout: str = ""
    units: tuple[str, ...] = ()
    downtime: bool = False
    details: tuple[str, ...] = ()


RELEASE = Work(
    "release", ("system",), "Deploy {name} {version}: {what}",
    "Release {version} of {name}. It brings: {what}. Also the corrections of the last two weeks; the"
    " release notes"
    " are in the work item.",
    "Planned in this quarter’s road map; the product owner has accepted it in user acceptance.", 36, (1.5, 3),
    "release",
    plan="1. Tell the service desk and the duty manager.\n2. Take one half of the nodes out of the load"
    " balancer.\n"
    "3. Deploy {version} to it from the delivery pipeline and run the smoke tests.\n4. Swap the halves and"
    " repeat.\n"
    "5. Watch error rate and latency for thirty minutes.",
    test="Smoke tests of the pipeline are green. {what}: done once by hand with the test customer. Error"
        " rate below"
    " 0.1 %, 95th percentile within 10 % of yesterday’s.",
    backout="Route all traffic to the nodes with the former version (five minutes). The schema of {version}"
        " works"
    " with the former version too.",
)  # fmt: skip

WORKS = (
    RELEASE,
    Work(
        "database-patch", ("database",), "Install the quarterly patches on {name}",
        "The vendor’s quarterly patches for {engine}, as installed in user acceptance two weeks ago.",
        "Closes vulnerabilities that security monitoring rated high.", 8, (2, 4), "patch",
        plan="1. Back up and check the backup.\n2. Patch the standby and switch over.\n3. Patch the former"
        " primary.\n"
        "4. Run the vendor’s post-installation scripts.",
        test="Version and patch level are the expected ones; replication lag below one second; the"
            " application’s"
        " health check is green.",
        backout="Switch back to the unpatched side; after step 3 restore from the backup (90 minutes).",
            downtime=True,
    ),
    Work(
        "index", ("database",), "Add an index for {what} to {name}",
        "The statement for {what} reads whole tables since the volume doubled. The index is built online.",
        "Ends the time-outs that {unit} reported at peak.", 5, (1, 2), "tuning",
        plan="1. Build the index concurrently.\n2. Gather statistics.\n3. Compare the plans of the ten"
        " slowest"
        " statements.",
        test="The statement answers in under 50 ms with production volume; no other plan got worse.",
        backout="Drop the index (seconds).",
        details=("overdue items", "searches by reference", "the morning report", "open cases",
                 "duplicate checks",
                 "customer look-ups"),
    ),
    Work(
        "os-patch", ("host",), "Patch the operating system of {name}",
        "This month’s operating system patches; the test clusters have had them for a week.",
        "Monthly patch cycle.",
        14, (2, 4), template="os-patch",
    ),
    Work(
        "certificate", ("system", "component"), "Renew the certificate of {name}",
        "The certificate of {key}.northgate.example expires in three weeks. Same names, new key.",
        "Expires otherwise.", 9, (0.5, 1), template="certificate",
    ),
    Work(
        "storage", ("database",), "Extend the storage of {name}",
        "The data volume is 81 % full and grows by 2 % a month; {what} more.", "The alarm stands at 85 %.",
        7, (1, 2),
        template="storage", details=("500 GB", "1 TB", "2 TB", "250 GB"),
    ),
    Work(
        "switch", ("system",), "Turn on {what} in {name}",
        "The feature has been in the code since last release and was tried with staff; from off to on.",
        "Agreed with the product owner and the service desk.", 13, (0.5, 1), template="config-switch",
    ),
    Work(
        "network", ("network",), "{what} in {name}",
        "{what}. The devices are doubled: one side at a time.", "Part of the renewal of the networks.", 7,
        (3, 6),
        "network", plan="1. Move the traffic to side B.\n2. Do the work on side A and test it.\n3. Move the"
        " traffic to"
        " side A.\n4. The same on side B.",
        test="No packet loss between the sites for ten minutes; routing tables as recorded before.",
        backout="Move all traffic back to the side not yet touched (two minutes).", units=("networks",),
        details=("Replace line cards", "Upgrade the firmware", "Move the routing sessions to the new routers",
                 "Widen the links to 100 Gbit/s", "Renew the access lists"),
    ),
    Work(
        "middleware", ("middleware",), "Upgrade {name} to {version}",
        "Rolling upgrade of {name} to {version}; clients need no change.", "The present version’s support"
        " ends.", 5,
        (3, 5), "upgrade", plan="1. Upgrade one node and watch it for twenty minutes.\n2. The others one by"
        " one.\n"
        "3. Raise the protocol version when all are done.",
        test="All producers and consumers connected; no growth of queues; no errors in the logs.",
        backout="Before step 3: put the nodes back to the former version. After it: restore the cluster’s"
            " snapshot.",
        units=("platforms", "security"),
    ),
    Work(
        "failover", ("system",), "Switch {name} to the second data centre and back",
        "Half-yearly proof that {name} runs from the second data centre within the agreed two hours.",
        "Asked by the supervisor and by internal audit.", 4, (3, 5), "continuity",
        plan="1. Freeze batch.\n2. Switch database and traffic.\n3. Serve from there for one hour.\n4."
        " Switch back.",
        test="The list of twenty business transactions, done by the business itself in both places.",
        backout="Switch back at once; the first data centre stays warm.", downtime=True,
    ),
    Work(
        "refresh", ("system",), "Refresh the test data of {name}",
        "A masked copy of last month’s production data; testers were told.", "Test data is older than two"
        " months.",
        7, (3, 6), "data", plan="1. Stop the application.\n2. Load the masked copy.\n3. Run the masking"
            " checks.\n"
        "4. Start the application.",
        test="Row counts as expected; the masking report shows no clear names.",
            backout="Restore the snapshot.",
        downtime=True,
    ),
    Work(
        "resize", ("component",), "Double the instances of {name}",
        "From four to eight instances, with the limits of memory as they are.",
        "Peaks at month end brought it to 85 % of its capacity.", 5, (0.5, 1.5), "capacity",
        plan="1. Raise the number of instances in the deployment.\n2. Let the balancer find them.",
        test="Eight instances take traffic evenly.", backout="Lower the number to four.",
    ),
)  # fmt: skip

FEATURES = {
    "retail": ("joint accounts opened by one visit", "notice of interest changes",
               "shorter closing of accounts",
               "address changes without paper", "overdraft limits by day", "statements in large print"),
    "digital": ("sign in with a passkey", "search in transactions", "split a bill",
                "standing orders on the phone",
                "a calmer start page", "card freeze from the lock screen", "consents on one page"),
    "payments": ("payee names checked before sending", "reason codes in the repair queue", "requests to pay",
                 "duplicate detection by end-to-end identifier", "cut-off times by currency",
                 "structured addresses", "faster return of rejected payments"),
    "cards": ("tokens for recurring payments", "dispute with photo", "limits by shop category",
              "stand-in rules for travel", "virtual cards", "PIN change by phone"),
    "lending": ("decision in principle in two minutes", "brokers’ documents in one upload",
                "early repayment quotes",
                "income from open banking", "green mortgages", "payment holidays on line"),
    "markets": ("same-day settlement for three currencies", "limits before the order",
                "pricing by client tier",
                "orders at the fixing", "margin calls by noon", "new holiday calendars"),
    "finance": ("ledger close a day earlier", "new template of the liquidity return",
                "exposure by parent company",
                "automatic accruals", "screening of vessels", "stress test scenarios"),
    "platforms": ("quotas by consumer", "tracing across calls", "shorter cold starts", "read replicas",
                  "self-service topics", "retention by class of data"),
    "networks": ("flow records", "automatic failover of links"),
    "security": ("risk-based second factor", "shorter sessions for staff", "rotation without restart",
                 "alarms on impossible travel", "device binding", "approval of break-glass use"),
}  # fmt: skip

TICKETS = {
    "retail": "RET", "digital": "DIG", "payments": "PAY", "cards": "CRD", "lending": "LEN", "markets": "MKT",
    "finance": "FIN", "platforms": "PLT", "networks": "NET", "security": "SEC",
}  # fmt: skip

APPROVALS = (
    "Reviewed with the team; fine.", "Tests seen. Approved.", "Agreed in Tuesday’s CAB.", "",
    "Please keep the duty manager on the bridge.", "Approved; the back-out was rehearsed.", "",
)  # fmt: skip
REJECTIONS = (
    "The back-out needs more time than the window has. Plan a longer one.",
    "Performance was not tested with month-end volume.",
    "The business asks not to do this before the campaign ends.",
)
CANCELLATIONS = (
    "The vendor withdrew the version.", "Goes into the next release instead.", "Not needed any more: solved"
    " by hand.",
    "The team is short of people that night.",
)  # fmt: skip
ISSUES = (
    "Done, but took forty minutes longer: one node did not come back by itself.",
    "Done. Two alarms were raised that should have been silenced.",
    "Done; the cache had to be cleared by hand afterwards.",
)
PARTIALS = (
    "Side A is done. Side B follows in a change of its own: the window was over.",
    "Four of six nodes are done; two wait for a spare part.",
)
FAILURES = (
    "Error rate rose to 4 % after the first half; backed out by 01:20. The cause is a missing setting.",
    "The migration script ran into a lock and was stopped; backed out in time.",
)
HOLDS = (
    "The vendor reported a defect in this version; waiting for their answer.",
    "Waits for the spare parts.",
)
