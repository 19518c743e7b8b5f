"""Nothing can be reached from outside that the matrix does not know."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path

from fairway.accounts.rules import PERMISSIONS
from fairway.accounts.web import page
from fairway.interfaces.urls import urlpatterns

from .calls import DOCUMENT, FOUND, FOUND_PAGES
from .pages import PAGES
from .routes import gaps, operations, pages, undocumented
from .table import OPERATIONS, ROLES
from .world import World

API_TABLE, PAGE_TABLE = "OPERATIONS in tests/matrix/table.py", "PAGES in tests/matrix/pages.py"
WITHOUT_DOCUMENT = ("api/v1/openapi.json",)


def test_every_operation_is_in_the_table_and_no_other() -> None:
    assert gaps(FOUND, OPERATIONS, where=API_TABLE) == []


def test_every_page_is_in_the_table_and_no_other() -> None:
    assert gaps(FOUND_PAGES, PAGES, where=PAGE_TABLE) == []


def test_every_route_of_the_api_is_in_its_document() -> None:
    assert undocumented(urlpatterns, DOCUMENT, WITHOUT_DOCUMENT) == []


def test_every_built_in_role_is_in_the_matrix(world: World) -> None:
    assert world.roles.keys() == ROLES


def test_every_operation_says_which_permission_it_needs() -> None:
    unknown = {
        name: operation.permission
        for name, operation in FOUND.items()
        if operation.permission not in PERMISSIONS and OPERATIONS[name].who is None
    }
    assert unknown == {}


def test_every_example_names_every_parameter_of_its_path(world: World) -> None:
    for name, entry in OPERATIONS.items():
        assert sorted(entry.path(world.north)) == sorted(FOUND[name].parameters), name


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def test_a_new_route_is_missed() -> None:
    new: list[URLPattern | URLResolver] = [
        path("rooms/<str:key>/tidy", page(view)),
        path("plain", view),
        path("api/v1/", include([path("rooms/<str:key>", view), path("items", view)])),
    ]
    document = {"paths": {"/api/v1/items": {"get": {}, "delete": {"x-permission": "catalog.edit"}}}}

    assert pages(new) == {"rooms/<str:key>/tidy": True, "plain": False}
    assert gaps(pages(new), {"plain": None, "gone": None}, where=PAGE_TABLE) == [
        f"add “rooms/<str:key>/tidy” to {PAGE_TABLE}: who may, an example of it, a valid body",
        f"take “gone” out of {PAGE_TABLE}: there is no such route any more",
    ]
    assert undocumented(new, document, ()) == ["api/v1/rooms/<str:key>"]
    assert undocumented(new, document, ["api/v1/rooms/<str:key>"]) == []
    assert gaps(operations(document), ["GET items"], where=API_TABLE) == [
        f"add “DELETE items” to {API_TABLE}: who may, an example of it, a valid body"
    ]
