"""The systems of the bank and what they stand on; written so that one line is one system."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    key: str
    name: str
    kind: str
    unit: str
    criticality: int = 3
    shared: bool | None = None
    description: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """An environment; which systems stand in it says `stands_in`."""

    key: str
    name: str
    tier: str
    control: str | None
    zone: str
    description: str
    shared: bool = True


PLACES = (
    Place("dev", "Development", "development", "open", "Europe/London", "Built anew from the main branches"
          " each night."),
    Place("sit1", "System integration 1", "system_test", "coordinated", "Europe/London",
          "The current release train."),
    Place("sit2", "System integration 2", "system_test", "coordinated", "Europe/London",
          "Projects ahead of the train."),
    Place("int", "Integration", "integration", "coordinated", "Europe/London", "Connected to the partners’"
          " test systems."),
    Place("perf", "Performance", "performance", "coordinated", "Europe/London",
          "Sized as production; volumes of month end."),
    Place("uat", "User acceptance", "acceptance", "coordinated", "Europe/London",
          "Masked data, refreshed every month."),
    Place("uat-sg", "User acceptance Singapore", "acceptance", "coordinated", "Asia/Singapore",
          "Markets only.", False),
    Place("training", "Training", "training", "coordinated", "Europe/London", "Branch staff learn here.",
          False),
    Place("staging", "Staging", "staging", "controlled", "Europe/London", "The last stop before production."),
    Place("prod", "Production", "production", "controlled", "Europe/London", "Customers are served here."),
    Place("dr", "Disaster recovery", "disaster_recovery", "controlled", "Europe/London",
          "The second data centre."),
)  # fmt: skip


LANES = (
    (
        "release-train",
        "Release train",
        ("sit1", "int", "uat"),
        "Where the current train is tested, used as one.",
    ),
    (
        "project-lane",
        "Projects ahead of the train",
        ("sit2", "perf"),
        "Booked by projects, a month at a time.",
    ),
)
"""Groups of environments that are used together."""

LINKS = (("uat", "training"),)
"""Who takes the first takes the second: training runs on the databases of user acceptance."""


@dataclass(frozen=True, slots=True)
class System:
    """`stack`: keys of hosts it runs on; `store`: engine and host of its database, which takes its name."""

    key: str
    name: str
    unit: str
    criticality: int
    parts: str = ""
    store: str = ""
    stack: str = ""
    needs: str = ""
    about: str = ""


SYSTEMS = (
    # Retail Banking
    System("current-accounts", "Current accounts", "retail", 1, "statements interest-engine",
           "oracle ora-lon-01",
           "ocp-lon", "core-ledger identity message-bus customer-master",
           "Opens and keeps current accounts."),
    System("savings", "Savings", "retail", 2, "rates", "oracle ora-lon-01", "ocp-lon",
           "core-ledger identity message-bus customer-master", "Savings and notice accounts."),
    System("customer-master", "Customer master", "retail", 1, "matching", "oracle ora-lon-02", "ocp-lon",
           "identity message-bus", "The one record of each customer."),
    System("onboarding", "Customer onboarding", "retail", 2, "document-check", "postgresql pg-lon-01",
           "ocp-lon",
           "customer-master identity message-bus kyc-screening idscan", "Takes on new customers."),
    System("branch-desktop", "Branch desktop", "retail", 2, "", "", "vm-branch",
           "current-accounts savings identity",
           "What branch staff work with."),
    System("atm-switch", "ATM switch", "retail", 1, "cash-forecast", "oracle ora-lon-02", "vm-atm",
           "core-ledger card-authorisation hsm-cluster wan", "Connects 1,100 cash machines."),
    System("statements-archive", "Statements archive", "retail", 4, "", "postgresql pg-lon-03", "ocp-lon",
           "document-store", "Seven years of statements."),
    System("complaints", "Complaints", "retail", 4, "", "postgresql pg-lon-03", "ocp-lon",
           "customer-master identity",
           "Complaints and their deadlines."),
    # Digital Channels
    System("mobile-app-api", "Mobile banking API", "digital", 1, "push-notices session-cache",
           "postgresql pg-lon-01",
           "ocp-lon", "api-gateway identity current-accounts payments-hub customer-master",
           "Behind the mobile app."),
    System("web-banking", "Web banking", "digital", 1, "web-front", "postgresql pg-lon-01", "ocp-lon",
           "api-gateway identity current-accounts payments-hub savings", "Online banking in the browser."),
    System("open-banking", "Open banking API", "digital", 2, "consent-store", "postgresql pg-lon-02",
           "ocp-lon",
           "api-gateway identity payments-hub", "Access for third-party providers."),
    System("chat-assist", "Chat assistance", "digital", 4, "", "postgresql pg-lon-03", "ocp-lon",
           "identity customer-master cloud-speech", "Chat with customer service."),
    System("public-site", "Public web site", "digital", 3, "", "", "cdn-edge", "content-studio",
           "northgate.example."),
    System("content-studio", "Content studio", "digital", 4, "", "postgresql pg-lon-03", "ocp-lon",
           "identity",
           "Texts and pictures of all channels."),
    System("marketing-hub", "Marketing hub", "digital", 4, "", "postgresql pg-lon-03", "ocp-lon",
           "customer-master mail-relay-partner", "Campaigns and consents."),
    # Payments
    System("payments-hub", "Payments hub", "payments", 1, "routing limits repair-queue", "oracle ora-lon-03",
           "ocp-lon",
           "core-ledger message-bus identity fraud-scoring sanctions", "Takes in, checks and routes every"
           " payment."),
    System("instant-payments", "Instant payments gateway", "payments", 1, "", "oracle ora-lon-03", "vm-pay",
           "payments-hub hsm-cluster faster-scheme wan", "Payments within ten seconds."),
    System("bulk-payments", "Bulk payments", "payments", 2, "file-intake", "oracle ora-lon-04", "vm-pay",
           "payments-hub file-transfer bulk-scheme", "Salaries and direct debits."),
    System("swift-gateway", "SWIFT gateway", "payments", 1, "", "oracle ora-lon-04", "vm-swift",
           "payments-hub hsm-cluster swift-network wan", "Payments abroad."),
    System("payments-api", "Payments API", "payments", 1, "webhooks", "postgresql pg-lon-02", "ocp-lon",
           "payments-hub api-gateway identity", "For corporate customers."),
    System("fraud-scoring", "Fraud scoring", "payments", 1, "feature-store", "postgresql pg-lon-02",
           "ocp-lon",
           "message-bus customer-master", "Scores each payment within 40 ms."),
    System("sanctions", "Sanctions screening", "payments", 1, "list-loader", "oracle ora-lon-04", "vm-pay",
           "message-bus watchlist-vendor", "Screens names in payments."),
    System("reconciliation", "Reconciliation", "payments", 3, "", "oracle ora-lon-04", "vm-pay",
           "core-ledger payments-hub file-transfer", "Finds what does not match by morning."),
    System("payment-investigations", "Payment investigations", "payments", 3, "", "postgresql pg-lon-03",
           "ocp-lon",
           "payments-hub identity", "Where a payment went."),
    # Cards
    System("card-authorisation", "Card authorisation", "cards", 1, "stand-in", "oracle ora-nyc-01", "vm-card",
           "hsm-cluster core-ledger card-scheme fraud-scoring", "Says yes or no at the till."),
    System("card-issuing", "Card issuing", "cards", 2, "", "oracle ora-nyc-01", "vm-card",
           "customer-master hsm-cluster card-bureau", "Cards, PINs and renewals."),
    System("card-disputes", "Card disputes", "cards", 3, "", "postgresql pg-nyc-01", "ocp-nyc",
           "card-authorisation identity document-store", "Chargebacks."),
    System("merchant-acquiring", "Merchant acquiring", "cards", 2, "settlement", "oracle ora-nyc-01",
           "ocp-nyc",
           "card-scheme message-bus payments-hub", "For 9,000 shops."),
    System("wallet-tokens", "Wallet tokens", "cards", 2, "", "postgresql pg-nyc-01", "ocp-nyc",
           "card-authorisation card-scheme identity", "Cards in telephones."),
    # Lending
    System("mortgage-origination", "Mortgage origination", "lending", 2, "affordability",
           "postgresql pg-lon-04",
           "ocp-lon", "customer-master identity credit-decision land-registry", "From enquiry to offer."),
    System("mortgage-servicing", "Mortgage servicing", "lending", 2, "", "oracle ora-lon-05", "vm-lend",
           "core-ledger bulk-payments", "180,000 mortgages."),
    System("personal-loans", "Personal loans", "lending", 2, "pricing", "postgresql pg-lon-04", "ocp-lon",
           "core-ledger identity credit-decision", "Loans in ten minutes."),
    System("credit-decision", "Credit decision engine", "lending", 2, "scorecards", "postgresql pg-lon-04",
           "ocp-lon",
           "credit-bureau customer-master message-bus", "Scorecards and rules."),
    System("collections", "Collections", "lending", 3, "", "oracle ora-lon-05", "vm-lend",
           "core-ledger customer-master", "Arrears."),
    System("broker-portal", "Broker portal", "lending", 3, "", "postgresql pg-lon-04", "ocp-lon",
           "mortgage-origination api-gateway identity", "For mortgage brokers."),
    System("asset-finance", "Asset finance", "lending", 3, "", "oracle ora-lon-05", "vm-lend",
           "core-ledger identity", "Leasing of vehicles and machines."),
    # Markets
    System("fx-trading", "FX trading", "markets", 1, "pricing-engine", "oracle ora-sgp-01", "vm-fx",
           "market-data message-bus identity fx-venue", "Spot and forwards."),
    System("rates-trading", "Rates trading", "markets", 2, "", "oracle ora-sgp-01", "vm-fx",
           "market-data message-bus identity", "Bonds and swaps."),
    System("market-data", "Market data", "markets", 1, "tick-store", "postgresql pg-sgp-01", "vm-fx",
           "price-vendor wan", "Prices for all of Markets."),
    System("trade-capture", "Trade capture", "markets", 2, "", "oracle ora-sgp-01", "ocp-sgp",
           "fx-trading rates-trading message-bus", "The books."),
    System("settlements", "Settlements", "markets", 2, "", "oracle ora-sgp-01", "ocp-sgp",
           "trade-capture swift-gateway core-ledger", "Pays and delivers."),
    System("collateral", "Collateral", "markets", 3, "", "postgresql pg-sgp-01", "ocp-sgp",
           "trade-capture market-data", "Margin calls."),
    System("treasury", "Treasury", "markets", 2, "", "postgresql pg-sgp-01", "ocp-sgp",
           "core-ledger market-data settlements", "Liquidity of the bank."),
    # Finance and Risk
    System("general-ledger", "General ledger", "finance", 1, "close-engine", "oracle ora-lon-06", "vm-fin",
           "core-ledger file-transfer", "The books of the bank."),
    System("regulatory-reporting", "Regulatory reporting", "finance", 2, "", "oracle ora-lon-06", "vm-fin",
           "general-ledger data-warehouse", "Returns to the supervisors."),
    System("credit-risk", "Credit risk", "finance", 2, "models", "postgresql pg-lon-04", "ocp-lon",
           "data-warehouse credit-decision", "Exposure and capital."),
    System("market-risk", "Market risk", "finance", 2, "", "postgresql pg-lon-04", "ocp-lon",
           "trade-capture market-data data-warehouse", "Value at risk by 7 a.m."),
    System("kyc-screening", "KYC screening", "finance", 2, "", "oracle ora-lon-06", "vm-fin",
           "customer-master watchlist-vendor", "Knows the customers."),
    System("expense-claims", "Expense claims", "finance", 4, "", "postgresql pg-lon-03", "ocp-lon",
           "identity general-ledger", "Travel and receipts."),
    System("procurement", "Procurement", "finance", 4, "", "postgresql pg-lon-03", "ocp-lon",
           "identity general-ledger", "Orders and suppliers."),
    # Platforms
    System("core-ledger", "Core ledger", "platforms", 1, "batch-scheduler ledger-online", "db2 mf-lon", "",
           "wan", "The mainframe: every balance of the bank. One for all environments that post to it."),
    System("api-gateway", "API gateway", "platforms", 1, "rate-limiter", "postgresql pg-lon-02", "ocp-lon",
           "identity lan-lon", "The door for all channels."),
    System("data-warehouse", "Data warehouse", "platforms", 2, "loader", "postgresql pg-lon-dw", "",
           "file-transfer message-bus", "What happened, until yesterday evening."),
    System("file-transfer", "Managed file transfer", "platforms", 2, "", "postgresql pg-lon-02", "vm-mft",
           "identity wan", "Files to and from partners."),
    System("document-store", "Document store", "platforms", 3, "", "postgresql pg-lon-03", "ocp-lon",
           "identity object-storage", "Contracts and letters."),
    System("observability", "Observability", "platforms", 2, "log-store metrics-store", "", "ocp-lon",
           "message-bus", "Logs, metrics and alarms."),
    System("build-farm", "Build and delivery", "platforms", 3, "artefact-store", "postgresql pg-lon-03",
           "ocp-lon",
           "identity", "Builds and delivers the bank’s software."),
    # Identity and Security
    System("identity", "Identity provider", "security", 1, "directory token-service", "postgresql pg-lon-id",
           "ocp-lon",
           "hsm-cluster lan-lon", "Signs in customers and staff."),
    System("privileged-access", "Privileged access", "security", 2, "", "postgresql pg-lon-id", "vm-sec",
           "identity", "Break-glass accounts."),
    System("security-monitoring", "Security monitoring", "security", 2, "", "", "vm-sec",
           "message-bus observability", "Sees what should not be."),
    System("secrets-vault", "Secrets vault", "security", 1, "", "postgresql pg-lon-id", "ocp-lon",
           "hsm-cluster", "Keys and passwords of programs."),
)  # fmt: skip

OTHERS = (
    # hosts
    Item(
        "ocp-lon",
        "Container platform London",
        "host",
        "platforms",
        1,
        description="42 nodes in both London sites.",
    ),
    Item("ocp-nyc", "Container platform New York", "host", "platforms", 2, description="12 nodes."),
    Item("ocp-sgp", "Container platform Singapore", "host", "platforms", 2, description="9 nodes."),
    *(Item(f"ora-lon-0{n}", f"Oracle cluster London {n}", "host", "platforms", 2) for n in range(1, 7)),
    Item("ora-nyc-01", "Oracle cluster New York", "host", "platforms", 2),
    Item("ora-sgp-01", "Oracle cluster Singapore", "host", "platforms", 2),
    *(Item(f"pg-lon-0{n}", f"PostgreSQL cluster London {n}", "host", "platforms", 2) for n in range(1, 5)),
    Item("pg-lon-id", "PostgreSQL cluster for identity", "host", "platforms", 1),
    Item("pg-lon-dw", "Warehouse cluster", "host", "platforms", 3),
    Item("pg-nyc-01", "PostgreSQL cluster New York", "host", "platforms", 2),
    Item("pg-sgp-01", "PostgreSQL cluster Singapore", "host", "platforms", 2),
    Item(
        "mf-lon",
        "Mainframe London",
        "host",
        "platforms",
        1,
        True,
        "Two machines, one sysplex; shared by all.",
    ),
    Item("vm-branch", "Branch servers", "host", "platforms", 3),
    Item("vm-atm", "ATM servers", "host", "platforms", 2),
    Item("vm-pay", "Payments servers", "host", "platforms", 1),
    Item("vm-swift", "SWIFT servers", "host", "platforms", 1),
    Item("vm-card", "Card servers", "host", "platforms", 1),
    Item("vm-lend", "Lending servers", "host", "platforms", 3),
    Item("vm-fx", "Trading servers", "host", "platforms", 1),
    Item("vm-fin", "Finance servers", "host", "platforms", 2),
    Item("vm-mft", "File transfer servers", "host", "platforms", 2),
    Item("vm-sec", "Security servers", "host", "platforms", 2),
    Item("cdn-edge", "Content delivery", "third-party", "networks", 3),
    # Middleware
    Item(
        "message-bus", "Message bus", "middleware", "platforms", 1, description="Events between all systems."
    ),
    Item(
        "hsm-cluster",
        "Hardware security modules",
        "middleware",
        "security",
        1,
        True,
        "Keys never leave them.",
    ),
    Item("object-storage", "Object storage", "middleware", "platforms", 2),
    Item("job-scheduler", "Job scheduler", "middleware", "platforms", 2),
    Item("service-mesh", "Service mesh", "middleware", "platforms", 2),
    # Networks: one and the same for all environments
    Item("wan", "Wide area network", "network", "networks", 1),
    Item("lan-lon", "Data centre network London", "network", "networks", 1),
    Item("lan-nyc", "Data centre network New York", "network", "networks", 2),
    Item("lan-sgp", "Data centre network Singapore", "network", "networks", 2),
    Item("branch-lan", "Branch networks", "network", "networks", 3),
    Item("internet-edge", "Internet edge", "network", "networks", 1),
    Item("firewalls-lon", "Firewalls London", "network", "networks", 1),
    Item("dns", "Name service", "network", "networks", 1),
    # Third parties
    Item("swift-network", "SWIFT network", "third-party", "payments", 1),
    Item("faster-scheme", "Instant payments scheme", "third-party", "payments", 1),
    Item("bulk-scheme", "Bulk clearing scheme", "third-party", "payments", 2),
    Item("watchlist-vendor", "Watch list vendor", "third-party", "payments", 2),
    Item("card-scheme", "Card scheme", "third-party", "cards", 1),
    Item("card-bureau", "Card bureau", "third-party", "cards", 3),
    Item("credit-bureau", "Credit bureau", "third-party", "lending", 2),
    Item("land-registry", "Land registry service", "third-party", "lending", 3),
    Item("price-vendor", "Price vendor", "third-party", "markets", 1),
    Item("fx-venue", "FX trading venue", "third-party", "markets", 1),
    Item("idscan", "Identity document check", "third-party", "retail", 3),
    Item("cloud-speech", "Speech service", "third-party", "digital", 4),
    Item("mail-relay-partner", "Mail delivery partner", "third-party", "digital", 4),
)

SERVICES = (
    ("banking-online", "Online banking", "digital", 1, "mobile-app-api web-banking"),
    ("card-payments", "Card payments", "cards", 1, "card-authorisation merchant-acquiring"),
    (
        "money-transfer",
        "Money transfer",
        "payments",
        1,
        "payments-hub instant-payments bulk-payments swift-gateway",
    ),
    ("cash", "Cash machines", "retail", 1, "atm-switch"),
    ("home-loans", "Home loans", "lending", 2, "mortgage-origination mortgage-servicing"),
    ("foreign-exchange", "Foreign exchange", "markets", 1, "fx-trading settlements"),
    ("financial-close", "Financial close", "finance", 1, "general-ledger regulatory-reporting"),
)

CABLES = (
    ("ocp-lon", "lan-lon"), ("ocp-nyc", "lan-nyc"), ("ocp-sgp", "lan-sgp"), ("mf-lon", "lan-lon"),
    *((f"ora-lon-0{n}", "lan-lon") for n in range(1, 7)),
    *((f"pg-lon-0{n}", "lan-lon") for n in range(1, 5)),
    ("pg-lon-id", "lan-lon"), ("pg-lon-dw", "lan-lon"), ("ora-nyc-01", "lan-nyc"), ("pg-nyc-01", "lan-nyc"),
    ("ora-sgp-01", "lan-sgp"), ("pg-sgp-01", "lan-sgp"), ("vm-branch", "branch-lan"), ("vm-atm", "lan-lon"),
    ("vm-pay", "lan-lon"), ("vm-swift", "firewalls-lon"), ("vm-card", "lan-nyc"), ("vm-lend", "lan-lon"),
    ("vm-fx", "lan-sgp"), ("vm-fin", "lan-lon"), ("vm-mft", "firewalls-lon"), ("vm-sec", "lan-lon"),
    ("lan-nyc", "wan"), ("lan-sgp", "wan"), ("branch-lan", "wan"), ("internet-edge", "firewalls-lon"),
    ("firewalls-lon", "lan-lon"), ("cdn-edge", "internet-edge"), ("api-gateway", "internet-edge"),
)  # fmt: skip

NEEDED_BY_MIDDLEWARE = (
    ("message-bus", "ocp-lon", "runs-on"), ("service-mesh", "ocp-lon", "runs-on"),
    ("object-storage", "lan-lon", "connects-to"), ("job-scheduler", "vm-fin", "runs-on"),
    ("hsm-cluster", "lan-lon", "connects-to"), ("core-ledger", "job-scheduler", "depends-on"),
    ("general-ledger", "job-scheduler", "depends-on"), ("data-warehouse", "object-storage", "depends-on"),
    ("observability", "object-storage", "depends-on"), ("api-gateway", "dns", "depends-on"),
    ("identity", "dns", "depends-on"), ("web-banking", "service-mesh", "depends-on"),
    ("mobile-app-api", "service-mesh", "depends-on"), ("payments-api", "service-mesh", "depends-on"),
    ("regulatory-reporting", "job-scheduler", "depends-on"), ("bulk-payments", "job-scheduler", "depends-on"),
)  # fmt: skip

GATEWAYS = tuple((f"vm-gateway-{number}", f"Gateway node {number}") for number in (1, 2, 3))
"""What the API gateway runs on: two of them are enough."""

REDUNDANCIES = (("api-gateway", "runs-on", 2, tuple(key for key, _ in GATEWAYS)),)
"""What stands while some of several others stand: item, kind of relation, how many are needed, the others."""

PINNED = ("core-ledger", "expense-claims", "Claims are entered the day after; nobody works on them at night.")
"""What somebody knows better than the relations: changes to the first item do not affect the second."""

ENGINES = {"oracle": "Oracle 19c", "postgresql": "PostgreSQL 17", "db2": "Db2 13 for z/OS"}
SHARED_SYSTEMS = {"core-ledger", "swift-gateway"}


def items() -> Iterator[Item]:
    """Give every item of the bank, hosts and networks first."""
    yield from OTHERS
    for system in SYSTEMS:
        shared = True if system.key in SHARED_SYSTEMS else None
        yield Item(system.key, system.name, "system", system.unit, system.criticality, shared, system.about)
        for part in system.parts.split():
            name = f"{system.name}: {part.replace('-', ' ')}"
            yield Item(
                f"{system.key}.{part}", name, "component", system.unit, min(4, system.criticality + 1), shared
            )
        if system.store:
            engine = ENGINES[system.store.split()[0]]
            yield Item(
                database_of(system.key), f"{system.name} database", "database", system.unit,
                    system.criticality,
                shared, attributes={"engine": engine},
            )  # fmt: skip
    for key, name, unit, criticality, _ in SERVICES:
        yield Item(key, name, "business-service", unit, criticality)
    for key, name in GATEWAYS:
        yield Item(key, name, "host", "platforms", 3)


def relations() -> Iterator[tuple[str, str, str]]:
    """Give every relation as source, target and kind."""
    for system in SYSTEMS:
        for part in system.parts.split():
            yield f"{system.key}.{part}", system.key, "part-of"
        if system.store:
            yield system.key, database_of(system.key), "depends-on"
            yield database_of(system.key), system.store.split()[1], "runs-on"
        for host in system.stack.split():
            yield system.key, host, "runs-on"
        for needed in system.needs.split():
            cable = needed in {"wan", "lan-lon"}
            yield system.key, needed, "connects-to" if cable else "depends-on"
    for source, target in CABLES:
        yield source, target, "connects-to"
    yield from NEEDED_BY_MIDDLEWARE
    for item, kind, _, members in REDUNDANCIES:
        for member in members:
            yield item, member, kind
    for key, _, _, _, systems in SERVICES:
        for system_key in systems.split():
            yield key, system_key, "depends-on"


def database_of(system: str) -> str:
    return f"{system}-db"


def stands_in(system: System) -> tuple[str, ...]:
    """Return the environments that a system stands in, by what it is for."""
    places = ["prod"]
    if system.criticality == 1:
        places += ["dr", "staging", "perf", "sit2"]
    if system.criticality <= 2:
        places += ["int"]
    if system.criticality <= 3:
        places += ["sit1", "uat"]
    if system.key in {"branch-desktop", "atm-switch", "current-accounts", "savings", "complaints"}:
        places.append("training")
    if system.unit == "markets":
        places.append("uat-sg")
    return ("dev", *places)


def instances() -> Iterator[tuple[str, str]]:
    """Give what stands where as item and environment; what is shared by all stands in none of its own."""
    for system in SYSTEMS:
        if system.key in SHARED_SYSTEMS:
            continue
        for place in stands_in(system):
            yield system.key, place
            if system.store and place == "prod" and system.criticality <= 2:
                yield database_of(system.key), place


INVENTORY_FILE = "asset-inventory.csv"
INVENTORY = """\
key,name,kind,criticality,external_id
payments-api,Payments API,system,1,AST-10231
ledger-db,Ledger database (primary),database,1,AST-10244
fraud-scoring,Fraud scoring,system,2,AST-10310
card-tokeniser,Card tokeniser,component,2,AST-10311
branch-kiosk,Branch kiosk,kiosk,3,AST-10377
"""
"""What the asset inventory says of the bank's items, one of them of a kind that there is not."""

PROPOSED = {"heap": "8 GB"}
"""What a draft change would set on its item in production."""
DRIFTED: tuple[str, str, dict[str, Any]] = (
    "payments-api",
    "Nightly discovery",
    {"attributes": {"heap": "6 GB"}},
)
"""What a scan saw of an item in production, and by which scan."""

DESCRIBED = (
    ("fraud-scoring", "Weighs every payment before it leaves; stops what looks wrong within a second."),
    ("payments-api", "The one door for payments, for the bank's own channels and for partners."),
    ("mobile-app-api", "What the app talks to; nothing else does."),
)
"""What was written about items in the year since the catalogue was founded."""
