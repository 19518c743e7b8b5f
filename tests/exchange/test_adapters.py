"""Adapters: what a file describes stands in the catalogue, and the wrong file is told by what it is."""

from __future__ import annotations

import json

import pytest
import yaml

from fairway.accounts.commands import CreateTeam
from fairway.audit.commands import execute
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.exchange.adapters import ADAPTERS
from fairway.exchange.reading.documents import Document
from fairway.exchange.report import Report
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Invalid
from tests.support.replay import replayed

from .conftest import Company, contents, counts, import_text

BACKSTAGE = """
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata: {name: payments}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: checkout, title: Checkout}
spec: {owner: group:default/tellers, domain: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: cart
  description: Holds what is bought
  tags: [java, web]
spec:
  type: service
  lifecycle: production
  owner: tellers
  system: checkout
  providesApis: [cart]
  consumesApis: [api:other/ledger]
  dependsOn: [resource:cart-db, component:default/mailer]
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: cart}
spec: {type: openapi, owner: group:nobody, system: checkout}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: ledger, namespace: other}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: cart-db}
spec: {type: database, owner: user:ann}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: tellers}
"""
KUBERNETES = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app.kubernetes.io/version: "1.10"}}
spec:
  replicas: 3
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      nodeSelector: {kubernetes.io/hostname: node-7}
      containers:
        - image: registry.example/web:1.10
          env:
            - {name: DB, value: "postgres://app:secret@db.shop.svc.cluster.local:5432/app"}
            - {name: CACHE, value: cache:6379}
            - {name: KEY, valueFrom: {secretKeyRef: {name: k, key: k}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{image: "postgres:16"}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web, tier: front}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  rules:
    - host: shop.example
      http: {paths: [{path: /, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
"""
COMPOSE = """
name: shop
x-common: &common
  restart: always
  networks: [back]
services:
  web:
    <<: *common
    image: registry.example/web:2
    depends_on: {db: {condition: service_healthy}, ghost: {}}
    environment:
      CACHE_URL: redis://cache:6379/0
    ports: ["80:80"]
  db:
    <<: *common
    image: postgres:16
    volumes: ["data:/var/lib/postgresql", "./conf:/conf"]
  cache: {image: "redis:7", networks: {back: {aliases: [c]}}}
networks:
  back:
volumes:
  data: {name: shop-data}
"""
FILES = {"backstage": BACKSTAGE, "kubernetes": KUBERNETES, "compose": COMPOSE}


def edges() -> set[tuple[str, str, str]]:
    rows = Relation.objects.values_list("source__slug", "relation_kind__slug", "target__slug")
    return {(source, kind, target) for source, kind, target in rows}


def kinds() -> dict[str, str]:
    return dict(ConfigurationItem.objects.values_list("slug", "item_kind__slug"))


def brought(adapter: str) -> Report:
    return import_text(FILES[adapter], adapter)


def test_backstage(company: Company) -> None:
    execute(CreateTeam(slug="tellers", name="Tellers", organisation="group"), actor=SYSTEM)
    with replayed():
        report = brought("backstage")
    assert kinds() == {
        "payments-domain": "business-service",
        "checkout-system": "system",
        "cart": "component",
        "cart-api": "component",
        "other.ledger-api": "component",
        "cart-db": "database",
    }
    assert edges() == {
        ("checkout-system", "part-of", "payments-domain"),
        ("cart", "part-of", "checkout-system"),
        ("cart-api", "part-of", "checkout-system"),
        ("cart-api", "depends-on", "cart"),
        ("cart", "depends-on", "other.ledger-api"),
        ("cart", "depends-on", "cart-db"),
    }
    cart = ConfigurationItem.objects.get(slug="cart")
    assert cart.owner_team is not None
    assert cart.owner_team.slug == "tellers"
    assert cart.external_id == "component:default/cart"
    assert cart.attributes == {
        "owner": "tellers",
        "type": "service",
        "lifecycle": "production",
        "tags": "java web",
    }
    told = [str(problem) for problem in report.problems]
    assert counts(report) == {"created": 12, "refused": 1}
    assert "document 7 (line 40): Group tellers is passed over: it is no item of a catalogue." in told
    assert any(line.startswith("document 4 (line 26): There is no team “nobody”") for line in told)
    assert "document 3 (line 11), target: There is no item “mailer”." in told


def test_kubernetes(company: Company) -> None:
    report = brought("kubernetes")
    assert kinds() == {
        "shop": "system",
        "shop.web": "component",
        "shop.db": "database",
        "node-7": "host",
        "shop.db-service": "component",
        "shop.web-service": "component",
        "shop.web-ingress": "middleware",
    }
    assert edges() == {
        *((key, "part-of", "shop") for key in kinds() if key.startswith("shop.")),
        ("shop.web", "runs-on", "node-7"),
        ("shop.web-service", "runs-on", "shop.web"),
        ("shop.db-service", "runs-on", "shop.db"),
        ("shop.web-ingress", "depends-on", "shop.web-service"),
        ("shop.web", "connects-to", "shop.db-service"),
    }
    web = ConfigurationItem.objects.get(slug="shop.web")
    assert web.attributes["version"] == "1.10"
    assert "secret" not in json.dumps([item.attributes for item in ConfigurationItem.objects.all()])
    assert counts(report) == {"created": 17}
    assert [problem.message for problem in report.problems] == [
        "ConfigMap settings is passed over: it is no item of a catalogue."
    ]


def test_compose(company: Company) -> None:
    report = brought("compose")
    assert kinds() == {
        "shop": "system",
        "shop.web": "component",
        "shop.db": "database",
        "shop.cache": "middleware",
        "shop.back-network": "network",
        "shop.data-volume": "component",
    }
    assert edges() == {
        *((key, "part-of", "shop") for key in kinds() if key.startswith("shop.")),
        ("shop.web", "depends-on", "shop.db"),
        ("shop.web", "connects-to", "shop.cache"),
        *((f"shop.{one}", "connects-to", "shop.back-network") for one in ("web", "db", "cache")),
        ("shop.db", "depends-on", "shop.data-volume"),
    }
    assert [problem.message for problem in report.problems] == [
        "web depends on “ghost”, which the file does not hold."
    ]


@pytest.mark.parametrize("adapter", FILES)
def test_the_same_file_again_changes_nothing(company: Company, adapter: str) -> None:
    brought(adapter)
    again = brought(adapter)
    assert set(counts(again)) <= {"unchanged", "refused"}


@pytest.mark.parametrize("adapter", FILES)
def test_a_dry_run_writes_nothing(company: Company, adapter: str) -> None:
    before = contents()
    import_text(FILES[adapter], adapter, dry_run=True)
    assert contents() == before


def test_a_list_of_manifests_in_json_is_read_too(company: Company) -> None:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [manifest]}, indent=1)
    assert counts(import_text(text, "kubernetes")) == {"created": 1}


@pytest.mark.parametrize(
    ("adapter", "content", "message"),
    [
        ("backstage", KUBERNETES, "It looks like a file of Kubernetes manifests; import it as kubernetes."),
        ("backstage", COMPOSE, "It looks like a docker compose file; import it as compose."),
        (
            "kubernetes",
            BACKSTAGE,
            "It looks like a Backstage catalogue (catalog-info.yaml); import it as backstage",
        ),
        (
            "compose",
            BACKSTAGE,
            "It looks like a Backstage catalogue (catalog-info.yaml); import it as backstage",
        ),
        ("compose", "openapi: 3.1.0\ninfo: {}\n", "It is a document with openapi, info."),
        ("kubernetes", "key,name\na,A\n", "It is plain text that begins with “key,name"),
        ("kubernetes", "[{key: a}]", "It is a list"),
        ("compose", "", "The file is empty"),
        ("backstage", b"PK\x03\x04", "not YAML but a ZIP archive"),
        ("compose", "services: {a: {image: x}\n", "not YAML in line"),
        (
            "items",
            BACKSTAGE,
            "The file looks like a Backstage catalogue (catalog-info.yaml); import it as backstage.",
        ),
    ],
)
def test_the_wrong_file_is_told_by_what_it_looks_like(
    company: Company, adapter: str, content: str | bytes, message: str
) -> None:
    before = contents()
    with pytest.raises(Invalid) as refused:
        import_text(content, adapter, file="file.yaml")
    assert message in refused.value.detail
    assert contents() == before


def test_a_stray_document_is_refused_and_the_others_stand(company: Company) -> None:
    stray = "\n---\nservices: {web: {image: x}}\n---\nkind: Component\napiVersion: backstage.io/v1\n"
    report = import_text(BACKSTAGE.split("---")[0] + stray, "backstage")
    assert counts(report) == {"created": 1, "refused": 2}
    told = [str(problem) for problem in report.problems]
    assert any("document 2" in line and "looks like a docker compose file" in line for line in told)
    assert any("document 3" in line and "it needs metadata.name" in line for line in told)


POISON = [None, "", [], {}, "x", [1], {"a": 1}, [[["x"]]], "\x07", {"": ""}]


@pytest.mark.parametrize("adapter", FILES)
def test_documents_of_any_shape_never_break_an_adapter(company: Company, adapter: str) -> None:
    """Every part of a good file is replaced by every kind of nonsense, one at a time."""

    def spoilt(value: object) -> list[object]:
        found: list[object] = list(POISON)
        if isinstance(value, dict):
            found += [{**value, name: bad} for name, part in value.items() for bad in spoilt(part)]
        if isinstance(value, list):
            found += [
                [*value[:at], bad, *value[at + 1 :]] for at, part in enumerate(value) for bad in spoilt(part)
            ]
        return found

    reader = ADAPTERS[adapter]
    for document in yaml.load_all(FILES[adapter], Loader=yaml.BaseLoader):
        for bad in spoilt(document):
            if isinstance(bad, dict) and reader.accepts(bad):
                list(reader.read(iter([Document(1, 1, bad)])))
